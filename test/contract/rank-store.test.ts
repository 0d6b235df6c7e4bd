import { expect, test } from 'vitest';
import { GetCommand } from '../../shared/adapters/dynamodb/common/commands.ts';
import { perUsernameKey } from '../../shared/adapters/dynamodb/common/keys.ts';
import { createRejectionStore } from '../../shared/adapters/dynamodb/rejections/rejection-store.ts';
import { createRankStore } from '../../shared/adapters/dynamodb/usage/rank-store.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import type { DeploymentId, Username } from '../../shared/domain/ids.ts';
import type { RankStore } from '../../shared/ports/usage/ranks.ts';
import type { TestTable } from '../support/engine.ts';
import { rejectionSum } from '../support/rejection-sum.ts';
import { tableForAllTests } from '../support/tables.ts';

const one = 'one' as DeploymentId;
const other = 'other' as DeploymentId;
const name = (raw: string) => raw as Username;

let table: TestTable;
let ranks: RankStore;
tableForAllTests((created) => {
  table = created;
  ranks = createRankStore(table.client, table.tableName, cryptoRandom);
});

test('a username that was never ranked is not in the order', async () => {
  expect(await ranks.readRank(one, name('nobody'))).toEqual({ used: 0, revision: undefined });
});

test('a rank is read back as it was put, in its deployment only', async () => {
  const seen = await ranks.readRank(one, name('alice'));
  expect(await ranks.putRank(one, name('alice'), 1_000_000, seen)).toBe('done');
  expect(await ranks.readRank(one, name('alice'))).toEqual({ used: 1_000_000, revision: expect.any(String) });
  expect((await ranks.readRank(other, name('alice'))).used).toBe(0);
});

test('it is put over what was seen only, also where the same number stands there again', async () => {
  const never = await ranks.readRank(one, name('bob'));
  await ranks.putRank(one, name('bob'), 1, never);
  const first = await ranks.readRank(one, name('bob'));
  expect(await ranks.putRank(one, name('bob'), 7, never)).toBe('changed');
  await ranks.putRank(one, name('bob'), 2, first);
  await ranks.putRank(one, name('bob'), 1, await ranks.readRank(one, name('bob')));
  expect(await ranks.putRank(one, name('bob'), 7, first)).toBe('changed');
  expect(await ranks.putRank(one, name('bob'), 0, first)).toBe('changed');
  expect((await ranks.readRank(one, name('bob'))).used).toBe(1);
});

test('0 takes it out of the order, and leaves nothing of a username that nothing else is told of', async () => {
  await ranks.putRank(one, name('carol'), 3, await ranks.readRank(one, name('carol')));
  expect(await ranks.putRank(one, name('carol'), 0, await ranks.readRank(one, name('carol')))).toBe('done');
  expect((await ranks.readRank(one, name('carol'))).used).toBe(0);
  const Key = perUsernameKey('R', one, name('carol'));
  expect(
    (await table.client.send(new GetCommand({ TableName: table.tableName, Key: { ...Key } }))).Item,
  ).toBeUndefined();
});

test('it never touches what else is told of the username', async () => {
  const rejections = createRejectionStore(table.client, table.tableName);
  const rejected = (count: number, at: number) =>
    rejections.addRejections(rejectionSum({ deploymentId: one, username: 'dave', clientId: 'c', count, at }));
  await rejected(3, 5);
  for (const used of [2, 5, 0]) {
    expect(await ranks.putRank(one, name('dave'), used, await ranks.readRank(one, name('dave')))).toBe('done');
    expect((await ranks.readRank(one, name('dave'))).used).toBe(used);
  }
  await rejected(1, 6);
  const Key = perUsernameKey('R', one, name('dave'));
  const { Item: item } = await table.client.send(new GetCommand({ TableName: table.tableName, Key: { ...Key } }));
  expect(item).toMatchObject({ rejections: 4, lastAt: 6, lastClientId: 'c' });
  expect(item).not.toHaveProperty('rankPk');
});
