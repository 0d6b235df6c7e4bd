import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { throughputOfOneItem } from '../../bench/contention/calibrate.ts';
import { Chance } from '../../bench/contention/chance.ts';
import { type Answer, Database, type Write } from '../../bench/contention/database.ts';
import { type Load, runLoad } from '../../bench/contention/load.ts';
import { defaults } from '../../bench/contention/parameters.ts';
import { all, type Process, Simulation } from '../../bench/contention/simulation.ts';
import { TokenBucket } from '../../bench/contention/token-bucket.ts';

const plenty = { ...defaults, partitionWriteUnits: 1_000_000 };

/** Runs requests that start at the same moment on one database. */
function atOnce(
  requests: (database: Database) => readonly Process<Answer>[],
  parameters = plenty,
): { readonly answers: readonly Answer[]; readonly database: Database } {
  const simulation = new Simulation();
  const database = new Database(simulation, new Chance(1), parameters);
  const answers: Answer[] = [];
  function* act(request: Process<Answer>): Process<void> {
    answers.push(yield* request);
  }
  for (const request of requests(database)) simulation.spawn(act(request));
  simulation.run();
  return { answers, database };
}

const hot: Write = { partition: 'hot', item: 'hot', apply: (item) => item.used++ };
const own = (each: number): Write => ({ partition: 'own', item: `own ${each}` });
const times = <T>(count: number, make: (each: number) => T): T[] =>
  Array.from({ length: count }, (_, each) => make(each));

describe('a partition', () => {
  it('never grants more than its rate and its depth, over any stretch of any demand', () => {
    const demand = fc.array(
      fc.record({ waitMs: fc.double({ min: 0, max: 50, noNaN: true }), units: fc.integer({ min: 1, max: 10 }) }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(demand, (steps) => {
        const bucket = new TokenBucket(1_000, 20);
        const grants: { readonly at: number; readonly units: number }[] = [];
        let now = 0;
        for (const { waitMs, units } of steps) {
          now += waitMs;
          if (bucket.take(units, now)) grants.push({ at: now, units });
        }
        for (const [from, first] of grants.entries()) {
          let granted = 0;
          for (const grant of grants.slice(from)) {
            granted += grant.units;
            expect(granted).toBeLessThanOrEqual((grant.at - first.at) * 1 + 20 + 1e-6);
          }
        }
      }),
    );
  });

  it('grants its whole rate to those who keep asking', () => {
    const bucket = new TokenBucket(1_000, 20);
    const granted = times(10_000, (each) => bucket.take(1, each)).filter(Boolean).length;
    expect(granted).toBe(10_000);
  });

  it('throttles the table where an index is hot', () => {
    const slow = { ...plenty, partitionWriteUnits: 100, burstSeconds: 0.1 };
    const spread = (indexes: readonly string[]) => (database: Database) =>
      times(50, (each) => database.write({ partition: `own ${each}`, item: `own ${each}`, indexes }));
    expect(atOnce(spread([]), slow).answers.filter((answer) => answer === 'throttled')).toHaveLength(0);
    expect(atOnce(spread(['hot']), slow).answers.filter((answer) => answer === 'throttled')).toHaveLength(40);
  });

  it('charges an item that has grown by its size', () => {
    const grow: Write = {
      ...hot,
      apply: (item) => {
        item.bytes += 1_024;
      },
    };
    const { database } = atOnce((each) => times(3, () => each.write(grow)));
    expect(database.writeUnits).toBe(2 + 3 + 4);
  });
});

describe('one item', () => {
  it('takes plain updates one after another, without a conflict', () => {
    const { answers, database } = atOnce((each) => times(500, () => each.write(hot)));
    expect(new Set(answers)).toEqual(new Set(['done']));
    expect(database.item('hot').used).toBe(500);
    expect(database.item('hot').freeAt).toBeGreaterThanOrEqual(500 * defaults.itemWriteMs);
  });

  it('refuses the second of two transactions that overlap, and applies nothing of it', () => {
    const { answers, database } = atOnce((each) => [each.transact([hot, own(1)]), each.transact([hot, own(2)])]);
    expect([...answers].sort()).toEqual(['conflict', 'done']);
    expect(database.item('hot').used).toBe(1);
    expect(database.item('hot').heldBy).toBeUndefined();
  });

  it('lets transactions that share no item pass each other', () => {
    const { answers } = atOnce((each) => [each.transact([own(1), own(2)]), each.transact([own(3), own(4)])]);
    expect(answers).toEqual(['done', 'done']);
  });

  it('refuses a plain write that meets a transaction', () => {
    const { answers } = atOnce((each) => [each.transact([hot, own(1)]), ...times(20, () => each.write(hot))]);
    expect(answers).toContain('conflict');
    expect(answers).toContain('done');
  });

  it('charges a transaction twice, also when it is cancelled', () => {
    const refused: Write = { ...own(1), allows: () => false };
    const { answers, database } = atOnce((each) => [each.transact([hot, refused])]);
    expect(answers).toEqual(['refused']);
    expect(database.writeUnits).toBe(4);
    expect(database.item('hot').used).toBe(0);
  });

  it('commits about 100 transactions a second and takes up to 1,000 plain updates: what the model is set to', () => {
    const transactions = throughputOfOneItem('transactions', 1);
    expect(transactions).toBeGreaterThan(80);
    expect(transactions).toBeLessThan(120);
    expect(throughputOfOneItem('plain updates', 1)).toBeGreaterThan(900);
    expect(throughputOfOneItem('transactions', 1, { holdMs: 16 })).toBeLessThan(80);
  });
});

describe('simulated time', () => {
  it('runs processes side by side and takes as long as the longest', () => {
    const simulation = new Simulation();
    const order: string[] = [];
    function* wait(name: string, ...pauses: number[]): Process<string> {
      for (const pause of pauses) {
        yield pause;
        order.push(`${name} ${simulation.now}`);
      }
      return name;
    }
    let joined: string[] = [];
    function* main(): Process<void> {
      joined = yield* all([wait('a', 5, 5), wait('b', 7), wait('c')]);
    }
    simulation.spawn(main());
    simulation.run();
    expect(order).toEqual(['a 5', 'b 7', 'a 10']);
    expect(joined).toEqual(['a', 'b', 'c']);
    expect(simulation.now).toBe(10);
  });

  it('wakes processes in order of time, those of one moment in order of planning', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }), (delays) => {
        const simulation = new Simulation();
        const woken: (readonly [number, number])[] = [];
        for (const [each, delay] of delays.entries()) {
          simulation.spawn(
            (function* (): Process<void> {
              woken.push([delay, each]);
              yield 0;
            })(),
            delay,
          );
        }
        simulation.run();
        expect(woken).toEqual([...woken].sort(([a, x], [b, y]) => a - b || x - y));
        expect(woken).toHaveLength(delays.length);
      }),
    );
  });

  it('never runs backwards', () => {
    const simulation = new Simulation();
    simulation.spawn(
      (function* (): Process<void> {
        yield -1;
      })(),
    );
    expect(() => simulation.run()).toThrow('cannot wait');
  });
});

