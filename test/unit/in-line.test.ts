// Who waits for whom in a line, and that nobody waits for ever.

import { expect, test } from 'vitest';
import { createLines } from '../../shared/app/admission/in-line.ts';

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
  const inLine = createLines({ atOnce: 2, maxWaiting: 10 });
  const all = ['a', 'b', 'c', 'd'].map((name) => inLine('ann', undefined, work(name)));
  await settle();
  expect(begun).toEqual(['a', 'b']);
  end('b');
  await settle();
  // One that comes now stands behind those who wait.
  const late = inLine('ann', undefined, work('e'));
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
  const inLine = createLines({ atOnce: 1, maxWaiting: 10 });
  const first = inLine('ann', undefined, work('a'));
  const second = inLine('ann', undefined, work('b'));
  await settle();
  end('a', new Error('the database did not answer'));
  await expect(first).rejects.toThrow('did not answer');
  expect(begun).toEqual(['a', 'b']);
  end('b');
  expect(await second).toBe('b');
});

test('no other key waits', async () => {
  const { begun, work } = gate();
  const inLine = createLines({ atOnce: 1, maxWaiting: 10 });
  for (const key of ['ann', 'ann', 'ben']) void inLine(key, undefined, work(key));
  await settle();
  expect(begun).toEqual(['ann', 'ben']);
});

test('one that leaves is out of its line at once, and is never begun', async () => {
  const { begun, end, work } = gate();
  const inLine = createLines({ atOnce: 1, maxWaiting: 10 });
  const leaving = new AbortController();
  void inLine('ann', undefined, work('a'));
  const gone = inLine('ann', leaving.signal, work('b'));
  const next = inLine('ann', undefined, work('c'));
  leaving.abort();
  expect(await gone).toBeUndefined();
  expect(await inLine('ann', leaving.signal, work('d'))).toBeUndefined();
  end('a');
  await settle();
  end('c');
  expect(await next).toBe('c');
  expect(begun).toEqual(['a', 'c']);
});

test('a full line refuses the next of its key, and no other', async () => {
  const { begun, end, work } = gate();
  const inLine = createLines({ atOnce: 1, maxWaiting: 1 });
  const all = ['a', 'b'].map((name) => inLine('ann', undefined, work(name)));
  expect(await inLine('ann', undefined, work('c'))).toBeUndefined();
  const other = inLine('ben', undefined, work('d'));
  for (const name of ['a', 'b', 'd']) {
    end(name);
    await settle();
  }
  expect(await Promise.all([...all, other])).toEqual(['a', 'b', 'd']);
  expect(begun).toEqual(['a', 'd', 'b']);
});
