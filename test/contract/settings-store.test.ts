import { beforeEach, describe, expect, test } from 'vitest';
import {
  type DocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactGetCommand,
  UpdateCommand,
} from '../../shared/adapters/dynamodb/common/commands.ts';
import { type Key, limitKey, perUsernameKey, whitelistKey } from '../../shared/adapters/dynamodb/common/keys.ts';
import { parseOverrideItem } from '../../shared/adapters/dynamodb/settings/settings-item.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { buildWhitelistItems, isListed, usernamesOf } from '../../shared/adapters/dynamodb/settings/whitelist-item.ts';
import { usernamesPerListMax } from '../../shared/config/constants.ts';
import type { DeploymentId, TenantId, Username } from '../../shared/domain/ids.ts';
import { defaultsOf, limitSettings } from '../../shared/domain/settings.ts';
import type { SettingsStore } from '../../shared/ports/settings/settings.ts';
import { allItems } from '../support/all-items.ts';
import { by, deploymentOf } from '../support/deployment.ts';
import type { TestTable } from '../support/engine.ts';
import { tableForAllTests } from '../support/tables.ts';

const name = (raw: string) => raw as Username;
const limitOf = (maxSessionsPerUsername: number, ...whitelist: string[]) => ({
  ...defaultsOf(limitSettings),
  maxSessionsPerUsername,
  whitelist: whitelist.map(name),
});

/** What it reads first is old by the time that it has it. */
function afterFirstRead({ client }: TestTable, meanwhile: () => Promise<void>): DocumentClient {
  let reads = 0;
  const send = async (command: unknown) => {
    const answer = await client.send(command as never);
    if (command instanceof TransactGetCommand && reads++ === 0) await meanwhile();
    return answer;
  };
  return { send } as unknown as DocumentClient;
}

let table: TestTable;
let store: SettingsStore;
let nextId = 0;
let id: DeploymentId;

tableForAllTests((created) => {
  table = created;
  store = createSettingsStore(table.client, table.tableName);
});

beforeEach(async () => {
  nextId += 1;
  const deployment = deploymentOf(`d${nextId}`);
  id = deployment.deploymentId;
  await store.createDeployment(deployment);
});

async function itemsOf(pk: string): Promise<Record<string, unknown>[]> {
  const command = new QueryCommand({
    TableName: table.tableName,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': pk },
    ConsistentRead: true,
  });
  return (await table.client.send(command)).Items ?? [];
}

async function perUsernameItems(kind: 'W' | 'O'): Promise<Record<string, unknown>[]> {
  return (await allItems(table)).filter(({ pk }) => String(pk).startsWith(`${kind}|${id}|`));
}

/** Usernames that any whitelist has an entry of, each as often as it has one. */
async function whitelistEntries(): Promise<string[]> {
  return (await perUsernameItems('W')).flatMap(usernamesOf).sort();
}

async function limitItem(): Promise<Record<string, unknown> | undefined> {
  const command = new GetCommand({ TableName: table.tableName, Key: limitKey(id), ConsistentRead: true });
  return (await table.client.send(command)).Item;
}

/** What the connect path sees of one username. */
async function onConnect(username: string) {
  const settings = await store.getConnectSettings(id);
  const read = async (Key: Key) =>
    (await table.client.send(new GetCommand({ TableName: table.tableName, Key, ConsistentRead: true }))).Item;
  const list = settings?.limit?.whitelistId;
  return {
    limit: settings?.limit,
    whitelisted: list !== undefined && isListed(await read(whitelistKey(id, list, name(username))), name(username)),
    override: parseOverrideItem(await read(perUsernameKey('O', id, name(username))), settings?.limit?.generation ?? 0),
  };
}

