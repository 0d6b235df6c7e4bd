// The sweeper at size, mostly on the real engine: it keeps up, tells when it does not, and nothing starves anything.

import { expect, test } from 'vitest';
import { seedRetained } from '../../bench/fill/retained.ts';
import type { DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import type { LifeCyclePorts } from '../../shared/app/presence/step.ts';
import { sweep } from '../../shared/app/repair/sweep.ts';
import { askingForRanks } from '../../shared/app/usage/ask-ranks.ts';
import type { DeploymentId, Username } from '../../shared/domain/ids.ts';
import { owesPlace } from '../../shared/domain/session/record.ts';
import { addSeconds, seconds } from '../../shared/domain/time.ts';
import { StoreUnavailable } from '../../shared/ports/common/errors.ts';
import type { SessionStore } from '../../shared/ports/common/session-store.ts';
import { createMemoryClient } from '../support/memory-client.ts';
import { tableForEachTest } from '../support/tables.ts';
import { type Core, createCore } from './rig.ts';

const demo = 'demo' as DeploymentId;
let core: Core;
let client: DocumentClient;
let tableName: string;
tableForEachTest((table) => {
  ({ client, tableName } = table);
  core = createCore(client, tableName);
  core.max = undefined;
});

const seed = (username: string, count: number, partition?: number, lateBy = 0) =>
  seedRetained(client, tableName, {
    deploymentId: demo,
    username,
    count,
    expiresAt: addSeconds(core.now(), seconds(60 + lateBy)),
    ...(partition === undefined ? {} : { partition }),
  });

const portsWith = (store: Partial<SessionStore>): LifeCyclePorts => ({
  ...core.ports,
  store: { ...core.store, ...store },
});

/** The whole size in memory. */
test.each([
  { expiries: 10_000, large: 4_000, others: 200, inMemory: true, where: 'in memory' },
  { expiries: 1_000, large: 400, others: 20, inMemory: false, where: 'on the engine' },
])(
  '$expiries expiries of one minute, $large of them of one username, are freed by one sweep: $where',
  async ({ expiries, large, others, inMemory }) => {
    if (inMemory) {
      client = createMemoryClient();
      core = createCore(client, tableName);
    }
    await seed('large', large);
    for (let n = 0; n < others; n++) await seed(`user-${n}`, 30);
    core.advance(120);
    const swept = await core.sweep();
    expect(swept).toMatchObject({
      freed: expiries,
      rosters: others + 1,
      failed: 0,
      drift: 0,
      lagMs: 60_000,
      pages: 16,
    });
    expect(swept.left).toEqual({ leases: 0, rosters: 0, lagMs: 0 });
    for (const username of ['large', 'user-0', `user-${others - 1}`]) {
      expect(await core.store.readRoster(demo, username as Username)).toMatchObject({ used: 0 });
      const { items } = await core.store.listSessions(demo, username as Username, { limit: 1_000 });
      expect(items.filter(({ value }) => value.phase.kind !== 'ended' || owesPlace(value))).toEqual([]);
    }
    expect(await core.sweep()).toMatchObject({ rosters: 0, leases: 0, freed: 0 });
  },
  600_000,
);

test('what fails at the head of a partition is passed, and tried again by the next sweep', async () => {
  for (let n = 0; n < 45; n++) await seed(`bad-${n}`, 1, 7);
  await seed('good', 2, 7, 1);
  core.advance(120);
  const ports = portsWith({
    readRoster: (id, username) =>
      username.startsWith('bad')
        ? Promise.reject(new StoreUnavailable('throttled'))
        : core.store.readRoster(id, username),
  });
  expect(await sweep(ports, undefined, 20)).toMatchObject({ freed: 2, failed: 45, rosters: 46, pages: 18 });
  expect(await core.used('good')).toBe(0);
  expect(await core.used('bad-0')).toBe(1);
  expect(await core.sweep()).toMatchObject({ freed: 45, failed: 0 });
});

test('a username with very many expired sessions waits for its next turn until all others have had theirs', async () => {
  await seed('large', 1_300, 0);
  for (let n = 0; n < 40; n++) await seed(`small-${n}`, 1, n % 16, 1);
  core.advance(120);
  const looked: string[] = [];
  const ports = portsWith({
    listDue: (id, username, until, limit) => {
      looked.push(username);
      return core.store.listDue(id, username, until, limit);
    },
  });
  expect(await sweep(ports)).toMatchObject({ freed: 1_340, failed: 0 });
  const thirdOfLarge = looked.flatMap((username, at) => (username === 'large' ? [at] : []))[2] ?? 0;
  const smallOnes = looked.flatMap((username, at) => (username.startsWith('small') ? [at] : []));
  expect(smallOnes).toHaveLength(40);
  expect(thirdOfLarge).toBeGreaterThan(Math.max(...smallOnes));
}, 60_000);

test('it tells what it leaves when its time is up, leases too, and how far behind that is; the next sweep goes on', async () => {
  for (let n = 0; n < 60; n++) await seed(`user-${n}`, 1);
  for (let n = 0; n < 30; n++) await core.connect('pending', `pending-${n}`);
  core.advance(600);
  let asked = 0;
  const swept = await sweep(core.ports, () => ++asked > 50);
  expect(swept.left.rosters).toBeGreaterThan(0);
  expect(swept.left.leases).toBeGreaterThan(0);
  // The leases were over after 30 s, the sessions after 60.
  expect(swept.left.lagMs).toBe(570_000);
  expect(swept.freed + swept.left.rosters).toBe(60);
  await core.sweep();
  expect(await core.used('pending')).toBe(0);
  for (let n = 0; n < 60; n++) expect(await core.used(`user-${n}`)).toBe(0);
});

test('stopped before it could read anything, it tells what is due all the same', async () => {
  for (let n = 0; n < 5; n++) await seed(`user-${n}`, 1);
  core.advance(120);
  expect(await sweep(core.ports, () => true)).toMatchObject({ rosters: 0, left: { rosters: 5, lagMs: 60_000 } });
});

test('leases of the deployments are checked in turn', async () => {
  const other = createCore(client, tableName);
  other.max = undefined;
  for (let n = 0; n < 20; n++) await core.connect('alice', `a-${n}`);
  core.advance(1);
  const expected = await core.connect('bob', 'b-0');
  expect(expected.kind).toBe('admitted');
  const bob = { deploymentId: 'other' as DeploymentId, username: 'bob' as Username };
  core.advance(600);
  const session = await core.session('bob', 'b-0');
  if (session === undefined) throw new Error('it was admitted');
  await core.store.putSession({ ...session, ...bob }, undefined);
  const asked: string[] = [];
  const broker = {
    ...core.ports.broker,
    getConnection: async (id: string) => {
      asked.push(id);
      return { kind: 'absent' as const };
    },
  };
  await sweep({ ...core.ports, broker });
  expect(asked).toHaveLength(22);
  // The youngest of all leases, and among the first to be asked about.
  expect(asked.findIndex((id) => id.startsWith('other:'))).toBeLessThan(8);
});

test('a partition that cannot be read does not hold up the others', async () => {
  for (let n = 0; n < 4; n++) await seed(`user-${n}`, 1, n);
  core.advance(120);
  const ports = portsWith({
    listWakes: (partition, ...rest) =>
      partition === 2 ? Promise.reject(new StoreUnavailable('throttled')) : core.store.listWakes(partition, ...rest),
  });
  expect(await sweep(ports)).toMatchObject({ freed: 3, failed: 1 });
  expect(await core.sweep()).toMatchObject({ freed: 1, failed: 0 });
});

test('S11: a large roster sleeps five minutes at most, and is recounted in some of its turns', async () => {
  await seed('large', 1_000, undefined, 36_000);
  const large = 'large' as Username;
  const wakeAt = async () => (await core.store.readRoster(demo, large)).wakeAt ?? 0;
  const soon = core.now();
  // Belongs to no session: only a recount finds it.
  const orphan = cryptoRandom.place();
  await core.store.addPlace(demo, large, orphan, Number.POSITIVE_INFINITY, soon, { forced: true });
  await core.store.lowerWake(demo, large, soon);
  let sweeps = 0;
  for (; sweeps < 60 && (await core.used('large')) > 1_000; sweeps++) {
    await core.sweep();
    expect(await wakeAt()).toBeLessThan(core.now() + 301_000);
    core.advance(300);
  }
  // One in eight minutes is a minute for a thousand sessions; the first was none of them.
  expect(sweeps).toBeGreaterThan(1);
  expect(sweeps).toBeLessThan(40);
  expect(await core.used('large')).toBe(1_000);
});

test('S16: sessions that are freed together have the order by used refreshed as those that are freed one by one', async () => {
  await seed('alice', 3);
  await seed('bob', 1);
  core.advance(120);
  const asked: string[] = [];
  const ask = async (_: DeploymentId, username: Username): Promise<void> => void asked.push(username);
  await sweep({ ...core.ports, store: askingForRanks(core.store, { ask }) });
  expect(new Set(asked)).toEqual(new Set(['alice', 'bob']));
});
