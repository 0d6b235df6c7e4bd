import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../bench/fleet/outcome.ts';
import {
  burst,
  type FleetLimit,
  fleetLeaves,
  fleetReturns,
  limitChanges,
  manyUsernames,
} from '../../bench/fleet/scenarios.ts';

/** What must be true of every run, whatever stands in its way. */
function expectExact(outcome: Outcome): void {
  expect(outcome).toMatchObject({ overAdmitted: 0, falselyRejected: 0, leases: { left: 0 }, givenUp: 0 });
  expect(outcome.used).toBe(outcome.live);
  expect(outcome.quietAfterMs).toBeDefined();
}

const told = { admitted: 0, reconnected: 0, quota: 0, unavailable: 0, other: 0 };

describe('a run of the product on the simulated database', () => {
  it('is the same again under its seed, and another under another', async () => {
    const run = (seed: number) => burst({ seed, sessions: 40, limit: 30 });
    const first = await run(1);
    expect(await run(1)).toEqual(first);
    expect((await run(2)).answers).not.toEqual(first.answers);
  });

  it.each([1, 20])('lets in exactly %i of 60 clients of one username that come at once', async (limit) => {
    const outcome = await burst({ seed: 3, sessions: 60, limit });
    expectExact(outcome);
    expect(outcome.told).toEqual({ ...told, admitted: limit, quota: 60 - limit });
    expect(outcome.used).toBe(limit);
    expect(outcome.inTime).toBe(limit);
  });

  it('lets in everybody of many usernames', async () => {
    const outcome = await manyUsernames({ seed: 4, usernames: 500, perSecond: 300, seconds: 1 });
    expectExact(outcome);
    expect(outcome.told).toEqual({ ...told, admitted: 300 });
    expect(outcome.inTime).toBe(300);
  });

  it.each<FleetLimit>([200, 'whitelisted', 'none'])(
    'lets in a whole fleet of new sessions, limit: %s',
    async (limit) => {
      const outcome = await fleetReturns({ seed: 5, sessions: 200, perSecond: 100, limit, as: 'new' });
      expectExact(outcome);
      expect(outcome.told).toEqual({ ...told, admitted: 200 });
      expect(outcome.used).toBe(200);
    },
  );

  it('is as exact where the clients come through front doors', async () => {
    const doors = { doors: 2 };
    const fresh = await fleetReturns({ seed: 10, sessions: 100, perSecond: 100, limit: 60, as: 'new', ...doors });
    expectExact(fresh);
    expect(fresh.told).toEqual({ ...told, admitted: 60, quota: 40 });
    const known = await fleetReturns({ seed: 11, sessions: 80, perSecond: 100, limit: 80, as: 'retained', ...doors });
    expectExact(known);
    expect(known.told).toEqual({ ...told, reconnected: 80 });
    const left = await fleetLeaves({ seed: 12, sessions: 80, ...doors });
    expectExact(left);
    expect(left.used).toBe(0);
  });

  it('knows a whole fleet again that is at its limit, and counts none of it twice', async () => {
    const outcome = await fleetReturns({ seed: 6, sessions: 150, perSecond: 100, limit: 150, as: 'retained' });
    expectExact(outcome);
    expect(outcome.told).toEqual({ ...told, reconnected: 150 });
    expect(outcome.used).toBe(150);
  });

  it('lets nobody in by a lowered limit while as many are counted, and goes on when it is set back', async () => {
    const outcome = await limitChanges({ seed: 7, sessions: 400, perSecond: 20, limit: 400 });
    expectExact(outcome);
    expect(outcome.told.quota).toBeGreaterThan(20);
    expect(outcome.told.admitted).toBeGreaterThan(240);
    expect(outcome.told.admitted + outcome.told.quota).toBe(400);
  });

  it.each([0, 2])(
    'refuses nobody of a crowd that meets one username with room for all of it, by %i doors',
    async (doors) => {
      const crowd = { seed: 1, sessions: 1_000, perSecond: 3_000, limit: 1_000, doors };
      const outcome = await fleetReturns({ ...crowd, as: 'new' });
      expectExact(outcome);
      // To the last place, within the time that each of them has.
      expect(outcome.told).toEqual({ ...told, admitted: 1_000 });
      expect(outcome.inTime).toBe(1_000);
    },
  );

  it.each([0, 2])(
    'tells a crowd far above the limit that the quota is used up, and nothing else, by %i doors',
    async (doors) => {
      const crowd = { seed: 1, sessions: 3_000, perSecond: 3_000, limit: 200, doors };
      const outcome = await fleetReturns({ ...crowd, as: 'new' });
      expectExact(outcome);
      expect(outcome.told).toEqual({ ...told, admitted: 200, quota: 2_800 });
    },
  );

  it('counts nobody any more when all have left', async () => {
    const outcome = await fleetLeaves({ seed: 8, sessions: 120 });
    expectExact(outcome);
    expect(outcome.used).toBe(0);
    expect(outcome.freedAfterMs).toBeLessThan(20_000);
  });

  it('tells nobody that a quota is used up where only the database has no room, and ends exact all the same', async () => {
    const parameters = { partitionWriteUnits: 30, partitionReadUnits: 90 };
    const outcome = await burst({ seed: 9, sessions: 120, limit: 1_000, parameters });
    expect(outcome.throttled).toBeGreaterThan(0);
    expect(outcome.told.unavailable).toBeGreaterThan(0);
    expect(outcome.told.quota).toBe(0);
    expectExact(outcome);
  });
});

describe('what makes a run inexact is found', () => {
  it('a limit that is taken for a higher one', async () => {
    const outcome = await burst({ seed: 1, sessions: 10, limit: 1, misread: (limit) => limit + 2, perSecond: 5 });
    expect(outcome.overAdmitted).toBe(2);
  });

  it('a limit that is taken for a lower one', async () => {
    const outcome = await burst({ seed: 1, sessions: 10, limit: 10, misread: (limit) => limit - 2, perSecond: 5 });
    expect(outcome.falselyRejected).toBe(2);
  });
});
