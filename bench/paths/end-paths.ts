// What the end of a session costs: disconnected, expired, kicked.

import { kickClient } from '../../shared/app/operations/kick.ts';
import { sweep } from '../../shared/app/repair/sweep.ts';
import type { Username } from '../../shared/domain/ids.ts';
import type { Spent } from '../meter/meter.ts';
import { check, type Path } from './path.ts';
import type { Scene } from './scene.ts';

async function disconnect(scene: Scene, username: Username): Promise<Spent> {
  const admitted = await scene.join(username);
  const before = await scene.used(username);
  await scene.spend(() => scene.tell(scene.metered, 'door.disconnected', admitted));
  check((await scene.used(username)) === before - 1, 'it still counts');
  return scene.spent();
}

/** What the sweep itself reads, whoever has expired, is not charged to the session: a sweep that finds nothing tells. */
async function expire(scene: Scene, username: Username): Promise<Spent> {
  await scene.leave(await scene.join(username, 60), 60);
  scene.pass(61);
  const swept = await scene.spend(() => sweep(scene.metered.lifeCycle));
  check(swept.freed === 1 && swept.failed === 0, `the sweep freed ${swept.freed}`);
  const spent = scene.spent();
  const idle = await restingSweep(scene);
  return { ...spent, read: spent.read - idle.read, requests: spent.requests - idle.requests };
}

async function restingSweep(scene: Scene): Promise<Spent> {
  const swept = await scene.spend(() => sweep(scene.metered.lifeCycle));
  check(swept.freed === 0 && swept.failed === 0, `the sweep freed ${swept.freed}`);
  return scene.spent();
}

export const endPaths: readonly Path[] = [
  { name: 'disconnected, no expiry: freed', budget: {}, run: (scene) => disconnect(scene, scene.username) },
  {
    name: 'disconnected, no expiry, the last of its username',
    budget: {},
    alone: true,
    run: async (scene) => disconnect(scene, await scene.newUsername()),
  },
  {
    name: 'disconnected, no expiry, told by the broker',
    budget: {},
    async run(scene) {
      const admitted = await scene.admit(scene.other, scene.username, scene.newClientId(), 'broker');
      await scene.event(scene.other, 'connected', admitted);
      await scene.spend(() => scene.event(scene.metered, 'disconnected', admitted));
      return scene.spent();
    },
  },
  {
    name: 'disconnected with an expiry: retained',
    budget: {},
    async run(scene) {
      const admitted = await scene.join(scene.username, 600);
      await scene.spend(() => scene.tell(scene.metered, 'door.disconnected', admitted, 600));
      const spent = scene.spent();
      await kickClient(scene.other.lifeCycle, admitted.deploymentId, admitted.clientId);
      return spent;
    },
  },
  { name: 'expired: freed by the sweeper', budget: {}, run: (scene) => expire(scene, scene.username) },
  {
    name: 'expired, the last of its username',
    budget: {},
    alone: true,
    run: async (scene) => expire(scene, await scene.newUsername()),
  },
  {
    name: 'kicked',
    budget: {},
    async run(scene) {
      const { deploymentId, clientId } = await scene.join(scene.username);
      const kicked = await scene.spend(() => kickClient(scene.metered.lifeCycle, deploymentId, clientId));
      check(kicked.kind === 'ended', `the kick was ${kicked.kind}`);
      return scene.spent();
    },
  },
  { name: 'a sweep that finds nothing', budget: { write: 0 }, run: restingSweep },
];
