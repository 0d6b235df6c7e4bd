// Loads on the code that answers them, in simulated time: what is told of each, and which partitions are hottest. Section
// `fleet`: everybody may come. Section `storm`: most are turned away, or the limit is changed while they come. The figures hang on the seed and on bench/fleet/parameters.ts, and on no machine.

import type { Section, SectionOptions, SectionResult } from '../section.ts';
import { byDoor, createTrials, exactRow, lastingRow, perSecond, seed, straight, ways } from './rows.ts';
import { burst, type FleetLimit, fleetLeaves, fleetReturns, limitChanges, manyUsernames } from './scenarios.ts';

/** All of a fleet in the long run; what a quick run can carry. */
const fleetSizes = { full: 100_000, quick: 1_000 } as const;

async function runFleet({ full, say }: SectionOptions): Promise<SectionResult> {
  const trials = createTrials(say);
  for (const limit of [1_000, 100]) {
    const expected = { letIn: Math.min(500, limit) };
    await trials.connect(`500 new at once, limit ${limit}`, () => burst({ seed, sessions: 500, limit }), expected);
  }
  const seconds = full ? 10 : 1;
  for (const way of ways) {
    const what = `${perSecond}/s over 30,000 usernames for ${seconds} s${way.name}`;
    const load = { seed, usernames: 30_000, perSecond, seconds, doors: way.doors };
    await trials.connect(what, () => manyUsernames(load), { letIn: perSecond * seconds });
  }
  const sessions = full ? fleetSizes.full : fleetSizes.quick;
  for (const { as, limit, way } of fleets(sessions, full)) {
    const held = typeof limit === 'number' ? `limit ${limit}` : limit === 'none' ? 'no limit' : limit;
    const what = `${sessions} ${as} of one username at ${perSecond}/s, ${held}${way.name}`;
    const load = { seed, sessions, perSecond, limit, as, doors: way.doors };
    await trials.connect(what, () => fleetReturns(load), { letIn: sessions });
  }
  for (const way of ways) {
    const what = `${sessions} of one username end within a second${way.name}`;
    const left = await trials.take(what, () => fleetLeaves({ seed, sessions, doors: way.doors }));
    trials.add(lastingRow(`${what}: none counted after`, left.freedAfterMs), exactRow(what, left));
  }
  return trials.result();
}

interface Fleet {
  readonly as: 'new' | 'retained';
  readonly limit: FleetLimit;
  readonly way: (typeof ways)[number];
}

function fleets(sessions: number, full: boolean): readonly Fleet[] {
  const limits: readonly FleetLimit[] = full ? [sessions, 'whitelisted', 'none'] : [sessions];
  const kinds = ['new', 'retained'] as const;
  return kinds.flatMap((as) => [
    ...limits.map((limit) => ({ as, limit, way: straight })),
    { as, limit: sessions, way: byDoor },
  ]);
}

export const fleet: Section = { name: 'fleet', title: 'Contention, in simulated time', run: runFleet };

const stormSizes = { full: 30_000, quick: 3_000 } as const;
/** Longer than a process holds its settings, in the long run. */
const changingSizes = { full: 100_000, quick: 6_000 } as const;

async function runStorm({ full, say }: SectionOptions): Promise<SectionResult> {
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

export const storm: Section = { name: 'storm', title: 'Turned away in a storm, in simulated time', run: runStorm };
