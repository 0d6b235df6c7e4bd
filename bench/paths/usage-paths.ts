// What readings of usage cost, and keeping them in order. A page of 50 usernames is the budget's, whichever page it is.

import { refreshRank } from '../../shared/app/usage/refresh-rank.ts';
import type { Username } from '../../shared/domain/ids.ts';
import type { UsageReader } from '../../shared/ports/usage/usage.ts';
import type { Spent } from '../meter/meter.ts';
import { check, type Path } from './path.ts';
import type { Scene } from './scene.ts';

const limit = 50;
const ofPage = { read: 60, write: 0 };
/** Each wide roster on it whose lanes are open is read with its 16 lanes. */
const ofWidePage = { read: 74, write: 0 };

type Read = (usage: UsageReader, scene: Scene) => Promise<{ readonly items: readonly unknown[] }>;

/** The process has read the whitelist before, as any but a new one has. */
function page(name: string, read: Read): Path {
  return {
    name: `page of 50 usernames, ${name}`,
    budget: ofPage,
    wideBudget: ofWidePage,
    async run(scene) {
      const { usage } = scene.metered;
      await usage.listUsernames(scene.deploymentId, { limit: 1, order: 'asc' });
      const { items } = await scene.spend(() => read(usage, scene));
      check(items.length === limit, `it held ${items.length}`);
      return scene.spent();
    },
  };
}

export const usagePaths: readonly Path[] = [
  page('by username', (usage, { deploymentId }) => usage.listUsernames(deploymentId, { limit, order: 'asc' })),
  page('by username, descending', (usage, { deploymentId }) =>
    usage.listUsernames(deploymentId, { limit, order: 'desc' }),
  ),
  page('by username, from the middle on', (usage, { deploymentId, filled }) =>
    usage.listUsernames(deploymentId, { limit, order: 'asc', after: filled.middle }),
  ),
  page('by prefix', (usage, { deploymentId, filled }) =>
    usage.listUsernames(deploymentId, { limit, order: 'asc', prefix: filled.prefix }),
  ),
  page('by used, the most first', (usage, { deploymentId }) =>
    usage.listByUsed(deploymentId, { limit, order: 'desc' }),
  ),
  page('by used, the fewest first', (usage, { deploymentId }) =>
    usage.listByUsed(deploymentId, { limit, order: 'asc' }),
  ),
  page('by used, from a minimum on', (usage, { deploymentId }) =>
    usage.listByUsed(deploymentId, { limit, order: 'asc', minUsed: 10 }),
  ),
  {
    name: 'page of 50 usernames, the first of a process: the whitelist is read too',
    budget: {},
    async run(scene) {
      const { usage } = scene.newProcess();
      await scene.spend(() => usage.listUsernames(scene.deploymentId, { limit, order: 'asc' }));
      return scene.spent();
    },
  },
  {
    name: 'page of 50 sessions of a username',
    budget: {},
    async run(scene) {
      const { usage } = scene.metered;
      await scene.spend(() => usage.listSessions(scene.deploymentId, scene.username, { limit }));
      return scene.spent();
    },
  },
  {
    name: 'a username in detail: its sessions by state',
    budget: {},
    async run(scene) {
      const detail = await scene.spend(() => scene.metered.usage.getUsername(scene.deploymentId, scene.username));
      check(detail !== undefined, 'it was not found');
      return scene.spent();
    },
  },
  {
    name: 'order by used: a username enters it, 50 s later',
    budget: { write: 2 },
    async run(scene) {
      const username = await scene.newUsername();
      const admitted = await scene.join(username);
      const spent = await refresh(scene, username);
      await scene.leave(admitted);
      await refresh(scene, username);
      return spent;
    },
  },
  {
    name: 'order by used: a username moves in it',
    budget: { write: 3 },
    async run(scene) {
      await refresh(scene, scene.username);
      const admitted = await scene.join(scene.username);
      const spent = await refresh(scene, scene.username);
      await scene.leave(admitted);
      await refresh(scene, scene.username);
      return spent;
    },
  },
  {
    name: 'order by used: a username leaves it',
    budget: { write: 2 },
    async run(scene) {
      const username = await scene.newUsername();
      const admitted = await scene.join(username);
      await refresh(scene, username);
      await scene.leave(admitted);
      return refresh(scene, username);
    },
  },
  {
    name: 'order by used: a life that began and ended between two refreshes',
    budget: { write: 0 },
    async run(scene) {
      const username = await scene.newUsername();
      await refresh(scene, username);
      await scene.leave(await scene.join(username));
      return refresh(scene, username);
    },
  },
];

async function refresh(scene: Scene, username: Username): Promise<Spent> {
  const { ranks, lifeCycle } = scene.metered;
  await scene.spend(() => refreshRank({ store: lifeCycle.store, ranks }, scene.deploymentId, username));
  return scene.spent();
}
