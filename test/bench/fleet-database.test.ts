import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chance } from '../../bench/fleet/chance.ts';
import { type Answer, SimulatedDynamo } from '../../bench/fleet/dynamo.ts';
import { defaults, type Parameters as Model } from '../../bench/fleet/parameters.ts';
import { createSimulatedClient } from '../../bench/fleet/sdk-client.ts';
import { TokenBucket } from '../../bench/fleet/token-bucket.ts';
import { VirtualTime } from '../../bench/fleet/virtual-time.ts';
import {
  BatchGetCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '../../shared/adapters/dynamodb/common/commands.ts';
import type { Command } from '../support/memory-engine/requests.ts';

const TableName = 't';
const times = <T>(count: number, make: (each: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));

function createDatabase(changed: Partial<Model> = {}) {
  const time = new VirtualTime();
  const dynamo = new SimulatedDynamo(time, new Chance(1), { ...defaults, ...changed });
  const send = (command: Command): Promise<Answer> =>
    new Promise((resolve) =>
      dynamo.request(command, (answer) => {
        time.wake();
        resolve(answer);
      }),
    );
  const all = (commands: readonly Command[]): Promise<readonly Answer[]> =>
    time.run(() => Promise.all(commands.map(send)));
  const nameOf = (answer: Answer): string => (answer.ok ? 'done' : answer.error.name);
  const count = (answers: readonly Answer[], name: string): number =>
    answers.filter((answer) => nameOf(answer) === name).length;
  return { time, dynamo, all, nameOf, count };
}

const throttle = 'ProvisionedThroughputExceededException';
const add = (pk: string, sk = 's') =>
  new UpdateCommand({
    TableName,
    Key: { pk, sk },
    UpdateExpression: 'ADD n :one',
    ExpressionAttributeValues: { ':one': 1 },
  });
const put = (item: Record<string, unknown>) => new PutCommand({ TableName, Item: item });
const both = (a: string, b: string) =>
  new TransactWriteCommand({
    TransactItems: [a, b].map((pk) => ({
      Update: {
        TableName,
        Key: { pk, sk: 's' },
        UpdateExpression: 'ADD n :one',
        ExpressionAttributeValues: { ':one': 1 },
      },
    })),
  });

describe('a partition of the simulated database', () => {
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
    expect(times(10_000, (each) => bucket.take(1, each)).filter(Boolean)).toHaveLength(10_000);
  });

  it('lets in its rate and its depth, and throttles the rest', async () => {
    const { all, count, dynamo } = createDatabase({ waySigma: 0 });
    const answers = await all(times(250, (n) => add('p', `s${n}`)));
    expect(count(answers, 'done')).toBe(100);
    expect(count(answers, throttle)).toBe(150);
    expect(dynamo.partitions.hottest(1)).toEqual([{ key: 'write p', units: 100, peak: 100, throttled: 150 }]);
  });

  it('is no other partition', async () => {
    const { all, count } = createDatabase();
    expect(count(await all(times(250, (n) => add(`p${n}`))), 'done')).toBe(250);
  });

  it('reads at its rate too, a consistent reading for twice as much and a large item for more', async () => {
    const { all, count } = createDatabase({ waySigma: 0, partitionReadUnits: 100 });
    await all([put({ pk: 'p', sk: 's', text: 'x'.repeat(5_000) })]);
    const get = (ConsistentRead: boolean) => new GetCommand({ TableName, Key: { pk: 'p', sk: 's' }, ConsistentRead });
    expect(count(await all(times(50, () => get(true))), 'done')).toBe(5);
    const fresh = createDatabase({ waySigma: 0, partitionReadUnits: 100 });
    expect(fresh.count(await fresh.all(times(50, () => get(false))), 'done')).toBe(20);
  });

  it('leaves keys of a batch unread where it has no room for them', async () => {
    const { all } = createDatabase({ waySigma: 0, partitionReadUnits: 10 });
    const Keys = times(4, (n) => ({ pk: 'p', sk: `s${n}` }));
    const [answer] = await all([new BatchGetCommand({ RequestItems: { [TableName]: { Keys } } })]);
    expect(answer).toMatchObject({ ok: true, value: { UnprocessedKeys: { [TableName]: { Keys: Keys.slice(2) } } } });
  });

  it('of an index throttles the table, and is charged for what comes and goes in it', async () => {
    const { all, count, dynamo } = createDatabase({ waySigma: 0 });
    const due = (n: number, at: number) => put({ pk: `p${n}`, sk: 's', duePk: 'hot', dueAt: at });
    const first = await all(times(150, (n) => due(n, 1)));
    expect(count(first, 'done')).toBe(150);
    // In debt: who comes now is turned away, who does not touch the index is not.
    const second = await all([due(0, 2), add('q')]);
    expect(count(second, throttle)).toBe(1);
    expect(dynamo.partitions.hottest(1)).toMatchObject([{ key: 'write due hot', units: 150, throttled: 1 }]);
  });
});

