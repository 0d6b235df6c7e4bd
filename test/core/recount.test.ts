// A recount beside live traffic, interrupted at every request of both: it never takes out a live place, counts nothing
// that has ended, and leaves no place without a session.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type DocumentClient, UpdateCommand } from '../../shared/adapters/dynamodb/common/commands.ts';
import { perUsernameKey } from '../../shared/adapters/dynamodb/common/keys.ts';
import { recount } from '../../shared/app/counter/recount.ts';
import type { AttemptId, ClientId, DeploymentId, Place, Username } from '../../shared/domain/ids.ts';
import { startSession } from '../../shared/domain/session/attempt.ts';
import { confirmSession, freeSession } from '../../shared/domain/session/outcome.ts';
import { isLive } from '../../shared/domain/session/record.ts';
import { addSeconds, seconds } from '../../shared/domain/time.ts';
import { createTestTable, startTestEngine, type TestEngine, type TestTable } from '../support/engine.ts';
import { createMemoryClient } from '../support/memory-client.ts';
import { type Core, createCore } from './rig.ts';
import { interruptEverywhere, Steps, stepTimes } from './steps.ts';

const demo = 'demo' as DeploymentId;
const max = 3;
let engine: TestEngine;
let onEngine: TestTable;
let core: Core;
let client: DocumentClient;
let tableName: string;

function work(on: TestTable): void {
  ({ client, tableName } = on);
  core = createCore(client, tableName);
  core.max = max;
}

/** For hundreds of ways to be interrupted. */
const inMemory = () => work({ client: createMemoryClient(), tableName: 'table' });

beforeAll(async () => {
  engine = await startTestEngine();
  onEngine = await createTestTable(engine.endpoint);
});
afterAll(() => engine.stop());
beforeEach(() => work(onEngine));

const recountOf = (username: string) => (by: Core) => recount(by.ports, demo, username as Username);

/** What is counted is what lives, no more and no less, and never beyond the limit. */
async function checkAgreement(username: string, way: string): Promise<void> {
  const roster = await core.store.readRoster(demo, username as Username);
  const { items } = await core.store.listSessions(demo, username as Username, { limit: 100 });
  const alive = items.filter(({ value }) => isLive(value, core.now()));
  const live = alive.map(({ value }) => value.place);
  const tally = await core.store.readTally(demo, username as Username);
  expect(
    live.filter((place) => !tally.claim(place)),
    way,
  ).toEqual([]);
  expect(tally.unclaimed(), way).toEqual([]);
  expect(roster.used, way).toBe(live.length);
  expect(roster.used, way).toBeLessThanOrEqual(max);
}

const orphan = (name: string) => Buffer.from(`${name}        `.slice(0, 8)).toString('base64url') as Place;

interface Traffic {
  readonly name: string;
  /** What stands there before; answers what the traffic needs to know. */
  readonly before: (username: string) => Promise<AttemptId | undefined>;
  readonly traffic: (by: Core, username: string, attempt: AttemptId | undefined) => Promise<unknown>;
}

const nothingMore = async (): Promise<undefined> => undefined;
const traffics: readonly Traffic[] = [
  {
    name: 'an admission with room',
    before: nothingMore,
    traffic: (by, username) => by.connect(username, `${username}-new`),
  },
  {
    name: 'an admission into the last place, and its confirmation',
    before: async (username) => void (await core.join(username, `${username}-two`)),
    traffic: (by, username) => by.join(username, `${username}-new`),
  },
  {
    name: 'a rejection at the limit',
    before: async (username) => {
      for (const n of ['two', 'three']) await core.join(username, `${username}-${n}`);
      return undefined;
    },
    traffic: (by, username) => by.connect(username, `${username}-new`),
  },
  {
    name: 'the end of a session',
    before: (username) => core.join(username, `${username}-two`),
    traffic: async (by, username, attempt) =>
      attempt && by.report('door.disconnected', username, `${username}-two`, attempt),
  },
  {
    name: 'the end of the only session and the next life of its client id',
    before: nothingMore,
    traffic: async (by, username) => {
      const session = await by.session(username, `${username}-one`);
      if (session === undefined) throw new Error('it was there before');
      await by.report('door.disconnected', username, `${username}-one`, session.attempts[0].id);
      await by.join(username, `${username}-one`);
    },
  },
  {
    name: 'a disconnect that retains and a reconnect',
    before: (username) => core.join(username, `${username}-two`, 60),
    traffic: async (by, username, attempt) => {
      if (attempt !== undefined) await by.report('door.disconnected', username, `${username}-two`, attempt, 60);
      await by.join(username, `${username}-two`, 60);
    },
  },
  { name: 'another recount', before: nothingMore, traffic: (by, username) => recountOf(username)(by) },
];

