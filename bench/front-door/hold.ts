// Idle connections held by a front door in a process of its own, and what it holds for each of them. The broker behind it is
// here: it says yes to every CONNECT and nothing else.

import { createServer, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { generate } from 'mqtt-packet';
import { type Child, startChild } from '../child/child.ts';
import { startCrowd } from '../clients/crowd.ts';
import { listenAnywhere } from '../clients/listen.ts';
import type { DoorApi, DoorMemory, Tls } from './door-process.ts';

/** Opened and closed again before anything is counted, so that code and buffers which stay are there already. */
const rehearsed = 200;
/** Handshakes of more at once would only wait for one another. */
const width = 32;
const login = { username: 'alice', password: 'alice-secret', protocolVersion: 5 } as const;
const connack = generate({ cmd: 'connack', reasonCode: 0, sessionPresent: false }, { protocolVersion: 5 });

function admitAll(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  socket.once('data', () => socket.write(connack));
  socket.on('data', () => undefined);
}

async function settle(door: Child<DoorApi>, connections: number): Promise<DoorMemory> {
  for (let tried = 0; tried < 100; tried++) {
    const memory = await door.call.memory();
    if (memory.connections === connections) return memory;
    await wait(100);
  }
  throw new Error(`the front door never held ${connections} connections`);
}

/** `tls`: on both sides. Bytes are those of one connection. */
export async function hold(count: number, tls: Tls | undefined): Promise<DoorMemory> {
  const door = startChild<DoorApi>(new URL('./door-process.ts', import.meta.url), { execArgv: ['--expose-gc'] });
  const crowd = startCrowd(1);
  const broker = tls === undefined ? createServer(admitAll) : createTlsServer({ ...tls }, admitAll);
  try {
    const port = await door.call.open(await listenAnywhere(broker), tls);
    const join = async (clients: number): Promise<void> => {
      const devices = Array.from({ length: clients }, (_, n) => ({ clientId: `idle-${n}`, login }));
      const answers = await crowd.join({ port, tls: tls !== undefined }, devices, width);
      if (answers.some(({ told }) => told !== 0))
        throw new Error(`a client was told ${answers.find(({ told }) => told !== 0)?.told}`);
    };
    await join(rehearsed);
    await crowd.leave();
    const before = await settle(door, 0);
    await join(count);
    const after = await settle(door, count);
    return {
      connections: count,
      residentBytes: (after.residentBytes - before.residentBytes) / count,
      heapBytes: (after.heapBytes - before.heapBytes) / count,
    };
  } finally {
    await crowd.stop();
    await door.stop();
    broker.close();
  }
}