describe('deployments', () => {
  test('what was created is read back', async () => {
    expect(await store.getDeployment(id)).toEqual({ ...deploymentOf(id), version: 1 });
    expect(await store.getConnectSettings(id)).toEqual({ deployment: deploymentOf(id), limit: undefined });
  });

  test('an id is given out once, also to another tenant, and the loser lists nothing', async () => {
    expect(await store.createDeployment(deploymentOf(id, 'thief'))).toBe('exists');
    expect((await store.getDeployment(id))?.tenantId).toBe('acme');
    expect(await store.listDeployments('thief' as TenantId, { limit: 10 })).toEqual([]);
  });

  test('a tenant lists its own, in order, in pages', async () => {
    const tenant = `tenant-${nextId}`;
    for (const one of ['pc', 'pa', 'pb']) await store.createDeployment(deploymentOf(`${one}-${nextId}`, tenant));
    const first = await store.listDeployments(tenant as TenantId, { limit: 2 });
    expect(first.map((one) => one.deploymentId)).toEqual([`pa-${nextId}`, `pb-${nextId}`]);
    const after = `pb-${nextId}` as DeploymentId;
    const rest = await store.listDeployments(tenant as TenantId, { limit: 2, after });
    expect(rest.map((one) => one.deploymentId)).toEqual([`pc-${nextId}`]);
  });

  test('one that does not exist has no settings and takes none', async () => {
    const nobody = 'nobody' as DeploymentId;
    expect(await store.getDeployment(nobody)).toBeUndefined();
    expect(await store.getConnectSettings(nobody)).toBeUndefined();
    expect(await store.putSessionLimit(nobody, limitOf(1), by(1))).toEqual({ kind: 'missing', what: 'deployment' });
    expect(await store.getSessionLimit(nobody)).toBeUndefined();
  });
});