const [oneOnEngine] = traffics;
test.each([
  ...traffics.map((one) => ({ ...one, where: 'in memory' })),
  ...(oneOnEngine === undefined ? [] : [{ ...oneOnEngine, where: 'on the engine' }]),
])('I2: beside $name, $where', async ({ name, before, traffic, where: place }) => {
  if (place === 'in memory') inMemory();
  const steps = new Steps(client, tableName);
  const ways = await interruptEverywhere(async (way) => {
    const username = `${name.replaceAll(/\W/g, '').slice(0, 40)}-${way}`;
    await core.join(username, `${username}-one`);
    const attempt = await before(username);
    return {
      steps,
      first: (by) => {
        by.max = max;
        return recountOf(username)(by);
      },
      second: (by) => {
        by.max = max;
        return traffic(by, username, attempt);
      },
      check: (where) => checkAgreement(username, where),
    };
  });
  expect(ways).toBeGreaterThan(8);
});

test('I2: repairing what has drifted, beside an admission, and dying anywhere in the repair', async () => {
  inMemory();
  core.max = undefined;
  const steps = new Steps(client, tableName);
  const drift = async (username: string): Promise<void> => {
    await core.join(username, `${username}-one`);
    await core.join(username, `${username}-two`);
    const lost = await core.session(username, `${username}-two`);
    if (lost === undefined) throw new Error('it was admitted');
    await core.store.removePlace(demo, username as Username, lost.place, false);
    await core.store.addPlace(demo, username as Username, orphan('o'), Number.POSITIVE_INFINITY, lost.dueAt);
  };
  await interruptEverywhere(async (way) => {
    const username = `drifted-${way}`;
    await drift(username);
    return {
      steps,
      first: recountOf(username),
      second: (by) => by.connect(username, `${username}-new`),
      check: (where) => checkAgreement(username, where),
    };
  });
  for (let i = 0, alive = true; alive; i++) {
    const username = `dies-${i}`;
    await drift(username);
    const dying = await steps.begin(recountOf(username));
    alive = await stepTimes(dying, i);
    dying.die();
    await recount(core.ports, demo, username as Username);
    await checkAgreement(username, `died after ${i} requests`);
  }
});

test('what drifted is told apart: places without a record, places of tombstones, sessions without a place', async () => {
  await core.join('told', 'told-one');
  const [one, policy] = [await core.session('told', 'told-one'), core.ports.policy];
  if (one === undefined) throw new Error('it was admitted');
  const add = (place: Place) =>
    core.store.addPlace(demo, 'told' as Username, place, Number.POSITIVE_INFINITY, one.dueAt);
  const put = async (clientId: string, place: Place, freed: boolean): Promise<void> => {
    const names = { deploymentId: demo, username: 'told' as Username, clientId: clientId as ClientId };
    const admission = {
      attempt: one.attempts[0].id,
      witness: 'door' as const,
      at: core.now(),
      expirySeconds: seconds(0),
    };
    const born = startSession(names, place, admission, policy, undefined, false);
    const confirmed = confirmSession(born, { at: core.now(), expirySeconds: seconds(0) }, policy);
    await core.store.putSession(freed ? freeSession(confirmed) : confirmed, undefined);
  };
  await add(orphan('a'));
  await put('told-dead', orphan('b'), true);
  await add(orphan('b'));
  await put('told-lost', orphan('c'), false);
  const counted = await recount(core.ports, demo, 'told' as Username);
  expect(counted).toMatchObject({ removed: 1, finished: 1, added: 1, sessions: 2 });
  expect(await recount(core.ports, demo, 'told' as Username)).toMatchObject({ removed: 0, finished: 0, added: 0 });
});

test('S11: a session that has expired is not counted again, and a roster that sleeps past an end is woken in time', async () => {
  const attempt = await core.join('asleep', 'asleep-one', 60);
  await core.report('door.disconnected', 'asleep', 'asleep-one', attempt, 60);
  const one = await core.session('asleep', 'asleep-one');
  const roster = await core.store.readRoster(demo, 'asleep' as Username);
  if (one === undefined || roster.wakeAt === undefined) throw new Error('it is retained');
  await core.store.moveWake(demo, 'asleep' as Username, roster.wakeAt, addSeconds(one.dueAt, seconds(5_000)));
  await recount(core.ports, demo, 'asleep' as Username);
  expect((await core.store.readRoster(demo, 'asleep' as Username)).wakeAt).toBe(one.dueAt);
  await core.store.removePlace(demo, 'asleep' as Username, one.place, false);
  core.advance(61);
  expect(await recount(core.ports, demo, 'asleep' as Username)).toMatchObject({ added: 0 });
  expect(await core.used('asleep')).toBe(0);
});

test('a roster of thousands: what is admitted during the long listing stays, what is no session goes', async () => {
  core.max = undefined;
  await core.join('large', 'zzz-before');
  const lost = Array.from({ length: 3_000 }, (_, n) => Buffer.from(String(n).padStart(8, '0')));
  await client.send(
    new UpdateCommand({
      TableName: tableName,
      Key: perUsernameKey('N', demo, 'large' as Username),
      UpdateExpression: 'ADD used :many, places :places',
      ExpressionAttributeValues: { ':many': lost.length, ':places': new Set(lost) },
    }),
  );
  const worker = await new Steps(client, tableName).begin(recountOf('large'));
  await worker.step();
  await core.join('large', 'aaa-during');
  await core.join('large', 'zzz-during');
  await worker.finish();
  core.max = max;
  await checkAgreement('large', 'listed while two came');
  expect(await core.used('large')).toBe(3);
});
