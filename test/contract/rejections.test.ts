// Rejections written and read on the real engine: counted exactly, whatever is repeated and in whatever order it comes.

import { beforeEach, describe, expect, test } from 'vitest';
import { createRejectionReader } from '../../shared/adapters/dynamodb/rejections/rejection-reader.ts';
import { createRejectionStore } from '../../shared/adapters/dynamodb/rejections/rejection-store.ts';
import type { DeploymentId, Username } from '../../shared/domain/ids.ts';
import type { RecordedReason } from '../../shared/domain/refusal.ts';
import { ms } from '../../shared/domain/time.ts';
import type {
  RecentPlace,
  RejectionReader,
  RejectionStore,
  RejectionSum,
  UsernameRejections,
} from '../../shared/ports/rejections/rejections.ts';
import { rejectionSum } from '../support/rejection-sum.ts';
import { tableForAllTests } from '../support/tables.ts';

const hourMs = 3_600_000;
const noon = Date.UTC(2026, 10, 22, 12);

let store: RejectionStore;
let reader: RejectionReader;
let nextId = 0;
let id: DeploymentId;

tableForAllTests(({ client, tableName }) => {
  store = createRejectionStore(client, tableName);
  reader = createRejectionReader(client, tableName);
});
beforeEach(() => {
  nextId += 1;
  id = `d${nextId}` as DeploymentId;
});

const sumOf = (
  username: string,
  at: number,
  count = 1,
  clientId = `${username}-client`,
  reason: RecordedReason = 'quota',
): RejectionSum => rejectionSum({ deploymentId: id, username, at, count, clientId, reason });

const recent = async (limit = 100) => (await reader.listRecent(id, { limit })).items;
const hours = (from = 0, until = noon * 2, limit = 100) =>
  reader.listHours(id, { limit, from: ms(from), until: ms(until) });

test('a sum that is written twice counts once, also with others in between', async () => {
  const first = sumOf('alice', noon, 3);
  await store.addRejections(first);
  await store.addRejections(sumOf('alice', noon + 1, 2));
  await store.addRejections(first);
  const older = sumOf('alice', noon - 1, 4);
  await store.addRejections(older);
  await store.addRejections(older);
  expect(await recent()).toMatchObject([{ username: 'alice', count: 9, lastAt: noon + 1 }]);
});

test('a sum that comes late adds its count, and takes neither the time nor the client id back', async () => {
  await store.addRejections(sumOf('alice', noon + 10, 1, 'newest'));
  await store.addRejections(sumOf('alice', noon, 5, 'older'));
  const alice = { username: 'alice', reason: 'quota', clientId: 'newest', count: 6, lastAt: noon + 10 };
  expect(await recent()).toEqual([alice]);
});

test('sums of many processes at once are all counted', async () => {
  const sums = Array.from({ length: 12 }, (_, n) => sumOf('alice', noon + n, n + 1, `c${n}`));
  const add = async (sum: RejectionSum): Promise<void> => {
    for (;;) {
      try {
        return await store.addRejections(sum);
      } catch {
        // Transactions that met on one item: tried again, as the recorder does.
      }
    }
  };
  await Promise.all(sums.map(add));
  const alice = { username: 'alice', reason: 'quota', clientId: 'c11', count: 78, lastAt: noon + 11 };
  expect(await recent()).toEqual([alice]);
  const last = await reader.listLast(id, 'alice' as Username);
  expect(last.map(({ clientId }) => clientId)).toEqual(sums.map((_, n) => `c${11 - n}`));
  expect(await hours()).toEqual([{ hour: noon, count: 78 }]);
});

describe('recent rejections', () => {
  test('come newest first, in pages that skip and repeat none, also where many fall into one moment', async () => {
    // Moments of four usernames each; their names are spread over all partitions.
    const names = Array.from({ length: 40 }, (_, n) => `user-${n}`);
    await Promise.all(names.map((name, n) => store.addRejections(sumOf(name, noon + Math.floor(n / 4)))));
    const seen: { username: string; lastAt: number }[] = [];
    for (let after: RecentPlace | undefined; ; ) {
      const page = await reader.listRecent(id, { limit: 7, ...(after === undefined ? {} : { after }) });
      seen.push(...page.items);
      after = page.next;
      if (after === undefined) break;
    }
    expect(seen.map((one) => one.lastAt)).toEqual(names.map((_, n) => noon + 9 - Math.floor(n / 4)));
    expect(new Set(seen.map((one) => one.username)).size).toBe(40);
  });

  test('move to the front when they happen again, and are those of one deployment only', async () => {
    await store.addRejections(sumOf('alice', noon));
    await store.addRejections(sumOf('bob', noon + 1));
    await store.addRejections({ ...sumOf('eve', noon + 5), deploymentId: `${id}-other` as DeploymentId });
    await store.addRejections(sumOf('alice', noon + 2));
    expect((await recent()).map((one) => [one.username, one.count])).toEqual([
      ['alice', 2],
      ['bob', 1],
    ]);
  });
});

