// Who waits for whom in a line, and that nobody waits for ever.

import { expect, test } from 'vitest';
import { createLines } from '../../shared/app/in-line.ts';

function gate() {
  const begun: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const work = (name: string) => () => {
    begun.push(name);
    return new Promise<string>((resolve, reject) =>
      ends.set(name, (error) => (error === undefined ? resolve(name) : reject(error))),
    );
  };
  return { begun, end: (name: string, error?: Error) => ends.get(name)?.(error), work };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('so many of one key go at a time, the others in order of arrival', async () => {
  const { begun, end, work } = gate();
  const inLine = createLines(2);
  const all = ['a', 'b', 'c', 'd'].map((name) => inLine('ann', work(name)));
  await settle();
  expect(begun).toEqual(['a', 'b']);
  end('b');
  await settle();
  // One that comes now stands behind those who wait.
  const late = inLine('ann', work('e'));
  await settle();
  expect(begun).toEqual(['a', 'b', 'c']);
  for (const name of ['a', 'c', 'd', 'e']) {
    end(name);
    await settle();
  }
  expect(begun).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(await Promise.all([...all, late])).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test('one that fails makes way like any other', async () => {
  const { begun, end, work } = gate();
  const inLine = createLines(1);
  const first = inLine('ann', work('a'));
  const second = inLine('ann', work('b'));
  await settle();
  end('a', new Error('the database did not answer'));
  await expect(first).rejects.toThrow('did not answer');
  expect(begun).toEqual(['a', 'b']);
  end('b');
  expect(await second).toBe('b');
});

test('no other key waits', async () => {
  const { begun, work } = gate();
  const inLine = createLines(1);
  for (const key of ['ann', 'ann', 'ben']) void inLine(key, work(key));
  await settle();
  expect(begun).toEqual(['ann', 'ben']);
});
