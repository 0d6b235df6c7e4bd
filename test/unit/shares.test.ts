// S24: the API's work is bounded, and tenants share it.

import { expect, test } from 'vitest';
import { createShare, type Part } from '../../functions/api/shares.ts';
import type { TenantId } from '../../shared/domain/ids.ts';

const never = () => new AbortController().signal;

function rig(atOnce: number, ofTenant: number, present: number) {
  const share = createShare({ atOnce, ofTenant, present, retryAfterSeconds: 1 });
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  /** False where the tenant has too many present. */
  function ask(name: string, signal: AbortSignal = never()): Promise<string | undefined> | false {
    const part: Part | undefined = share.enter(name.slice(0, 1) as TenantId);
    if (part === undefined) return false;
    const work = (): Promise<string> => {
      begun.push(name);
      return new Promise((resolve) => ends.set(name, () => resolve(name)));
    };
    return part.inTurn(work, signal).finally(() => part.leave());
  }
  async function settle(): Promise<readonly string[]> {
    await new Promise(setImmediate);
    return begun;
  }
  async function end(name: string): Promise<readonly string[]> {
    await settle();
    ends.get(name)?.();
    return settle();
  }
  return { ask, end, settle };
}

test('a tenant that asks for everything has its part, and another tenant begins at once', async () => {
  const { ask, settle } = rig(8, 4, 100);
  for (let n = 0; n < 50; n += 1) void ask(`a${n}`);
  void ask('b0');
  expect(await settle()).toEqual(['a0', 'a1', 'a2', 'a3', 'b0']);
});

test('where all places are taken, tenants that wait take turns, each in its order', async () => {
  const { ask, end } = rig(2, 2, 100);
  for (const name of ['a0', 'a1', 'a2', 'a3', 'a4', 'b0', 'b1', 'c0']) void ask(name);
  expect(await end('a0')).toEqual(['a0', 'a1', 'b0']);
  expect(await end('a1')).toEqual(['a0', 'a1', 'b0', 'a2']);
  expect(await end('b0')).toEqual(['a0', 'a1', 'b0', 'a2', 'c0']);
  expect(await end('c0')).toEqual(['a0', 'a1', 'b0', 'a2', 'c0', 'b1']);
});

test('beyond what a tenant may have present nothing is taken of it, and it is again when some have ended', async () => {
  const { ask, end } = rig(1, 1, 3);
  const asked = ['a0', 'a1', 'a2', 'a3'].map((name) => ask(name));
  expect(asked.map((answer) => answer === false)).toEqual([false, false, false, true]);
  expect(ask('b0')).not.toBe(false);
  await end('a0');
  expect(ask('a4')).not.toBe(false);
  expect(ask('a5')).toBe(false);
});

test('work of a client that has left while it waited is never begun, and holds no place', async () => {
  const { ask, end, settle } = rig(1, 1, 2);
  const client = new AbortController();
  void ask('a0');
  const waiting = ask('a1', client.signal);
  client.abort();
  expect(await waiting).toBeUndefined();
  expect(ask('a2')).not.toBe(false);
  expect(await end('a0')).toEqual(['a0', 'a2']);
  void ask('a3', client.signal);
  await end('a2');
  expect(await settle()).toEqual(['a0', 'a2']);
});

test('work that fails gives its place back', async () => {
  const share = createShare({ atOnce: 1, ofTenant: 1, present: 1, retryAfterSeconds: 1 });
  for (let n = 0; n < 3; n += 1) {
    const part = share.enter('a' as TenantId);
    const failing = part?.inTurn(() => Promise.reject(new Error('no')), never()).finally(() => part.leave());
    await expect(failing).rejects.toThrow('no');
  }
});
