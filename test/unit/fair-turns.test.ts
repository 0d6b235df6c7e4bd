// S24: work for clients that have not proven who they are, counted: what is begun, in which order, and what never is.

import { expect, test } from 'vitest';
import { createFairTurns } from '../../shared/app/admission/fair-turns.ts';
import { createGate, type Gate } from '../support/gate.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));
const shareOf = (name: string) => ({ deployment: name.charAt(0), address: name.slice(1, 2) });

function rig(maxWaiting: number) {
  const turns = createFairTurns({ maxRunning: 1, maxWaiting });
  const begun: string[] = [];
  const gates = new Map<string, Gate>();
  const take = (name: string, left?: AbortSignal) =>
    turns.take(shareOf(name), left, async () => {
      begun.push(name);
      const gate = createGate();
      gates.set(name, gate);
      await gate.opened;
      return name;
    });
  const finishAll = async (): Promise<void> => {
    for (let done = 0; done < begun.length; done++) {
      gates.get(begun[done] ?? '')?.open();
      await settle();
    }
  };
  return { turns, begun, take, finishAll };
}

test('a work of another share is begun after at most one of each share that waits', async () => {
  const { begun, take, finishAll } = rig(100);
  const flood = Array.from({ length: 50 }, (_, n) => take(`ax${n}`));
  const late = take('by');
  await finishAll();
  expect(begun.indexOf('by')).toBe(2);
  expect(await Promise.all([...flood, late])).not.toContain(undefined);
});

test('works of clients that have left are never begun, and take no room', async () => {
  const { begun, take, finishAll } = rig(50);
  const first = take('ax');
  const leaving = Array.from({ length: 50 }, () => new AbortController());
  const gone = leaving.map(({ signal }, n) => take(`ax${n}`, signal));
  for (const client of leaving) client.abort();
  expect(await Promise.all(gone)).toEqual(Array(50).fill(undefined));
  const staying = Array.from({ length: 50 }, (_, n) => take(`ay${n}`));
  await finishAll();
  expect(await Promise.all([first, ...staying])).not.toContain(undefined);
  expect(begun).toHaveLength(51);
});

test('a work that fails passes its place on', async () => {
  const { begun, turns, take, finishAll } = rig(1);
  const failed = turns.take(shareOf('ax'), undefined, () => Promise.reject(new Error('no answer')));
  const next = take('ax');
  await expect(failed).rejects.toThrow('no answer');
  await finishAll();
  expect([begun, await next]).toEqual([['ax'], 'ax']);
});

/** The order of two addresses of one deployment with 12 works each. */
async function orderAfter(note: (turns: ReturnType<typeof rig>['turns']) => void): Promise<string> {
  const { turns, begun, take, finishAll } = rig(100);
  void take('zz');
  for (const address of ['x', 'y']) for (let n = 0; n < 12; n++) void take(`a${address}${n}`);
  note(turns);
  await finishAll();
  return begun
    .slice(1)
    .map((name) => name.charAt(1))
    .join('');
}

test('an address keeps its full share until its passwords are wrong, and a right one restores it', async () => {
  const wrong = (turns: ReturnType<typeof rig>['turns']) => {
    for (let n = 0; n < 10; n++) turns.note(shareOf('ax'), 'wrong');
  };
  expect(await orderAfter(() => undefined)).toBe(`${'x'.repeat(8)}${'y'.repeat(8)}xxxxyyyy`);
  expect(await orderAfter(wrong)).toBe(`x${'y'.repeat(8)}xyyyy${'x'.repeat(10)}`);
  expect(
    await orderAfter((turns) => {
      wrong(turns);
      turns.note(shareOf('ax'), 'right');
    }),
  ).toBe(`${'x'.repeat(8)}${'y'.repeat(8)}xxxxyyyy`);
});

test('without contention wrong passwords cost an address nothing', async () => {
  const { turns, begun, take, finishAll } = rig(100);
  for (let n = 0; n < 10; n++) turns.note(shareOf('ax'), 'wrong');
  void take('zz');
  for (const address of ['x', 'y']) for (let n = 0; n < 2; n++) void take(`a${address}${n}`);
  await finishAll();
  expect(begun).toEqual(['zz', 'ax0', 'ax1', 'ay0', 'ay1']);
});

test('closed, it refuses what waits and what comes, and begins nothing more', async () => {
  const { begun, turns, take, finishAll } = rig(100);
  const first = take('ax');
  const waiting = Array.from({ length: 20 }, (_, n) => take(`ax${n}`));
  turns.close();
  expect(await Promise.all(waiting)).toEqual(Array(20).fill(undefined));
  expect(await take('by')).toBeUndefined();
  await finishAll();
  expect([begun, await first]).toEqual([['ax'], 'ax']);
});
