// The time to live collects garbage. It may remove sessions that still hold places: the sweeper and the reconciler each
// free these places without the other. The local run's janitor does what DynamoDB does on AWS.

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { seedRetained } from '../../bench/fill/retained.ts';
import { startTtlJanitor } from '../../local/ttl.ts';
import { DeleteCommand, type DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import { sessionKey } from '../../shared/adapters/dynamodb/common/keys.ts';
import { createTableWalk } from '../../shared/adapters/dynamodb/repair/table-walk.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { reconcile } from '../../shared/app/repair/reconcile.ts';
import type { DeploymentId, Username } from '../../shared/domain/ids.ts';
import { addSeconds, seconds } from '../../shared/domain/time.ts';
import { createMemoryClient } from '../support/memory-client.ts';
import { quietLog } from '../support/quiet-log.ts';
import { tableForEachTest } from '../support/tables.ts';
import { type Core, createCore } from './rig.ts';

const demo = 'demo' as DeploymentId;
let core: Core;
let client: DocumentClient;
let plain: DynamoDBClient;
let tableName: string;
tableForEachTest((table) => {
  ({ client, plain, tableName } = table);
  core = createCore(client, tableName);
  core.max = undefined;
});

const runJanitor = (): Promise<number> =>
  startTtlJanitor({
    client: plain,
    tableName,
    clock: core.ports.clock,
    log: quietLog,
    everyMinutes: 10,
    schedule: () => () => undefined,
  }).runOnce();

const days = (count: number) => count * 86_400;
const seed = (username: string, count: number) =>
  seedRetained(client, tableName, {
    deploymentId: demo,
    username,
    count,
    expiresAt: addSeconds(core.now(), seconds(60)),
  });

const repairs = {
  'the sweeper': async () => {
    const { drift } = await core.sweep();
    return drift;
  },
  'the reconciler': async () => {
    const ports = { ...core.ports, walk: createTableWalk(client, tableName, cryptoRandom) };
    const bounds = { pages: 100, pageItems: 50, questions: 1_000, passSeconds: 0 };
    const { driftRemoved } = await reconcile(ports, () => false, bounds);
    return driftRemoved;
  },
};

test.each(Object.entries(repairs))(
  'the places of sessions that the time to live removed before a sweep are freed by %s alone, and told as drift',
  async (_, repair) => {
    await seed('alice', 30);
    await seed('bob', 3);
    core.advance(days(3));
    await core.join('alice', 'alive', 3_600);
    core.broker.set('alive', { kind: 'connected' });
    expect(await runJanitor()).toBe(33);
    expect([await core.used('alice'), await core.used('bob')]).toEqual([31, 3]);
    expect(await repair()).toBe(33);
    expect([await core.used('alice'), await core.used('bob')]).toEqual([1, 0]);
    expect(await core.session('alice', 'alive')).toMatchObject({ phase: { kind: 'connected' } });
    expect(await repair()).toBe(0);
  },
);

test('of a username with more than 128 places they are freed by the sweeper at one of its next wakes', async () => {
  client = createMemoryClient();
  core = createCore(client, tableName);
  await seed('large', 300);
  core.advance(days(3));
  const { items } = await core.store.listSessions(demo, 'large' as Username, { limit: 1_000 });
  for (const { value } of items)
    await client.send(
      new DeleteCommand({ TableName: tableName, Key: sessionKey(demo, value.username, value.clientId) }),
    );
  let wakes = 0;
  for (let drift = 0; drift === 0; core.advance(300)) {
    ({ drift } = await core.sweep());
    expect(++wakes).toBeLessThan(10);
    if (drift > 0) expect(drift).toBe(300);
  }
  expect(await core.used('large')).toBe(0);
});

test('a tombstone that the time to live removes takes nothing off the count', async () => {
  const attempt = await core.join('alice', 'gone');
  await core.join('alice', 'stays');
  await core.report('door.disconnected', 'alice', 'gone', attempt);
  core.advance(3 * 3_600);
  expect(await runJanitor()).toBe(1);
  expect(await core.used('alice')).toBe(1);
});
