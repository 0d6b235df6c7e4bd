// What a CONNECT costs that is admitted, and its confirmation.

import type { Username } from '../../shared/domain/ids.ts';
import type { Spent } from '../meter/meter.ts';
import { check, type Path, plus } from './path.ts';
import type { Admitted, Scene, Way } from './scene.ts';

const ofNew = { write: 6, writesInARow: 3 };
const ofConfirm = { write: 2 };
/** The place leaves its lane when the session is folded. */
const ofReconnect = { write: 2 };

interface Connected {
  readonly admitted: Admitted;
  readonly spent: Spent;
}

async function connect(scene: Scene, username: Username, clientId: string, way: Way = 'door'): Promise<Connected> {
  await scene.warm(username);
  const admitted = await scene.spend(() => scene.admit(scene.metered, username, clientId, way));
  return { admitted, spent: scene.spent() };
}

async function metered(scene: Scene, work: () => Promise<unknown>): Promise<Spent> {
  await scene.spend(work);
  return scene.spent();
}

/** A session that is connected, then retained. */
async function retain(scene: Scene, clientId: string): Promise<void> {
  await scene.leave(await scene.join(scene.username, 600, clientId), 600);
}

async function reconnect(scene: Scene, clientId: string): Promise<Connected> {
  const again = await connect(scene, scene.username, clientId);
  check(again.admitted.reconnect, 'it was no reconnect');
  return again;
}

export const connectPaths: readonly Path[] = [
  {
    name: 'new session, first of its username',
    budget: ofNew,
    awaited: true,
    alone: true,
    async run(scene) {
      const { admitted, spent } = await connect(scene, await scene.newUsername(), scene.newClientId());
      await scene.leave(admitted);
      return spent;
    },
  },
  {
    name: 'new session',
    budget: ofNew,
    awaited: true,
    async run(scene) {
      const { admitted, spent } = await connect(scene, scene.username, scene.newClientId());
      check(!admitted.reconnect, 'it was a reconnect');
      await scene.leave(admitted);
      return spent;
    },
  },
  {
    name: 'new session, straight to the broker',
    budget: ofNew,
    awaited: true,
    async run(scene) {
      const { admitted, spent } = await connect(scene, scene.username, scene.newClientId(), 'broker');
      await scene.event(scene.other, 'connected', admitted);
      await scene.event(scene.other, 'disconnected', admitted);
      return spent;
    },
  },
  {
    name: 'new session of a client id that has been here before',
    budget: ofNew,
    awaited: true,
    async run(scene) {
      const clientId = scene.newClientId();
      await scene.leave(await scene.join(scene.username, 0, clientId));
      const { admitted, spent } = await connect(scene, scene.username, clientId);
      check(!admitted.reconnect, 'it was a reconnect');
      await scene.leave(admitted);
      return spent;
    },
  },
  {
    name: 'confirm',
    budget: ofConfirm,
    async run(scene) {
      const admitted = await scene.admit(scene.other, scene.username, scene.newClientId());
      const spent = await metered(scene, () => scene.tell(scene.metered, 'door.connected', admitted));
      await scene.leave(admitted);
      return spent;
    },
  },
  {
    name: 'confirm, told by the broker',
    budget: ofConfirm,
    async run(scene) {
      const admitted = await scene.admit(scene.other, scene.username, scene.newClientId(), 'broker');
      const spent = await metered(scene, () => scene.event(scene.metered, 'connected', admitted));
      await scene.event(scene.other, 'disconnected', admitted);
      return spent;
    },
  },
  {
    name: 'reconnect to a retained session',
    budget: ofReconnect,
    awaited: true,
    async run(scene) {
      const clientId = scene.newClientId();
      await retain(scene, clientId);
      const { admitted, spent } = await reconnect(scene, clientId);
      await scene.leave(admitted);
      return spent;
    },
  },
  {
    name: 'reconnect to a connected session',
    budget: ofReconnect,
    awaited: true,
    async run(scene) {
      const clientId = scene.newClientId();
      await scene.join(scene.username, 0, clientId);
      const { admitted, spent } = await reconnect(scene, clientId);
      await scene.tell(scene.other, 'door.connected', admitted);
      await scene.leave(admitted);
      return spent;
    },
  },
  {
    name: 'confirm of a reconnect',
    budget: ofConfirm,
    async run(scene) {
      const clientId = scene.newClientId();
      await retain(scene, clientId);
      const admitted = await scene.admit(scene.other, scene.username, clientId);
      const spent = await metered(scene, () => scene.tell(scene.metered, 'door.connected', admitted, 600));
      await scene.leave(admitted);
      return spent;
    },
  },
  {
    name: 'takeover of a client id from another username, which frees the other session',
    // A new session, and the end of another.
    budget: { write: 13 },
    awaited: true,
    async run(scene) {
      const clientId = scene.newClientId();
      const before = await scene.newUsername();
      await scene.join(before, 0, clientId);
      const { admitted, spent } = await connect(scene, scene.username, clientId);
      check((await scene.used(before)) === 0, 'the session of the other username still counts');
      await scene.tell(scene.other, 'door.connected', admitted);
      await scene.leave(admitted);
      return spent;
    },
  },
  {
    name: 'a whole clean life: new, confirmed, disconnected',
    budget: { write: 12 },
    run: (scene) => wholeLife(scene, scene.username),
  },
  {
    name: 'a whole clean life, alone of its username',
    budget: { write: 12 },
    alone: true,
    run: async (scene) => wholeLife(scene, await scene.newUsername()),
  },
];

async function wholeLife(scene: Scene, username: Username): Promise<Spent> {
  const before = await scene.used(username);
  const { admitted, spent } = await connect(scene, username, scene.newClientId());
  const confirmed = await metered(scene, () => scene.tell(scene.metered, 'door.connected', admitted));
  const gone = await metered(scene, () => scene.tell(scene.metered, 'door.disconnected', admitted));
  check((await scene.used(username)) === before, 'it still counts');
  return plus(spent, confirmed, gone);
}
