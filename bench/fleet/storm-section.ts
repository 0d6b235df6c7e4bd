// Storms of CONNECTs that are turned away, in simulated time: a fleet far above its limit, and one whose limit is changed
// while it comes. As bench/fleet/section.ts.

import type { Section, SectionOptions, SectionResult } from '../section.ts';
import { createTrials, perSecond, seed, straight, ways } from './rows.ts';
import { fleetReturns, limitChanges } from './scenarios.ts';

const stormSizes = { full: 30_000, quick: 3_000 } as const;
/** Longer than a process holds its settings, in the long run. */
const changingSizes = { full: 100_000, quick: 6_000 } as const;

async function run({ full, say }: SectionOptions): Promise<SectionResult> {
  const trials = createTrials(say);
  const size = full ? 'full' : 'quick';
  const sessions = stormSizes[size];
  const limit = sessions / 10;
  // Each rejection straight to the broker reads the roster item once, and a partition gives 3,000 readings a second.
  for (const { way, rate } of [{ way: straight, rate: 2_500 }, ...ways.map((way) => ({ way, rate: perSecond }))]) {
    const what = `${sessions} new of one username at ${rate}/s, limit ${limit}${way.name}`;
    const load = { seed, sessions, perSecond: rate, limit, as: 'new', doors: way.doors } as const;
    await trials.connect(what, () => fleetReturns(load), { letIn: limit });
  }
  const all = changingSizes[size];
  const changing = `${all} of one username at ${perSecond}/s, limit ${all}, halved and set back`;
  await trials.connect(changing, () => limitChanges({ seed, sessions: all, perSecond, limit: all }));
  return trials.result();
}

export const section: Section = { name: 'storm', title: 'Turned away in a storm, in simulated time', run };
