// Many who ask the same at the same time: each is told what was so after it asked.

import { expect, test } from 'vitest';
import { shareReads } from '../../shared/adapters/dynamodb/common/shared-reads.ts';

function rig() {
  const begun: { readonly key: string; readonly end: (value: number) => void; readonly fail: () => void }[] = [];
  const ask = shareReads(
    (key: string) => key,
    (key) =>
      new Promise<number>((resolve, reject) => begun.push({ key, end: resolve, fail: () => reject(new Error('no')) })),
  );
  return { begun, ask, rest: () => new Promise((resolve) => setImmediate(resolve)) };
}

test('whoever asks while a reading is under way shares the next one, which begins after it asked', async () => {
  const { begun, ask, rest } = rig();
  const first = ask('a');
  const late = [ask('a'), ask('a')];
  const other = ask('b');
  expect(begun.map(({ key }) => key)).toEqual(['a', 'b']);
  begun[0]?.end(1);
  expect(await first).toBe(1);
  await rest();
  expect(begun.map(({ key }) => key)).toEqual(['a', 'b', 'a']);
  const latest = ask('a');
  begun[2]?.end(2);
  begun[1]?.end(9);
  expect(await Promise.all(late)).toEqual([2, 2]);
  expect(await other).toBe(9);
  await rest();
  expect(begun).toHaveLength(4);
  begun[3]?.end(3);
  expect(await latest).toBe(3);
});

test('a reading that fails fails for who shares it, and the next one begins all the same', async () => {
  const { begun, ask, rest } = rig();
  const first = ask('a');
  const late = ask('a');
  begun[0]?.fail();
  await expect(first).rejects.toThrow('no');
  await rest();
  begun[1]?.end(2);
  expect(await late).toBe(2);
  await rest();
  const again = ask('a');
  begun[2]?.end(3);
  expect(await again).toBe(3);
});
