// What a process holds for a few seconds, and who asks for it anew.

import { expect, test } from 'vitest';
import { remember } from '../../shared/app/common/short-memory.ts';
import { ms } from '../../shared/domain/time.ts';

function rig() {
  let now = 1_000_000;
  let reads = 0;
  const memory = remember({ now: () => ms(now) }, async (key) => ({ key, read: ++reads }), true);
  return { memory, reads: () => reads, now: () => ms(now), pass: (by: number) => (now += by) };
}

test('is read once in four seconds, however many ask', async () => {
  const { memory, reads, pass } = rig();
  await Promise.all(Array.from({ length: 20 }, () => memory.get('a')));
  pass(3_999);
  await memory.get('a');
  expect(reads()).toBe(1);
  pass(1);
  expect(await memory.get('a')).toEqual({ key: 'a', read: 2 });
});

test('is read anew for whom what is held is not new enough; of many that ask at once, one reads', async () => {
  const { memory, reads, now, pass } = rig();
  const first = await memory.get('a');
  if (first === undefined) throw new Error('it is there');
  pass(5_000);
  // Somebody else has it read, before the change that this one has found out about.
  expect((await memory.get('a'))?.read).toBe(2);
  pass(10);
  const since = now();
  pass(10);
  const newer = await Promise.all(Array.from({ length: 20 }, () => memory.getNewer('a', first, since)));
  expect(new Set(newer.map((one) => one?.read))).toEqual(new Set([3]));
  // Who comes with that one, within the same millisecond, knows that it is not new enough.
  expect(await memory.getNewer('a', newer[0] ?? first, now())).toEqual({ key: 'a', read: 4 });
  expect(await memory.get('a')).toEqual({ key: 'a', read: 4 });
  expect(reads()).toBe(4);
});

test('a reading that fails is not held, and is told to whoever asked', async () => {
  let fails = false;
  const value = { is: 'there' };
  const memory = remember(
    { now: () => ms(1_000_000) },
    async () => (fails ? Promise.reject(new Error('no')) : value),
    true,
  );
  expect(await memory.get('a')).toBe(value);
  fails = true;
  await expect(memory.getNewer('a', value, ms(1_000_000))).rejects.toThrow('no');
  fails = false;
  expect(await memory.getNewer('a', value, ms(1_000_000))).toBe(value);
});

test('what is recalled is bounded by its bytes, whatever tenants have written: the oldest goes', async () => {
  const memory = remember(
    { now: () => ms(1) },
    async (key) => ({ key }),
    true,
    () => 30_000_000,
  );
  for (const key of ['a', 'b', 'c']) await memory.get(key);
  expect(['a', 'b', 'c'].map((key) => memory.recall(key)?.key)).toEqual([undefined, 'b', 'c']);
  await memory.reread('b');
  await memory.get('d');
  expect(['b', 'c', 'd'].map((key) => memory.recall(key)?.key)).toEqual(['b', undefined, 'd']);
});
