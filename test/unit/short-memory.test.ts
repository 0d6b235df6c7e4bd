// What a process holds for a few seconds, and who asks for it anew.

import { expect, test } from 'vitest';
import { remember } from '../../shared/app/short-memory.ts';
import { ms } from '../../shared/domain/time.ts';

function rig() {
  let now = 1_000_000;
  let reads = 0;
  const memory = remember({ now: () => ms(now) }, async (key) => ({ key, read: ++reads }), true);
  return { memory, reads: () => reads, pass: (by: number) => (now += by) };
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
  const { memory, reads } = rig();
  const first = await memory.get('a');
  if (first === undefined) throw new Error('it is there');
  const newer = await Promise.all(Array.from({ length: 20 }, () => memory.getNewer('a', first)));
  expect(new Set(newer.map((one) => one?.read))).toEqual(new Set([2]));
  // Who comes later with the first one is given what has been read since; with that, it is read once more.
  expect(await memory.getNewer('a', first)).toBe(newer[0]);
  expect(reads()).toBe(2);
  expect(await memory.getNewer('a', newer[0] ?? first)).toEqual({ key: 'a', read: 3 });
  expect(await memory.get('a')).toEqual({ key: 'a', read: 3 });
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
  await expect(memory.getNewer('a', value)).rejects.toThrow('no');
  fails = false;
  expect(await memory.getNewer('a', value)).toBe(value);
});