describe('of several reasons', () => {
  const page = (more: Partial<Parameters<RejectionReader['listRecent']>[1]> = {}) =>
    reader.listRecent(id, { limit: 100, ...more });
  const shown = (items: readonly UsernameRejections[]) =>
    items.map((one) => [one.username, one.reason, one.count, one.lastAt - noon]);

  beforeEach(async () => {
    await store.addRejections(sumOf('alice', noon, 3));
    await store.addRejections(sumOf('alice', noon + 5, 1, 'a+b', 'client_id_invalid'));
    await store.addRejections(sumOf('al|ice', noon + 7, 2, 'c', 'blocked'));
    await store.addRejections(sumOf('bob', noon + 3, 1, '', 'client_id_invalid'));
  });

  test('each is a record of its own, and filters leave out the others', async () => {
    const [last, invalid, bobs, first] = [
      ['al|ice', 'blocked', 2, 7],
      ['alice', 'client_id_invalid', 1, 5],
      ['bob', 'client_id_invalid', 1, 3],
      ['alice', 'quota', 3, 0],
    ];
    expect(shown((await page()).items)).toEqual([last, invalid, bobs, first]);
    expect(shown((await page({ reason: 'client_id_invalid' })).items)).toEqual([invalid, bobs]);
    expect(shown((await page({ username: 'alice' as Username })).items)).toEqual([invalid, first]);
    expect(shown((await page({ from: ms(noon + 3), to: ms(noon + 7) })).items)).toEqual([invalid, bobs]);
    const alicesLate = { username: 'alice' as Username, from: ms(noon + 1), to: ms(noon + 6) };
    expect(shown((await page(alicesLate)).items)).toEqual([invalid]);
    expect((await page({ username: 'alice' as Username, reason: 'blocked' })).items).toEqual([]);
    expect((await page({ from: ms(noon + 8) })).items).toEqual([]);
  });

  test('pages of a filtered list skip and repeat none', async () => {
    const filters = [{ reason: 'client_id_invalid' as const }, { username: 'alice' as Username }];
    for (const filter of filters) {
      const all = (await page(filter)).items;
      const { items, next } = await page({ ...filter, limit: 1 });
      expect(next).toMatchObject({ lastAt: all[0]?.lastAt });
      const rest = await page({ ...filter, limit: 1, ...(next === undefined ? {} : { after: next }) });
      expect([...items, ...rest.items]).toEqual(all);
      expect(rest.next).toBeUndefined();
    }
  });
});

describe('the last rejections of a username', () => {
  const last = async (username = 'alice') =>
    (await reader.listLast(id, username as Username)).map(({ at, clientId, reason }) => [at - noon, clientId, reason]);

  test('are the newest 20, newest first, whatever their reason, each with its client id as it was sent', async () => {
    const sums = Array.from({ length: 25 }, (_, n) =>
      sumOf('alice', noon + n, 1, `c|${n}`, n % 2 ? 'quota' : 'blocked'),
    );
    for (const sum of sums) await store.addRejections(sum);
    const newest = sums.map((_, n) => [n, `c|${n}`, n % 2 ? 'quota' : 'blocked']).slice(5);
    expect(await last()).toEqual(newest.reverse());
    expect(await last('bob')).toEqual([]);
  });

  test('one that is told late, or twice, takes none of the newer ones away', async () => {
    const late = sumOf('alice', noon - 1, 1, 'late');
    const sums = Array.from({ length: 20 }, (_, n) => sumOf('alice', noon + n, 1, `c${n}`));
    for (const sum of [...sums, late, ...sums.slice(3)]) await store.addRejections(sum);
    expect((await last()).map(([, clientId]) => clientId)).toEqual(sums.map((_, n) => `c${19 - n}`));
  });
});

describe('rejections by the hour', () => {
  test('add up over usernames, newest first, within the bounds, in pages', async () => {
    const names = Array.from({ length: 20 }, (_, n) => `user-${n}`);
    await Promise.all(names.map((name) => store.addRejections(sumOf(name, noon + 5))));
    await store.addRejections(sumOf('alice', noon - 1, 3));
    await store.addRejections(sumOf('bob', noon - 5 * hourMs, 2));
    const all = [
      { hour: noon, count: 20 },
      { hour: noon - hourMs, count: 3 },
      { hour: noon - 5 * hourMs, count: 2 },
    ];
    expect(await hours()).toEqual(all);
    expect(await hours(noon - hourMs)).toEqual(all.slice(0, 2));
    expect(await hours(0, noon - 1)).toEqual(all.slice(1));
    expect(await hours(0, noon * 2, 2)).toEqual(all.slice(0, 2));
  });

  test('a sum over the turn of an hour counts in both', async () => {
    const both = [
      { hour: ms(noon - hourMs), count: 2 },
      { hour: ms(noon), count: 3 },
    ];
    await store.addRejections({ ...sumOf('alice', noon + 1, 5), hours: both });
    expect(await hours()).toEqual([...both].reverse());
  });
});
