import { afterAll, beforeAll, expect, test } from 'vitest';
import { GetCommand } from '../../shared/adapters/dynamodb/common/commands.ts';
import { perUsernameKey } from '../../shared/adapters/dynamodb/common/keys.ts';
import { createNoticeStore } from '../../shared/adapters/dynamodb/usage/notice-store.ts';
import { createRankStore } from '../../shared/adapters/dynamodb/usage/rank-store.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import type { DeploymentId, Username } from '../../shared/domain/ids.ts';
import { ms } from '../../shared/domain/time.ts';
import type { NoticeStore } from '../../shared/ports/usage/notices.ts';
import type { RankStore } from '../../shared/ports/usage/ranks.ts';
import { createTestTable, startTestEngine, type TestEngine, type TestTable } from '../support/engine.ts';

const one = 'one' as DeploymentId;
const name = (raw: string) => raw as Username;
const set = { state: 'set', at: ms(5), untold: true } as const;

let engine: TestEngine;
let table: TestTable;
let store: NoticeStore;
let ranks: RankStore;
beforeAll(async () => {
  engine = await startTestEngine();
  table = await createTestTable(engine.endpoint);
  store = createNoticeStore(table.client, table.tableName, cryptoRandom);
  ranks = createRankStore(table.client, table.tableName, cryptoRandom);
});
afterAll(() => engine.stop());

const read = (username: string) => store.readNoticed(one, name(username), undefined);
const itemOf = async (username: string) => {
  const Key = perUsernameKey('R', one, name(username));
  return (await table.client.send(new GetCommand({ TableName: table.tableName, Key: { ...Key } }))).Item;
};

test('of a username that was never told of, nothing is remembered', async () => {
  expect(await read('nobody')).toEqual({
    state: 'clear',
    at: undefined,
    untold: false,
    revision: undefined,
    override: undefined,
  });
});

test('what was put is read back, and its answer is as good as a reading', async () => {
  const put = await store.putNoticed(one, name('alice'), set, await read('alice'));
  expect(put).toEqual({ ...set, revision: expect.any(String) });
  expect(await read('alice')).toEqual({ ...(put as object), override: undefined });
  expect((await store.readNoticed('other' as DeploymentId, name('alice'), undefined)).state).toBe('clear');
});

test('it is put over what was seen only, also where the same stands there again', async () => {
  const never = await read('bob');
  const first = await store.putNoticed(one, name('bob'), set, never);
  if (first === 'changed') throw new Error('nobody else was there');
  expect(await store.putNoticed(one, name('bob'), set, never)).toBe('changed');
  await store.putNoticed(one, name('bob'), set, first);
  expect(await store.putNoticed(one, name('bob'), { ...set, untold: false }, first)).toBe('changed');
  expect((await read('bob')).untold).toBe(true);
});

test('a clear that was told leaves nothing, and nothing is made for it', async () => {
  const told = { state: 'clear', at: ms(9), untold: false } as const;
  await store.putNoticed(one, name('carol'), told, await read('carol'));
  expect(await itemOf('carol')).toBeUndefined();
  await ranks.putRank(one, name('carol'), 3, await ranks.readRank(one, name('carol')));
  const noted = await store.putNoticed(one, name('carol'), set, await read('carol'));
  if (noted === 'changed') throw new Error('nobody else was there');
  expect(await store.putNoticed(one, name('carol'), told, noted)).toEqual({ ...told, revision: undefined });
  expect(await read('carol')).toMatchObject({ state: 'clear', untold: false, revision: undefined });
  expect((await ranks.readRank(one, name('carol'))).used).toBe(3);
});

test('a username that leaves the order is remembered as long as somebody believes it near its limit', async () => {
  await ranks.putRank(one, name('dora'), 3, await ranks.readRank(one, name('dora')));
  await store.putNoticed(one, name('dora'), set, await read('dora'));
  expect(await ranks.putRank(one, name('dora'), 0, await ranks.readRank(one, name('dora')))).toBe('done');
  expect(await read('dora')).toMatchObject({ state: 'set', untold: true });
});
