// A fleet's loads on the code that answers them, in simulated time: what is told of each, and which partitions are
// hottest. The figures hang on the seed and on bench/fleet/parameters.ts, and on no machine.

import type { Section, SectionOptions, SectionResult } from '../section.ts';
import { byDoor, createTrials, exactRow, lastingRow, perSecond, seed, straight, ways } from './rows.ts';
import { burst, type FleetLimit, fleetLeaves, fleetReturns, manyUsernames } from './scenarios.ts';

/** All of a fleet in the long run; what a quick run can carry. */
const fleetSizes = { full: 100_000, quick: 1_000 } as const;

async function run({ full, say }: SectionOptions): Promise<SectionResult> {
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

export const section: Section = { name: 'fleet', title: 'Contention, in simulated time', run };
