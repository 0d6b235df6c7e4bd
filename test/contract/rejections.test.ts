// Rejections written and read on the real engine: counted exactly, whatever is repeated and in whatever order it comes.

import { beforeEach, describe, expect, test } from 'vitest';
import { createRejectionReader } from '../../shared/adapters/dynamodb/rejection-reader.ts';
import { createRejectionStore } from '../../shared/adapters/dynamodb/rejection-store.ts';
import type { ClientId, DeploymentId, Username } from '../../shared/domain/ids.ts';
import { ms } from '../../shared/domain/time.ts';
import type { RecentPlace, RejectionReader, RejectionStore, RejectionSum } from '../../shared/ports/rejections.ts';
import { tableForAllTests } from '../support/tables.ts';

const hourMs = 3_600_000;
const noon = Date.UTC(2026, 10, 22, 12);

let store: RejectionStore;
let reader: RejectionReader;
let nextId = 0;
let id: DeploymentId;
let nextSum = 0;

tableForAllTests(({ client, tableName }) => {
  store = createRejectionStore(client, tableName);
  reader = createRejectionReader(client, tableName);
});
beforeEach(() => {
  nextId += 1;
  id = `d${nextId}` as DeploymentId;
});

function sumOf(username: string, at: number, count = 1, clientId = `${username}-client`): RejectionSum {
  nextSum += 1;
  return {
    deploymentId: id,
    username: username as Username,
    clientId: clientId as ClientId,
    sumId: `sum-${nextSum}`,
    count,
    lastAt: ms(at),
    hours: [{ hour: ms(at - (at % hourMs)), count }],
  };
}

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
  expect(await recent()).toEqual([{ username: 'alice', clientId: 'newest', count: 6, lastAt: noon + 10 }]);
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
  expect(await recent()).toEqual([{ username: 'alice', clientId: 'c11', count: 78, lastAt: noon + 11 }]);
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
