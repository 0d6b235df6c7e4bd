// S24: in which order a queue that many share serves them, and which entry goes when it is full.

import { describe, expect, test } from 'vitest';
import { FairQueue, type FairQueueOptions } from '../../shared/domain/fair-queue.ts';

const shareOf = (entry: string) => {
  const [deployment = '', address = ''] = entry.split('/');
  return { deployment, address };
};

/** Entries read `deployment/address/n`. */
function fill(options: FairQueueOptions, entries: readonly string[]) {
  const queue = new FairQueue<string>(options);
  const dropped = entries.flatMap((entry) => queue.enter(shareOf(entry), entry) ?? []);
  const serve = (): string[] => {
    const next = queue.next();
    return next === undefined ? [] : [next, ...serve()];
  };
  return { queue, dropped, serve };
}

describe('the order', () => {
  test.each<[string, string[], string[]]>([
    ['of one address is that of arrival', ['a/x/1', 'a/x/2', 'a/x/3'], ['a/x/1', 'a/x/2', 'a/x/3']],
    ['gives deployments turns', ['a/x/1', 'a/x/2', 'a/x/3', 'b/x/1'], ['a/x/1', 'b/x/1', 'a/x/2', 'a/x/3']],
    [
      'gives the addresses of one deployment turns',
      ['a/x/1', 'a/x/2', 'a/x/3', 'a/y/1'],
      ['a/x/1', 'a/y/1', 'a/x/2', 'a/x/3'],
    ],
    [
      'gives a deployment of many addresses no more than one of one',
      ['a/x/1', 'a/y/1', 'a/z/1', 'b/x/1', 'b/x/2'],
      ['a/x/1', 'b/x/1', 'a/y/1', 'b/x/2', 'a/z/1'],
    ],
    [
      'counts the deployment alone where no address is known',
      ['a//1', 'a//2', 'b//1', 'b//2'],
      ['a//1', 'b//1', 'a//2', 'b//2'],
    ],
  ])('%s', (_what, entries, order) => {
    expect(fill({ maxWaiting: 10 }, entries).serve()).toEqual(order);
  });

  test('a newcomer comes after one entry of each other share, however many wait there', () => {
    const flood = Array.from({ length: 1_000 }, (_, n) => `a/x/${n}`);
    const { queue } = fill({ maxWaiting: 1_000 }, flood);
    for (let n = 0; n < 10; n++) queue.next();
    queue.enter(shareOf('b/y/1'), 'b/y/1');
    queue.enter(shareOf('a/y/1'), 'a/y/1');
    expect([queue.next(), queue.next(), queue.next()]).toEqual(['a/x/10', 'b/y/1', 'a/y/1']);
  });

  test('an address of more weight is served more in its turn', () => {
    const weightOf = ({ address }: { address: string }) => (address === 'x' ? 2 : 1);
    const entries = ['a/x/1', 'a/x/2', 'a/x/3', 'a/y/1', 'a/y/2'];
    expect(fill({ maxWaiting: 10, weightOf }, entries).serve()).toEqual(['a/x/1', 'a/x/2', 'a/y/1', 'a/x/3', 'a/y/2']);
  });
});

describe('full, it drops', () => {
  test.each<[string, string[], string[]]>([
    ['the newcomer of the only share', ['a/x/1', 'a/x/2', 'a/x/3', 'a/x/4'], ['a/x/4']],
    ['the newest of the largest deployment', ['a/x/1', 'a/x/2', 'a/x/3', 'b/x/1'], ['a/x/3']],
    ['the newest of the largest address', ['a/x/1', 'a/x/2', 'a/y/1', 'a/z/1'], ['a/x/2']],
    [
      'nothing of a smaller deployment whose addresses are larger',
      ['b/x/1', 'a/y/1', 'a/z/1', 'b/x/2', 'a/w/1'],
      ['b/x/2', 'a/w/1'],
    ],
    ['the newcomer among equals', ['a/x/1', 'b/x/1', 'c/x/1', 'd/x/1'], ['d/x/1']],
  ])('%s', (_what, entries, dropped) => {
    expect(fill({ maxWaiting: 3 }, entries).dropped).toEqual(dropped);
  });

  test('by weight: the larger part of a heavier address is smaller', () => {
    const weightOf = ({ address }: { address: string }) => (address === 'x' ? 8 : 1);
    const entries = ['a/x/1', 'a/x/2', 'a/y/1', 'a/z/1'];
    expect(fill({ maxWaiting: 3, weightOf }, entries).dropped).toEqual(['a/z/1']);
  });

  test('a flood never pushes out another share, whoever comes first', () => {
    const flood = (n: number) => `a/${n % 7}/${n}`;
    const others = ['b/x/1', 'c/x/1', 'c/y/1'];
    const before = Array.from({ length: 50 }, (_, n) => flood(n));
    const after = Array.from({ length: 500 }, (_, n) => flood(n + 50));
    const { dropped, serve } = fill({ maxWaiting: 20 }, [...before, ...others, ...after]);
    expect(dropped.filter((entry) => others.includes(entry))).toEqual([]);
    const served = serve();
    expect(served).toHaveLength(20);
    expect(served.slice(0, 5)).toEqual(expect.arrayContaining(others));
  });
});

test('an address has a bound of its own', () => {
  const { dropped } = fill({ maxWaiting: 10, maxOfAddress: 2 }, ['a/x/1', 'a/x/2', 'a/x/3', 'a/y/1']);
  expect(dropped).toEqual(['a/x/3']);
});

test('who leaves is gone, once, and no turn is spent on it', () => {
  const { queue, serve } = fill({ maxWaiting: 10 }, ['a/x/1', 'a/x/2', 'b/y/1']);
  expect([queue.leave(shareOf('b/y/1'), 'b/y/1'), queue.leave(shareOf('b/y/1'), 'b/y/1')]).toEqual([true, false]);
  expect(queue.leave(shareOf('a/x/1'), 'a/x/1')).toBe(true);
  expect(queue.size).toBe(1);
  expect(serve()).toEqual(['a/x/2']);
});

test('cleared, it gives everything back and is empty', () => {
  const { queue, serve } = fill({ maxWaiting: 10 }, ['a/x/1', 'b/y/1']);
  expect(queue.clear()).toEqual(['a/x/1', 'b/y/1']);
  expect([queue.size, serve()]).toEqual([0, []]);
});