describe('session limit', () => {
  test('is configured, shown in order of UTF-8 with duplicates merged, and holds on connect', async () => {
    // U+FF5E comes before U+1F600 in UTF-8 and after it in UTF-16.
    const done = await store.putSessionLimit(id, limitOf(7, '\u{1F600}', 'bob', '\uFF5E', 'alice', 'bob'), by(5));
    const whitelist = ['alice', 'bob', '\uFF5E', '\u{1F600}'];
    const value = { ...defaultsOf(limitSettings), maxSessionsPerUsername: 7, whitelist, version: 1, updatedAt: 5 };
    expect(done).toEqual({ kind: 'done', created: true, value });
    expect(await store.getSessionLimit(id)).toEqual(value);
    expect(await onConnect('bob')).toMatchObject({
      limit: { enabled: true, maxSessionsPerUsername: 7 },
      whitelisted: true,
    });
    expect((await onConnect('carol')).whitelisted).toBe(false);
  });

  test('a new whitelist replaces the old one whole', async () => {
    await store.putSessionLimit(id, limitOf(7, 'alice', 'bob'), by(1));
    await store.putSessionLimit(id, limitOf(7, 'bob', 'carol'), by(2));
    expect((await onConnect('alice')).whitelisted).toBe(false);
    expect((await onConnect('bob')).whitelisted).toBe(true);
    expect((await onConnect('carol')).whitelisted).toBe(true);
  });

  test('who decides by settings read a moment ago still finds the old whitelist; a change a minute later clears it', async () => {
    await store.putSessionLimit(id, limitOf(7, 'alice', 'bob'), by(1));
    const old = String((await limitItem())?.whitelistId);
    await store.putSessionLimit(id, limitOf(7, 'bob', 'carol'), by(2));
    await store.putSessionLimit(id, limitOf(7, 'bob'), by(60_000));
    const entry = { TableName: table.tableName, Key: whitelistKey(id, old, name('bob')) };
    expect((await table.client.send(new GetCommand(entry))).Item).toBeDefined();
    await store.putSessionLimit(id, limitOf(8, 'bob'), by(60_002));
    expect((await table.client.send(new GetCommand(entry))).Item).toBeUndefined();
    await store.putSessionLimit(id, limitOf(9, 'bob'), by(120_001));
    expect(await whitelistEntries()).toEqual(['bob']);
    expect((await limitItem())?.lists).toEqual(new Set([(await limitItem())?.whitelistId]));
  });

  test('a change that leaves the whitelist alone keeps its list', async () => {
    await store.putSessionLimit(id, limitOf(7, 'alice'), by(1));
    const before = (await limitItem())?.whitelistId;
    await store.putSessionLimit(id, { ...limitOf(7, 'alice'), enabled: false }, by(2));
    expect((await limitItem())?.whitelistId).toBe(before);
    expect(await store.getSessionLimit(id)).toMatchObject({ enabled: false, whitelist: ['alice'], version: 2 });
  });

  test('a change that changes nothing writes nothing', async () => {
    const first = await store.putSessionLimit(id, limitOf(7, 'alice', 'bob'), by(1));
    const again = await store.putSessionLimit(id, limitOf(7, 'bob', 'alice'), by(9));
    expect(again).toEqual({ ...first, created: false });
    expect(await itemsOf(`A|${id}`)).toHaveLength(1);
  });

  test('entries that a death in the middle left behind never count, and the next change clears them', async () => {
    await store.putSessionLimit(id, limitOf(7, 'alice'), by(1));
    const TableName = table.tableName;
    const [torn] = buildWhitelistItems(id, 'torn', [name('mallory')]);
    await table.client.send(new PutCommand({ TableName, Item: torn }));
    const ExpressionAttributeValues = { ':torn': new Set(['torn']) };
    const UpdateExpression = 'ADD lists :torn';
    await table.client.send(
      new UpdateCommand({ TableName, Key: limitKey(id), UpdateExpression, ExpressionAttributeValues }),
    );
    expect((await onConnect('mallory')).whitelisted).toBe(false);
    await store.putSessionLimit(id, limitOf(8, 'alice'), by(2));
    expect(await whitelistEntries()).toEqual(['alice']);
    expect((await limitItem())?.lists).toEqual(new Set([(await limitItem())?.whitelistId]));
  });

  test('a stale write is refused and changes nothing', async () => {
    await store.putSessionLimit(id, limitOf(1), by(1, 'none'));
    await store.putSessionLimit(id, limitOf(2), by(2, 1));
    expect(await store.putSessionLimit(id, limitOf(3, 'mallory'), by(3, 1))).toEqual({ kind: 'stale', version: 2 });
    expect(await store.putSessionLimit(id, limitOf(3), by(3, 'none'))).toEqual({ kind: 'stale', version: 2 });
    expect(await store.deleteSessionLimit(id, by(3, 1))).toEqual({ kind: 'stale', version: 2 });
    expect(await store.getSessionLimit(id)).toMatchObject({ maxSessionsPerUsername: 2, whitelist: [], version: 2 });
    expect(await itemsOf(`A|${id}`)).toHaveLength(2);
  });

  test('of many changes that start from one version exactly one wins, and its whitelist is whole', async () => {
    await store.putSessionLimit(id, limitOf(1), by(1));
    const contenders = Array.from({ length: 8 }, (_, n) => limitOf(n + 10, `common`, `own-${n}-a`, `own-${n}-b`));
    const outcomes = await Promise.all(contenders.map((one) => store.putSessionLimit(id, one, by(2, 1))));
    const won = outcomes.filter((outcome) => outcome.kind === 'done');
    expect(won).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome.kind === 'stale')).toHaveLength(7);
    const stored = await store.getSessionLimit(id);
    expect(won[0]).toMatchObject({ value: stored });
    expect(stored?.whitelist).toHaveLength(3);
    expect(await whitelistEntries()).toEqual(stored?.whitelist);
    expect(await itemsOf(`A|${id}`)).toHaveLength(2);
  });

  test('changes that expect no version are all made, one after the other, each with its record', async () => {
    const changes = Array.from({ length: 5 }, (_, n) => store.putSessionLimit(id, limitOf(n + 1, `user-${n}`), by(n)));
    const versions = (await Promise.all(changes)).map((outcome) => outcome.kind === 'done' && outcome.value.version);
    expect(versions.sort()).toEqual([1, 2, 3, 4, 5]);
    expect(await itemsOf(`A|${id}`)).toHaveLength(5);
  });

  test('delete ends settings, whitelist and overrides for good, and versions grow across it', async () => {
    await store.putSessionLimit(id, limitOf(7, 'alice'), by(1));
    await store.putOverride(id, name('bob'), { kind: 'blocked' }, by(2));
    expect(await store.deleteSessionLimit(id, by(3))).toMatchObject({ kind: 'done' });
    expect(await store.getSessionLimit(id)).toBeUndefined();
    expect((await store.getConnectSettings(id))?.limit).toBeUndefined();
    expect(await store.deleteSessionLimit(id, by(4))).toEqual({ kind: 'missing', what: 'session_limit' });
    expect([...(await perUsernameItems('W')), ...(await perUsernameItems('O'))]).toEqual([]);

    const again = await store.putSessionLimit(id, limitOf(7), by(5, 'none'));
    expect(again).toMatchObject({ kind: 'done', created: true, value: { version: 3, whitelist: [] } });
    expect(await onConnect('bob')).toMatchObject({ override: undefined, whitelisted: false });
    expect(await store.listOverrides(id, { limit: 10 })).toEqual([]);
  });

  test('an override of a deleted limit is void even where nobody cleared it away', async () => {
    await store.putSessionLimit(id, limitOf(7), by(1));
    await store.putOverride(id, name('bob'), { kind: 'blocked' }, by(2));
    const [left] = await perUsernameItems('O');
    await store.deleteSessionLimit(id, by(3));
    await store.putSessionLimit(id, limitOf(7), by(4));
    const { limit } = await onConnect('bob');
    expect(parseOverrideItem(left, 1)).toEqual({ kind: 'blocked' });
    expect(parseOverrideItem(left, limit?.generation ?? 0)).toBeUndefined();
  });

  test(`a whitelist of ${usernamesPerListMax} usernames is stored whole and replaced whole`, async () => {
    const many = Array.from({ length: usernamesPerListMax }, (_, n) => `user-${String(n).padStart(5, '0')}`);
    await store.putSessionLimit(id, limitOf(7, ...many), by(1));
    expect((await store.getSessionLimit(id))?.whitelist).toEqual(many);
    expect((await onConnect('user-09999')).whitelisted).toBe(true);
    const audit = await itemsOf(`A|${id}`);
    expect(audit[0]?.after).toMatchObject({ whitelistSize: 10_000, whitelistAdded: { count: 10_000 } });
    await store.putSessionLimit(id, limitOf(7, 'only'), by(2));
    await store.putSessionLimit(id, limitOf(8, 'only'), by(70_000));
    expect(await perUsernameItems('W')).toHaveLength(1);
  }, 120_000);
});

