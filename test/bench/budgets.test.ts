// The budgets of every path, metered on every request that the real use cases send to the real engine: the very paths
// that the benchmark reports. Units and requests in a row, never times.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sessionsOf } from '../../bench/growth/items.ts';
import { useUsername } from '../../bench/growth/use.ts';
import { overBudget } from '../../bench/paths/path.ts';
import { paths } from '../../bench/paths/paths.ts';
import { type Prepared, prepareScene } from '../../bench/paths/prepare.ts';
import { startTestEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.stop());

describe.each([
  { usernames: 200, held: 20 },
  { usernames: 4_000, held: 90 },
])('$held sessions of the username, $usernames usernames of the deployment', ({ usernames, held }) => {
  let prepared: Prepared;
  beforeAll(async () => {
    prepared = await prepareScene(engine.endpoint, `budgets-${usernames}`, { usernames, held });
  }, 180_000);
  afterAll(() => prepared.close());

  test.each(paths)('$name: within its budget', async (path) => {
    const spent = await path.run(prepared.scene);
    expect(spent.requests).toBeGreaterThan(0);
    expect(overBudget(path.budget, spent)).toEqual([]);
  });
});

describe('of a username with 300 sessions, whose roster is wide and in use', () => {
  let prepared: Prepared;
  beforeAll(async () => {
    prepared = await prepareScene(engine.endpoint, 'budgets-wide', {
      usernames: 200,
      held: 0,
      items: (id, username, at) => sessionsOf(id, username, 300, at),
    });
    await useUsername(prepared.scene);
  }, 180_000);
  afterAll(() => prepared.close());

  // A username of its own is a narrow one.
  test.each(paths.filter(({ alone }) => alone !== true))('$name: within its budget', async (path) => {
    const spent = await path.run(prepared.scene);
    expect(overBudget(path.wideBudget ?? path.budget, spent)).toEqual([]);
  });
});

test('every path has a name of its own, and the budgets of the contract are held against them', () => {
  expect(new Set(paths.map(({ name }) => name)).size).toBe(paths.length);
  const budgets = Object.fromEntries(paths.map(({ name, budget }) => [name, budget]));
  expect(budgets).toMatchObject({
    'new session': { write: 6, writesInARow: 3 },
    'new session, first of its username': { write: 6, writesInARow: 3 },
    confirm: { write: 2 },
    'a whole clean life: new, confirmed, disconnected': { write: 12 },
    'a whole clean life, alone of its username': { write: 12 },
    'reconnect to a retained session': { write: 2 },
    'reconnect to a connected session': { write: 2 },
    'rejected for quota': { read: 4, write: 0 },
    'rejected for quota, each of 100 at once': { read: 4, write: 0 },
    'page of 50 usernames, by username': { read: 60 },
    'page of 50 usernames, by used, the most first': { read: 60 },
    'a sweep that finds nothing': { write: 0 },
  });
});
