// S24: what a tenant writes into a whitelist keeps nothing waiting. Counted: items, requests, requests at a time.

import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { compareUsernames, sortUsernames } from '../../shared/adapters/dynamodb/settings/settings-by-username.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { buildWhitelistItems, whitelistIdFor } from '../../shared/adapters/dynamodb/settings/whitelist-item.ts';
import { createWhitelistMemory } from '../../shared/adapters/dynamodb/settings/whitelist-memory.ts';
import { usernamesPerListMax } from '../../shared/config/constants.ts';
import { type DeploymentId, type Username, usernameMaxBytes } from '../../shared/domain/ids.ts';
import { defaultsOf, limitSettings } from '../../shared/domain/settings.ts';
import { allItems } from '../support/all-items.ts';
import { by, deploymentOf } from '../support/deployment.ts';
import type { TestTable } from '../support/engine.ts';
import { tableForAllTests } from '../support/tables.ts';

const id = 'one' as DeploymentId;
let table: TestTable;
/** Requests sent, and the most that were under way at the same time. */
let sent: { count: number; most: number };

tableForAllTests((created) => {
  table = created;
});

beforeEach(() => {
  sent = { count: 0, most: 0 };
});

/** The table's client, counted. */
function counted(): TestTable {
  let underWay = 0;
  const client = new Proxy(table.client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name !== 'send' || typeof value !== 'function') return value;
      return async (...asked: unknown[]) => {
        sent.count += 1;
        underWay += 1;
        sent.most = Math.max(sent.most, underWay);
        return Promise.resolve(Reflect.apply(value, target, asked)).finally(() => {
          underWay -= 1;
        });
      };
    },
  });
  return { client, tableName: table.tableName };
}

const longest = (n: number) => `${n}-`.padEnd(usernameMaxBytes, 'x') as Username;
const names = (from: number, count: number) => Array.from({ length: count }, (_, n) => longest(from + n));
const limitOf = (whitelist: readonly Username[]) => ({
  ...defaultsOf(limitSettings),
  maxSessionsPerUsername: 7,
  whitelist,
});

test('replacing 10,000 usernames of 256 bytes takes a hundred writes, and few requests at a time', async () => {
  const { client, tableName } = counted();
  const store = createSettingsStore(client, tableName);
  await store.createDeployment(deploymentOf(id));
  await store.putSessionLimit(id, limitOf(names(0, usernamesPerListMax)), by(1));
  expect((await allItems(table)).filter(({ pk }) => String(pk).startsWith('W|')).length).toBeLessThan(1_300);
  sent = { count: 0, most: 0 };
  const replaced = await store.putSessionLimit(id, limitOf(names(20_000, usernamesPerListMax)), by(2));
  expect(replaced).toMatchObject({ kind: 'done', value: { whitelist: { length: usernamesPerListMax } } });
  // 52 of blocks, 16 or more that read the list there was, and those of the limit itself.
  expect(sent.count).toBeLessThan(100);
  expect(sent.most).toBeLessThanOrEqual(4);
}, 120_000);

test('other work of the process has its turn between sorting 10,000 usernames and the first request', async () => {
  const { client, tableName } = counted();
  const store = createSettingsStore(client, tableName);
  await store.createDeployment(deploymentOf('two'));
  sent.count = 0;
  const pending = store.putSessionLimit('two' as DeploymentId, limitOf(names(0, usernamesPerListMax)), by(1));
  expect(sent.count).toBe(0);
  await pending;
  expect(sent.count).toBeGreaterThan(0);
}, 120_000);

test('names that share a block of one list share none of the next: a tenant cannot fill one block', () => {
  const many = names(0, 2_000);
  const sizes = (unique: string, usernames: readonly Username[]) =>
    buildWhitelistItems(id, whitelistIdFor(unique, usernames), usernames).map(
      ({ usernames: held }) => held as Set<Username>,
    );
  const [largest] = sizes('a', many).sort((a, b) => b.size - a.size);
  const chosen = [...(largest ?? [])];
  expect(chosen.length).toBeGreaterThan(10);
  expect(Math.max(...sizes('b', chosen).map((block) => block.size))).toBeLessThan(chosen.length / 2);
});

test('usernames are sorted by their bytes, all at once as one by one', () => {
  const unit = fc.constantFrom('a', 'ä', '\uE000', '\uFFFD', '\uD7FF', '\u{1F600}', '\u{10000}');
  fc.assert(
    fc.property(fc.array(fc.string({ unit, maxLength: 4 })), (raw) => {
      const usernames = raw as Username[];
      const wanted = [...usernames].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(sortUsernames(usernames)).toEqual(wanted);
      expect([...usernames].sort(compareUsernames)).toEqual(wanted);
    }),
  );
});

test('lists in memory are bounded by their bytes: the one used longest ago is read again', async () => {
  const { client, tableName } = counted();
  const store = createSettingsStore(table.client, table.tableName);
  const listOf = async (deployment: string) => {
    await store.createDeployment(deploymentOf(deployment));
    await store.putSessionLimit(deployment as DeploymentId, limitOf(names(0, 100)), by(1));
    return (await store.getConnectSettings(deployment as DeploymentId))?.limit?.whitelistId;
  };
  const lists = new Map<string, string | undefined>();
  for (const deployment of ['m1', 'm2', 'm3']) lists.set(deployment, await listOf(deployment));
  // Two lists of 100 names fit, three do not.
  const memory = createWhitelistMemory({ client, tableName }, 150_000);
  const readsOf = async (deployment: string) => {
    const before = sent.count;
    expect((await memory(deployment as DeploymentId, lists.get(deployment))).size).toBe(100);
    return sent.count - before;
  };
  expect(await readsOf('m1')).toBeGreaterThan(0);
  expect(await readsOf('m2')).toBeGreaterThan(0);
  expect(await readsOf('m1')).toBe(0);
  expect(await readsOf('m3')).toBeGreaterThan(0);
  expect(await readsOf('m1')).toBe(0);
  expect(await readsOf('m2')).toBeGreaterThan(0);
});
