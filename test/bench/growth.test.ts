// Growth is computed from what was metered: a path that costs more in a larger installation cannot pass for flat, and a
// budget that breaks at any size ends the benchmark with 1. What fills the tables is what the product would have written.

import { beforeAll, describe, expect, it } from 'vitest';
import { type Grown, growthRows } from '../../bench/growth/grown.ts';
import { sessionsAtRest, sessionsOf } from '../../bench/growth/items.ts';
import type { Spent } from '../../bench/meter/meter.ts';
import { overBudget, type Path } from '../../bench/paths/path.ts';
import { groundInMemory, prepareScene } from '../../bench/paths/prepare.ts';
import type { Scene } from '../../bench/paths/scene.ts';
import { recount } from '../../shared/app/counter/recount.ts';
import type { ClientId, Username } from '../../shared/domain/ids.ts';

const spentOf = (write: number, read: number): Spent => ({
  write,
  read,
  indexWrite: 0,
  requests: 3,
  inARow: 3,
  writesInARow: 2,
});

function grownOf(name: string, more: Partial<Path>, ...writes: readonly number[]): Grown {
  const path: Path = { name, budget: {}, run: () => Promise.reject(new Error('it is not run')), ...more };
  return { path, at: writes.map((write, n) => ({ size: 10 ** (n + 1), spent: spentOf(write, 3), wide: false })) };
}

describe('rows of growth', () => {
  const rows = growthRows('sessions', [
    grownOf('steady', { awaited: true, budget: { write: 6 } }, 5, 5, 5),
    grownOf('growing', { awaited: true, budget: { write: 6 } }, 5, 5, 13),
    grownOf('aside', {}, 2, 2, 7),
  ]);
  const find = (what: string) => rows.find((row) => row.what.startsWith(what));

  it('name the paths that a client waits for and that grow', () => {
    expect(find('paths that a client waits for')).toMatchObject({
      value: 1,
      unit: 'of 2',
      ok: false,
      detail: 'growing',
    });
  });

  it('leave to chance some hundredths of what shares readings, and no more', () => {
    const grew = (more: Partial<Path>, ...writes: readonly number[]) =>
      growthRows('sessions', [grownOf('storm', { awaited: true, ...more }, ...writes)])[0]?.value;
    expect([grew({ together: true }, 5, 5.2), grew({ together: true }, 5, 6), grew({}, 5, 5.2)]).toEqual([0, 1, 1]);
  });

  it('end the benchmark with 1 where a budget breaks at any size', () => {
    expect(find('budgets broken')).toMatchObject({ value: 1, budget: 0, ok: false, binding: true });
    expect(find('budgets broken')?.detail).toBe('growing at 1,000: 13 write units, 6 are allowed');
    const kept = growthRows('sessions', [grownOf('steady', { budget: { write: 6 } }, 5, 6)]);
    expect(kept.find((row) => row.what.startsWith('budgets broken'))).toMatchObject({ value: 0, ok: true });
  });

  it('hold a wide roster against its own budgets, and say which of the others it breaks', () => {
    const grown = grownOf('confirm', { budget: { write: 2 }, wideBudget: { write: 3 } }, 2, 3);
    const wide = { ...grown, at: grown.at.map((one) => ({ ...one, wide: one.size > 10 })) };
    const said = (all: readonly Grown[], what: string) =>
      growthRows('sessions', all).find((row) => row.what.startsWith(what));
    expect(said([wide], 'budgets broken')).toMatchObject({ value: 0, ok: true });
    expect(said([wide], 'budgets of a narrow username')).toMatchObject({ value: 1, ok: false });
    expect(said([grown], 'budgets broken')).toMatchObject({ value: 1, ok: false, binding: true });
    expect(said([grown], 'budgets of a narrow username')).toBeUndefined();
  });

  it('say how many times as much, and which paths cost the same', () => {
    expect(find('growing, by sessions')?.value).toBe(2);
    expect(find('aside, by sessions')?.value).toBe(2);
    expect(find('paths that cost the same')).toMatchObject({ value: 1, unit: 'of 3' });
    expect(find('paths that cost the same')?.detail).toContain('steady');
  });
});

describe('a scene', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await prepareScene(groundInMemory(), {
      usernames: 60,
      held: 0,
      items: function* (id, username, at) {
        yield* sessionsOf(id, username, 300, at);
        yield* sessionsAtRest(id, 40, at);
      },
    });
  });

  it('sessions written in bulk are counted, and a recount has nothing to repair', async () => {
    for (const [username, used] of [
      [scene.username, 300],
      ['crowd-000003' as Username, 10],
    ] as const) {
      expect(await scene.used(username)).toBe(used);
      const counted = await recount(scene.other.lifeCycle, scene.deploymentId, username);
      expect(counted).toMatchObject({ removed: 0, added: 0, finished: 0, sessions: used });
    }
  });

  it('a client of theirs reconnects free of count', async () => {
    const again = await scene.admit(scene.other, scene.username, `${scene.username}-00000007`);
    expect(again.reconnect).toBe(true);
    await scene.tell(scene.other, 'door.connected', again);
  });

  it('requests that travel together are one in a row, and a write too many breaks its budget', async () => {
    const { store } = scene.metered.lifeCycle;
    // Readings of the same item at the same moment would be one request.
    const read = () => store.nextDue(scene.deploymentId, scene.username);
    await scene.spend(() => Promise.all([read(), read(), read()]));
    expect(scene.spent()).toMatchObject({ requests: 3, inARow: 1, writesInARow: 0, read: 1.5 });
    await scene.spend(async () => {
      await read();
      await read();
    });
    expect(scene.spent()).toMatchObject({ requests: 2, inARow: 2 });

    const owner = { username: scene.username, keptUntil: scene.at() };
    const write = (name: string) => store.putOwner(scene.deploymentId, name as ClientId, owner, undefined);
    await scene.spend(async () => {
      await Promise.all([write('a'), write('b')]);
      await write('c');
    });
    expect(scene.spent()).toMatchObject({ write: 3, writesInARow: 2 });
    expect(overBudget({ write: 3, writesInARow: 2 }, scene.spent())).toEqual([]);
    expect(overBudget({ write: 2, writesInARow: 1 }, scene.spent())).toEqual([
      '3 write units, 2 are allowed',
      '2 writes in a row, 1 are allowed',
    ]);
  });
});