describe('overrides', () => {
  test('the connect path is told of the first in the step that makes it, and of none when the last has gone', async () => {
    const mayHave = async () => (await store.getConnectSettings(id))?.limit?.mayHaveOverrides;
    await store.putSessionLimit(id, limitOf(7), by(1));
    expect(await mayHave()).toBe(false);
    await store.putOverride(id, name('bob'), { kind: 'blocked' }, by(2));
    await store.putSessionLimit(id, limitOf(8), by(3));
    expect(await mayHave()).toBe(true);
    await store.deleteOverride(id, name('bob'), by(4));
    expect(await mayHave()).toBe(false);
    await store.putOverride(id, name('bob'), { kind: 'blocked' }, by(5));
    await store.deleteSessionLimit(id, by(6));
    await store.putSessionLimit(id, limitOf(7), by(7));
    expect(await mayHave()).toBe(false);
  });

  test('of a limit that does not say how many there are, there may be some', async () => {
    await store.putSessionLimit(id, limitOf(7), by(1));
    const command = { TableName: table.tableName, Key: limitKey(id), UpdateExpression: 'REMOVE overrideCount' };
    await table.client.send(new UpdateCommand(command));
    expect((await store.getConnectSettings(id))?.limit?.mayHaveOverrides).toBe(true);
    await store.putSessionLimit(id, limitOf(8), by(2));
    expect((await store.getConnectSettings(id))?.limit?.mayHaveOverrides).toBe(true);
  });

  test('there are none without a session limit', async () => {
    const missing = { kind: 'missing', what: 'session_limit' };
    expect(await store.putOverride(id, name('bob'), { kind: 'unlimited' }, by(1))).toEqual(missing);
    expect(await store.getOverride(id, name('bob'))).toEqual(missing);
    expect(await store.deleteOverride(id, name('bob'), by(1))).toEqual(missing);
    expect(await store.listOverrides(id, { limit: 10 })).toBeUndefined();
    expect(await itemsOf(`A|${id}`)).toEqual([]);
  });

  test('each kind is stored, changed, removed, and its versions grow across delete and re-create', async () => {
    await store.putSessionLimit(id, limitOf(7), by(1));
    const bob = name('bob');
    const versions: number[] = [];
    for (const override of [{ kind: 'number', max: 5 }, { kind: 'unlimited' }, { kind: 'blocked' }] as const) {
      expect(await store.putOverride(id, bob, override, by(2))).toMatchObject({ kind: 'done', value: { override } });
      expect((await onConnect('bob')).override).toEqual(override);
      const found = await store.getOverride(id, bob);
      if (found.kind === 'found') versions.push(found.value.version);
      expect(await store.deleteOverride(id, bob, by(3))).toMatchObject({ kind: 'done' });
      expect((await onConnect('bob')).override).toBeUndefined();
    }
    expect(versions).toHaveLength(3);
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
    expect(await store.deleteOverride(id, bob, by(3))).toEqual({ kind: 'missing', what: 'override' });
  });

  test('a stale change is refused; one that changes nothing writes nothing', async () => {
    await store.putSessionLimit(id, limitOf(7), by(1));
    const bob = name('bob');
    await store.putOverride(id, bob, { kind: 'number', max: 5 }, by(2, 'none'));
    await store.putOverride(id, bob, { kind: 'number', max: 6 }, by(3, 1));
    expect(await store.putOverride(id, bob, { kind: 'number', max: 9 }, by(4, 1))).toEqual({
      kind: 'stale',
      version: 2,
    });
    expect(await store.deleteOverride(id, bob, by(4, 1))).toEqual({ kind: 'stale', version: 2 });
    expect(await store.putOverride(id, bob, { kind: 'number', max: 6 }, by(5))).toMatchObject({ created: false });
    expect((await store.getOverride(id, bob)).kind === 'found' && (await onConnect('bob')).override).toEqual({
      kind: 'number',
      max: 6,
    });
    expect(await itemsOf(`A|${id}`)).toHaveLength(3);
  });

  test('one that is made, while another of the username comes and goes, has a version of its own', async () => {
    await store.putSessionLimit(id, limitOf(7), by(1));
    await store.putOverride(id, name('eve'), { kind: 'blocked' }, by(2));
    const bob = name('bob');
    const versions: number[] = [];
    const put = async (by_: SettingsStore, max: number) => {
      const outcome = await by_.putOverride(id, bob, { kind: 'number', max }, by(3));
      if (outcome.kind === 'done') versions.push(outcome.value.version);
    };
    // Between its reading and its write.
    const late = afterFirstRead(table, async () => {
      await put(store, 1);
      await store.deleteOverride(id, bob, by(3));
    });
    await put(createSettingsStore(late, table.tableName), 2);
    expect(new Set(versions).size).toBe(2);
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    expect(await store.getOverride(id, bob)).toMatchObject({ value: { version: versions[1], override: { max: 2 } } });
  });

  test('they do not change the version of the session limit', async () => {
    await store.putSessionLimit(id, limitOf(7), by(1));
    await store.putOverride(id, name('bob'), { kind: 'blocked' }, by(2));
    expect(await store.putSessionLimit(id, limitOf(8), by(3, 1))).toMatchObject({
      kind: 'done',
      value: { version: 2 },
    });
    expect((await onConnect('bob')).override).toEqual({ kind: 'blocked' });
  });

  test('are listed in order of username, in pages that skip and repeat none', async () => {
    await store.putSessionLimit(id, limitOf(7), by(1));
    const names = Array.from({ length: 60 }, (_, n) => `user-${String((n * 37) % 60).padStart(2, '0')}`);
    await Promise.all(names.map((one, n) => store.putOverride(id, name(one), { kind: 'number', max: n + 1 }, by(2))));
    const seen: string[] = [];
    for (let after: Username | undefined; ; ) {
      const page = await store.listOverrides(id, { limit: 7, ...(after === undefined ? {} : { after }) });
      seen.push(...(page ?? []).map((one) => one.username));
      after = page?.at(-1)?.username;
      if (after === undefined) break;
    }
    expect(seen).toEqual([...names].sort());
    expect((await limitItem())?.overrideCount).toBe(60);
  });

  test(`there are at most ${usernamesPerListMax}, also when the last two places are taken at once`, async () => {
    await store.putSessionLimit(id, limitOf(7), by(1));
    const command = {
      TableName: table.tableName,
      Key: limitKey(id),
      UpdateExpression: 'SET overrideCount = :count',
      ExpressionAttributeValues: { ':count': usernamesPerListMax - 2 },
    };
    await table.client.send(new UpdateCommand(command));
    const puts = Array.from({ length: 6 }, (_, n) => store.putOverride(id, name(`u${n}`), { kind: 'blocked' }, by(2)));
    const kinds = (await Promise.all(puts)).map((outcome) => outcome.kind).sort();
    expect(kinds).toEqual(['done', 'done', 'full', 'full', 'full', 'full']);
    const [one] = (await store.listOverrides(id, { limit: 1 })) ?? [];
    if (one === undefined) throw new Error('two were put');
    await store.deleteOverride(id, one.username, by(3));
    expect((await store.putOverride(id, name('next'), { kind: 'blocked' }, by(4))).kind).toBe('done');
  });

  test('an override that meets the delete of its limit is refused, or void', async () => {
    await store.putSessionLimit(id, limitOf(7), by(1));
    const put = store.putOverride(id, name('bob'), { kind: 'blocked' }, by(2));
    const [outcome] = await Promise.all([put, store.deleteSessionLimit(id, by(2))]);
    expect(['done', 'missing']).toContain(outcome.kind);
    await store.putSessionLimit(id, limitOf(7), by(3));
    expect((await onConnect('bob')).override).toBeUndefined();
    expect((await limitItem())?.overrideCount).toBe(0);
  });
});

