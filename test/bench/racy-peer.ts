// A broker that limits as one does who counts first and admits later: everybody who comes at the same moment is held
// against the same count. What measures bursts must catch it.

import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { generate, parser } from 'mqtt-packet';
import type { Peer } from '../../bench/peers/peer.ts';

export interface Racy {
  /** CONNECTs that are decided together. */
  readonly together: number;
  readonly limit: number;
  /** How many of those let in are closed again as soon as they have been told. */
  readonly closedAgain: number;
}

const login = { username: 'alice', password: 'alice-secret', protocolVersion: 4 } as const;

export async function startRacyPeer({ together, limit, closedAgain }: Racy): Promise<Peer> {
  const held = new Set<Socket>();
  let waiting: Socket[] = [];

  const tell = (socket: Socket, returnCode: number): void => {
    socket.write(generate({ cmd: 'connack', returnCode, sessionPresent: false }));
    if (returnCode === 0) held.add(socket);
    else socket.end();
  };
  function decideAll(): void {
    const counted = held.size;
    const all = waiting;
    waiting = [];
    for (const socket of all) tell(socket, counted < limit ? 0 : 3);
    for (const socket of [...held].slice(0, counted < limit ? closedAgain : 0)) socket.end();
  }
  function onConnect(socket: Socket): void {
    if (held.size > 0) {
      tell(socket, held.size < limit ? 0 : 3);
      return;
    }
    waiting.push(socket);
    if (waiting.length === together) decideAll();
  }

  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const reading = parser(login);
    socket.on('data', (chunk) => reading.parse(chunk));
    socket.on('error', () => socket.destroy());
    socket.once('close', () => held.delete(socket));
    reading.on('packet', ({ cmd }) => {
      if (cmd === 'connect') onConnect(socket);
      if (cmd === 'pingreq') socket.write(generate({ cmd: 'pingresp' }));
      if (cmd === 'disconnect') socket.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return {
    name: 'a racy broker',
    port: address.port,
    login,
    setLimit: async () => undefined,
    used: async () => held.size,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
