// What DynamoDB's time to live has removed leads to recounts, never to a decrement: on the real engine, with the local
// run's janitor in the place of DynamoDB.

import { type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { expect, test } from 'vitest';
import { seedRetained } from '../../bench/sweep/fleet.ts';
import { applyExpiry, type ExpiryPorts } from '../../functions/expiry/apply.ts';
import { startTtlJanitor, type TtlJanitor } from '../../local/ttl.ts';
import type { DeploymentId } from '../../shared/domain/ids.ts';
import { addSeconds, seconds } from '../../shared/domain/time.ts';
import { StoreUnavailable } from '../../shared/ports/common/errors.ts';
import { quietLog } from '../support/quiet-log.ts';
import { tableForEachTest } from '../support/tables.ts';
import { type Core, createCore } from './rig.ts';

const demo = 'demo' as DeploymentId;
let core: Core;
let client: DynamoDBDocumentClient;
let tableName: string;
/** Every event that the janitor handed over. */
let events: DynamoDBStreamEvent[];
let recounted: string[];
let ports: ExpiryPorts;
let janitor: TtlJanitor;
tableForEachTest((table) => {
  ({ client, tableName } = table);
  core = createCore(client, tableName);
  core.max = undefined;
  events = [];
  recounted = [];
  const store: typeof core.store = {
    ...core.store,
    listSessions: (id, username, page) => {
      recounted.push(username);
      return core.store.listSessions(id, username, page);
    },
  };
  ports = { store, clock: core.ports.clock, log: quietLog };
  janitor = janitorWith((event) => applyExpiry(ports, event));
});

function janitorWith(apply: (event: DynamoDBStreamEvent) => ReturnType<typeof applyExpiry>): TtlJanitor {
  return startTtlJanitor({
    client,
    tableName,
    clock: core.ports.clock,
    log: quietLog,
    everyMinutes: 10,
    schedule: () => () => undefined,
    onRemoved: (event) => {
      events.push(event);
      return apply(event);
    },
  });
}

const days = (count: number) => count * 86_400;
const seed = (username: string, count: number) =>
  seedRetained(client, tableName, {
    deploymentId: demo,
    username,
    count,
    expiresAt: addSeconds(core.now(), seconds(60)),
  });

test('sessions that no sweeper ever saw are removed by the time to live, and their places with them', async () => {
  await seed('alice', 130);
  await core.join('bob', 'b');
  core.advance(days(3));
  await core.join('alice', 'alive');
  expect(await janitor.runOnce()).toBe(131);
  expect(await core.used('alice')).toBe(1);
  expect(await core.used('bob')).toBe(0);
  expect(events.map((event) => event.Records.length)).toEqual([100, 31]);
});

test('a batch recounts each username once, and a second delivery changes nothing', async () => {
  await seed('alice', 40);
  await core.join('carol', 'c');
  core.advance(days(1) - 100);
  await core.join('carol', 'd');
  core.advance(200);
  expect(await janitor.runOnce()).toBe(40);
  expect(recounted).toEqual(['alice']);
  await core.join('alice', 'new');
  const [event] = events;
  if (event === undefined) throw new Error('it was told');
  for (let n = 0; n < 2; n++) expect(await applyExpiry(ports, event)).toEqual({ batchItemFailures: [] });
  expect(await core.used('alice')).toBe(1);
  expect(await core.used('carol')).toBe(2);
});

test('an owner or a tombstone that the time to live removes takes nothing off the count', async () => {
  const attempt = await core.join('alice', 'gone');
  await core.join('alice', 'stays');
  await core.report('door.disconnected', 'alice', 'gone', attempt);
  core.advance(3 * 3_600);
  expect(await janitor.runOnce()).toBe(1);
  expect(recounted).toEqual(['alice']);
  expect(await core.used('alice')).toBe(1);
});

test('what fails is named, the rest of the batch is done, and the failed comes again', async () => {
  await seed('alice', 3);
  await seed('bob', 2);
  core.advance(days(3));
  let down = true;
  const broken: ExpiryPorts = {
    ...ports,
    store: {
      ...core.store,
      readRoster: (id, username) =>
        down && username === 'bob'
          ? Promise.reject(new StoreUnavailable('throttled'))
          : core.store.readRoster(id, username),
    },
  };
  const failing = janitorWith((event) => applyExpiry(broken, event));
  await failing.runOnce();
  const [event] = events;
  const ofBob = event?.Records.filter((record) => record.dynamodb?.Keys?.pk?.S?.endsWith('|bob')) ?? [];
  expect((await applyExpiry(broken, event ?? { Records: [] })).batchItemFailures).toEqual(
    ofBob.map((record) => ({ itemIdentifier: record.dynamodb?.SequenceNumber })),
  );
  expect([await core.used('alice'), await core.used('bob')]).toEqual([0, 2]);
  down = false;
  await failing.runOnce();
  expect(await core.used('bob')).toBe(0);
});

test('a janitor without its reader keeps what it has to tell', async () => {
  await seed('alice', 2);
  core.advance(days(3));
  let calls = 0;
  const once = janitorWith((event) => (++calls === 1 ? Promise.reject(new Error('down')) : applyExpiry(ports, event)));
  await once.runOnce();
  expect(await core.used('alice')).toBe(2);
  await once.runOnce();
  expect(await core.used('alice')).toBe(0);
});

const record = (more: Partial<DynamoDBRecord>, pk = 'S|demo|0|alice'): DynamoDBRecord => ({
  eventName: 'REMOVE',
  userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' },
  dynamodb: { Keys: { pk: { S: pk }, sk: { S: 'a' } }, SequenceNumber: '1' },
  ...more,
});

test.each([
  ['a change', record({ eventName: 'MODIFY' })],
  ['a new item', record({ eventName: 'INSERT' })],
  ['a removal by somebody', record({ userIdentity: { type: 'Service', principalId: 'somebody' } })],
  ['a removal by nobody in particular', { ...record({}), userIdentity: undefined }],
  ['an owner', record({}, 'C|demo|a')],
  ['a password', record({}, 'P|demo|3')],
  ['a key that is no session', record({}, 'S|')],
  ['a deployment that cannot be', record({}, 'S|Not A Deployment|0|alice')],
  ['no keys', record({ dynamodb: { SequenceNumber: '1' } })],
])('%s on the stream means nothing', async (_, given) => {
  await client.send(new PutCommand({ TableName: tableName, Item: { pk: 'x', sk: 'x' } }));
  expect(await applyExpiry(ports, { Records: [given as DynamoDBRecord] })).toEqual({ batchItemFailures: [] });
  expect(recounted).toEqual([]);
});