describe('an item of the simulated database', () => {
  /** Requests a second that got through, of 200 who all want one item all the time, with full jitter between tries. */
  async function throughputOfOneItem(
    request: (each: number) => Command,
    changed: Partial<Model> = {},
  ): Promise<number> {
    const { time, dynamo } = createDatabase({ partitionWriteUnits: 1_000_000, ...changed });
    const chance = new Chance(1);
    const seconds = 4;
    let done = 0;
    const actor = async (each: number): Promise<void> => {
      for (let failures = 0; time.now < seconds * 1_000; ) {
        const answer = await new Promise<Answer>((resolve) =>
          dynamo.request(request(each), (one) => {
            time.wake();
            resolve(one);
          }),
        );
        if (answer.ok) done++;
        failures = answer.ok ? 0 : failures + 1;
        await time.pause(chance.uniform() * Math.min(800, 25 * 2 ** failures));
      }
    };
    await time.run(() => Promise.all(times(200, actor)));
    return done / seconds;
  }

  it('commits about 100 transactions a second and takes up to 1,000 plain updates: what the model is set to', async () => {
    const transact = (each: number) => both('hot', `own ${each}`);
    const transactions = await throughputOfOneItem(transact);
    expect(transactions).toBeGreaterThan(80);
    expect(transactions).toBeLessThan(120);
    expect(await throughputOfOneItem(() => add('hot'))).toBeGreaterThan(900);
    expect(await throughputOfOneItem(transact, { holdMs: 16 })).toBeLessThan(80);
  });

  it('takes one write after another, each in its turn, and loses none', async () => {
    const { all, count, dynamo, time } = createDatabase({ partitionWriteUnits: 1_000_000 });
    expect(count(await all(times(300, () => add('p'))), 'done')).toBe(300);
    expect(dynamo.engine.table.find({ pk: 'p', sk: 's' })).toMatchObject({ n: 300 });
    expect(time.now).toBeGreaterThanOrEqual(300);
  });

  it('cancels transactions that meet on it, and what is cancelled has written nothing', async () => {
    const { all, nameOf, dynamo } = createDatabase();
    const answers = await all([both('hot', 'a'), both('hot', 'b')]);
    expect(answers.map(nameOf).sort()).toEqual(['TransactionCanceledException', 'done']);
    expect(dynamo.engine.table.find({ pk: 'hot', sk: 's' })).toMatchObject({ n: 1 });
    expect(dynamo.counts.conflicts).toBe(1);
    expect(answers.find((answer) => !answer.ok)).toMatchObject({
      error: { CancellationReasons: [{ Code: 'TransactionConflict' }, { Code: 'None' }] },
    });
  });

  it('refuses a plain write while a transaction holds it', async () => {
    const { all, count } = createDatabase();
    const answers = await all([both('hot', 'a'), ...times(20, () => add('hot'))]);
    expect(count(answers, 'TransactionConflictException')).toBeGreaterThan(0);
    expect(count(answers, 'done')).toBeGreaterThan(1);
  });

  it('costs a transaction twice, and what it has grown to', async () => {
    const { all, dynamo } = createDatabase();
    await all([both('a', 'b')]);
    expect(dynamo.counts.writeUnits).toBe(4);
    await all([put({ pk: 'large', sk: 's', text: 'x'.repeat(3_000) })]);
    expect(dynamo.counts.writeUnits).toBe(7);
  });

  it('does a transaction once, however often its token comes', async () => {
    const { all, dynamo } = createDatabase();
    const again = () => {
      const { input } = both('a', 'b');
      return new TransactWriteCommand({ ...input, ClientRequestToken: 'token' });
    };
    await all([again()]);
    await all([again()]);
    expect(dynamo.engine.table.find({ pk: 'a', sk: 's' })).toMatchObject({ n: 1 });
  });
});