test('every change leaves one record of who, when, what before and what after', async () => {
  await store.putSessionLimit(id, limitOf(7, 'alice'), by(1));
  await store.putSessionLimit(id, limitOf(7, 'bob'), by(2));
  await store.putSessionLimit(id, { ...limitOf(7, 'bob'), enabled: false }, by(3));
  await store.putOverride(id, name('bob'), { kind: 'number', max: 3 }, by(4));
  await store.putOverride(id, name('bob'), { kind: 'unlimited' }, by(5));
  await store.deleteOverride(id, name('bob'), by(6));
  await store.deleteSessionLimit(id, by(7));
  const records = (await itemsOf(`A|${id}`)).map(({ pk: _pk, sk: _sk, ...record }) => record);
  const on = { ...defaultsOf(limitSettings), maxSessionsPerUsername: 7, whitelistSize: 1 };
  const bob = { count: 1, usernames: ['bob'] };
  const alice = { count: 1, usernames: ['alice'] };
  const actor = 'somebody';
  expect(records).toEqual([
    {
      at: 1,
      actor,
      action: 'session_limit.configured',
      before: null,
      after: { ...on, version: 1, whitelistAdded: alice },
    },
    {
      at: 2,
      actor,
      action: 'session_limit.changed',
      before: { ...on, version: 1, whitelistRemoved: alice },
      after: { ...on, version: 2, whitelistAdded: bob },
    },
    {
      at: 3,
      actor,
      action: 'session_limit.disabled',
      before: { ...on, version: 2 },
      after: { ...on, enabled: false, version: 3 },
    },
    { at: 4, actor, action: 'override.set', subject: 'bob', before: null, after: { username: 'bob', limit: 3 } },
    {
      at: 5,
      actor,
      action: 'override.set',
      subject: 'bob',
      before: { username: 'bob', limit: 3 },
      after: { username: 'bob', limit: 'unlimited' },
    },
    {
      at: 6,
      actor,
      action: 'override.deleted',
      subject: 'bob',
      before: { username: 'bob', limit: 'unlimited' },
      after: null,
    },
    {
      at: 7,
      actor,
      action: 'session_limit.deleted',
      before: { ...on, enabled: false, version: 3, whitelistRemoved: bob },
      after: null,
    },
  ]);
});
