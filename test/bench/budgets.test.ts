// The budgets of every path, metered on every request that the real use cases send: the very paths that the benchmark
// reports. Units and requests in a row, never times.

import { beforeAll, describe, expect, test } from 'vitest';
import { sessionsOf } from '../../bench/growth/items.ts';
import { useUsername } from '../../bench/growth/use.ts';
import { connectPaths } from '../../bench/paths/connect-paths.ts';
import { overBudget } from '../../bench/paths/path.ts';
import { paths } from '../../bench/paths/paths.ts';
import { groundInMemory, prepareScene } from '../../bench/paths/prepare.ts';
import { rejectPaths } from '../../bench/paths/reject-paths.ts';
import type { Scene } from '../../bench/paths/scene.ts';

describe.each([
  { usernames: 200, held: 20 },
  { usernames: 4_000, held: 90 },
])('$held sessions of the username, $usernames usernames of the deployment', ({ usernames, held }) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await prepareScene(groundInMemory(), { usernames, held });
  });

  test.each(paths)('$name: within its budget', async (path) => {
    const spent = await path.run(scene);
    expect(spent.requests).toBeGreaterThan(0);
    expect(overBudget(path.budget, spent)).toEqual([]);
  });
});

// The scenes above have a whitelist and overrides.
describe.each([
  { of: 'neither a whitelist nor overrides', whitelist: false, overrides: false, read: 1.5 },
  { of: 'a whitelist and no overrides', whitelist: true, overrides: false, read: 2 },
  { of: 'overrides and no whitelist', whitelist: false, overrides: true, read: 2 },
])('of a deployment with $of', ({ whitelist, overrides, read }) => {
  let scene: Scene;
  beforeAll(async () => {
    const options = { usernames: 200, held: 20, lists: { whitelist, overrides } };
    scene = await prepareScene(groundInMemory(), options);
  });

  test.each([...connectPaths, ...rejectPaths])('$name: within its budget', async (path) => {
    const spent = await path.run(scene);
    expect(overBudget(path.budget, spent)).toEqual([]);
  });

  test('a new session is one batch read, of nothing that cannot be there, and three writes', async () => {
    await scene.warm(scene.username);
    // Whoever comes to a username that was full a moment ago reads its roster apart.
    await scene.leave(await scene.admit(scene.metered, scene.username, scene.newClientId()));
    await scene.leave(await scene.spend(() => scene.admit(scene.metered, scene.username, scene.newClientId())));
    expect(scene.spent()).toMatchObject({ requests: 4, read });
  });
});

describe('of a username with 300 sessions, whose roster is wide and in use', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await prepareScene(groundInMemory(), {
      usernames: 200,
      held: 0,
      items: (id, username, at) => sessionsOf(id, username, 300, at),
    });
    await useUsername(scene);
  });

  // A username of its own is a narrow one.
  test.each(paths.filter(({ alone }) => alone !== true))('$name: within its budget', async (path) => {
    const spent = await path.run(scene);
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
    'rejected for quota, each of 100 at once in a new process': { read: 4, write: 0 },
    'page of 50 usernames, by username': { read: 60 },
    'page of 50 usernames, by used, the most first': { read: 60 },
    'a sweep that finds nothing': { write: 0 },
  });
});