describe('a process that asks the simulated database', () => {
  const policy = { maxAttempts: 2, requestTimeoutMs: 800, maxSockets: 64, throttledBaseMs: 1_000, failedBaseMs: 25 };

  function createProcess(changed: Partial<Model>, own: Partial<typeof policy> = {}) {
    const database = createDatabase({ waySigma: 0, ...changed });
    const client = createSimulatedClient(
      { time: database.time, chance: new Chance(2), dynamo: database.dynamo },
      { ...policy, ...own },
    );
    const outcome = (command: UpdateCommand): Promise<string> =>
      client.send(command).then(
        () => 'done',
        (error: Error) => error.name,
      );
    return { ...database, outcome };
  }

  it('tries again after a pause, as often as it is told', async () => {
    const { time, dynamo, outcome } = createProcess({ partitionWriteUnits: 10 });
    const answers = await time.run(() => Promise.all(times(3, () => outcome(add('p')))));
    expect(answers).toEqual(['done', 'done', 'done']);
    expect(dynamo.counts).toMatchObject({ requests: 5, throttled: 2 });
    expect(time.now).toBeGreaterThan(100);
    const { dynamo: slow, ...never } = createProcess({ partitionWriteUnits: 1, burstSeconds: 1 });
    expect(await never.time.run(() => Promise.all(times(3, () => never.outcome(add('p')))))).toContain(throttle);
    expect(slow.counts.requests).toBe(5);
  });

  it('gives up a try that takes too long, though it takes effect', async () => {
    const { time, dynamo, outcome } = createProcess({ itemWriteMs: 900 }, { maxAttempts: 1 });
    expect(await time.run(() => outcome(add('p')))).toBe('TimeoutError');
    expect(time.now).toBe(800);
    await time.run(() => time.pause(1_000));
    expect(dynamo.engine.table.find({ pk: 'p', sk: 's' })).toMatchObject({ n: 1 });
  });

  it('sends no more at once than it has sockets', async () => {
    const { time, outcome } = createProcess({ itemWriteMs: 0 }, { maxSockets: 2 });
    await time.run(() => Promise.all(times(20, (n) => outcome(add(`p${n}`)))));
    expect(time.now).toBeCloseTo(10 * 2 * defaults.wayMs, 6);
  });

  it('has only so much for repetitions', async () => {
    const { time, dynamo, outcome } = createProcess({ partitionWriteUnits: 1, burstSeconds: 1 }, { maxSockets: 500 });
    await time.run(() => Promise.all(times(401, () => outcome(add('p')))));
    // 500 to begin with, 5 for each repetition.
    expect(dynamo.counts.requests).toBe(401 + 100);
  });

  it('sees what it wrote', async () => {
    const { time, dynamo } = createProcess({});
    const client = createSimulatedClient({ time, chance: new Chance(2), dynamo }, policy);
    const query = new QueryCommand({
      TableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': 'p' },
      ConsistentRead: true,
    });
    const answer = time.run(() => client.send(add('p')).then(() => client.send(query)));
    expect((await answer).Items).toEqual([{ pk: 'p', sk: 's', n: 1 }]);
  });
});