describe('a load', () => {
  const burst: Load = { candidate: 'roster', does: 'new', sessions: 300, usernames: 1, limit: 1_000 };

  it('is the same again under its seed, and another under another', () => {
    expect(runLoad(burst, 1)).toEqual(runLoad(burst, 1));
    expect(runLoad(burst, 2).p99).not.toBe(runLoad(burst, 1).p99);
  });

  it('changes with what the model believes', () => {
    expect(runLoad(burst, 1, { itemWriteMs: 5 }).p50).toBeGreaterThan(2 * runLoad(burst, 1).p50);
    expect(runLoad({ ...burst, candidate: 'transaction' }, 1, { holdMs: 1 }).conflicts).toBeLessThan(
      runLoad({ ...burst, candidate: 'transaction' }, 1).conflicts,
    );
    expect(runLoad(burst, 1, { partitionWriteUnits: 100 }).verdicts.unavailable).toBeGreaterThan(0);
  });

  it.each(['transaction', 'claim', 'roster'] as const)(
    '%s admits exactly the limit of a username, and says full to the rest',
    (candidate) => {
      for (const limit of [1, 100]) {
        const { verdicts, used } = runLoad({ ...burst, candidate, limit }, 1);
        expect(verdicts).toEqual({ admitted: limit, full: 300 - limit, unavailable: 0 });
        expect(used).toBe(limit);
      }
    },
  );

  it('fills every shard before it says full, though clients are spread unevenly', () => {
    const spread = { ...burst, limit: 250, layout: { shards: 16, sessionPartitions: 16 } };
    expect(runLoad({ ...spread, sessions: 250 }, 1).verdicts).toEqual({ admitted: 250, full: 0, unavailable: 0 });
    expect(runLoad(spread, 1).verdicts).toEqual({ admitted: 250, full: 50, unavailable: 0 });
  });

  it('keeps the roster of a fleet small where places are folded', () => {
    const fleet: Load = { ...burst, sessions: 3_000, perSecond: 200, limit: 10_000 };
    expect(runLoad({ ...fleet, layout: { fold: 10 } }, 1).verdicts.admitted).toBe(3_000);
    expect(runLoad(fleet, 1).verdicts.admitted).toBeLessThan(2_000);
  });

  it('frees everything that ends together', () => {
    for (const candidate of ['transaction', 'claim', 'roster'] as const) {
      const { verdicts, used } = runLoad({ ...burst, candidate, does: 'free' }, 1);
      expect(verdicts.admitted).toBe(300);
      expect(used).toBe(0);
    }
  });
});
