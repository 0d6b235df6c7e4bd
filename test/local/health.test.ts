import { expect, test } from 'vitest';
import { createHealth } from '../../local/health.ts';
import { ms } from '../../shared/domain/time.ts';

function rig(probe: () => Promise<unknown>) {
  let now = 1_000_000;
  const told: string[] = [];
  const log = {
    info: () => undefined,
    warn: (said: string) => told.push(said),
    error: (said: string) => told.push(said),
  };
  const isHealthy = createHealth(probe, { clock: { now: () => ms(now) }, log }, 5);
  return { isHealthy, told, advance: (by: number) => (now += by) };
}

test('health follows the database both ways, and each turn is one line of the log', async () => {
  let fails = false;
  const { isHealthy, told, advance } = rig(async () => {
    if (fails) throw new Error('disk full');
  });
  const healthy: boolean[] = [];
  for (const next of [false, true, true, false, false]) {
    fails = next;
    healthy.push(await isHealthy());
    advance(1_000);
  }
  expect(healthy).toEqual([true, false, false, true, true]);
  expect(told).toEqual([
    'the database cannot be written: each CONNECT is unavailable',
    'the database can be written again',
  ]);
});

test('a database that is silent is not healthy', async () => {
  expect(await rig(() => new Promise(() => undefined)).isHealthy()).toBe(false);
});

test('however many ask, the database is asked once a second', async () => {
  let asked = 0;
  const { isHealthy, advance } = rig(async () => (asked += 1));
  await Promise.all(Array.from({ length: 20 }, isHealthy));
  advance(999);
  await isHealthy();
  expect(asked).toBe(1);
  advance(1);
  await isHealthy();
  // A clock that steps back does not keep an old answer alive.
  advance(-5_000);
  await isHealthy();
  expect(asked).toBe(3);
});
