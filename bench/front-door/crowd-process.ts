// Both ends of idle connections: a broker that says yes to every CONNECT, and clients that wait for that and then stay.

import { createServer, connect as dialTcp, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, connect as dialTls } from 'node:tls';
import { generate } from 'mqtt-packet';
import { answerParent } from '../child/child.ts';

interface Tls {
  readonly key: string;
  readonly cert: string;
}

export type CrowdQuestion =
  | { readonly kind: 'broker'; readonly tls?: Tls }
  /** So many more clients; answers how many are connected when all of them are, or one has failed. */
  | { readonly kind: 'clients'; readonly doorPort: number; readonly count: number; readonly tls: boolean }
  | { readonly kind: 'leave' };

const connack = generate({ cmd: 'connack', reasonCode: 0, sessionPresent: false }, { protocolVersion: 5 });
/** Handshakes of more at once would only wait for one another. */
const width = 32;
const clients = new Set<Socket>();
let numbered = 0;

async function startBroker(tls: Tls | undefined): Promise<number> {
  const serve = (socket: Socket): void => {
    socket.on('error', () => socket.destroy());
    socket.once('data', () => socket.write(connack));
    socket.on('data', () => undefined);
  };
  const server: Server = tls === undefined ? createServer(serve) : createTlsServer({ ...tls }, serve);
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0, backlog: 4_096 }, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}

function joinOne(port: number, tls: boolean): Promise<void> {
  const to = { host: '127.0.0.1', port };
  const socket: Socket = tls
    ? dialTls({ ...to, servername: 'demo.mqtt.localhost', rejectUnauthorized: false })
    : dialTcp(to);
  clients.add(socket);
  socket.once(tls ? 'secureConnect' : 'connect', () =>
    socket.write(
      generate(
        {
          cmd: 'connect',
          protocolId: 'MQTT',
          protocolVersion: 5,
          clean: true,
          clientId: `idle-${++numbered}`,
          keepalive: 1_200,
          username: 'alice',
          password: Buffer.from('alice-secret'),
        },
        { protocolVersion: 5 },
      ),
    ),
  );
  return new Promise((resolve, reject) => {
    socket.once('data', () => resolve());
    socket.on('error', reject);
    socket.once('close', () => {
      clients.delete(socket);
      reject(new Error('closed'));
    });
  });
}

async function join({ doorPort, count, tls }: CrowdQuestion & { kind: 'clients' }): Promise<number> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await joinOne(doorPort, tls);
  };
  await Promise.all(Array.from({ length: width }, worker));
  return clients.size;
}

async function leave(): Promise<number> {
  const gone = [...clients].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  for (const socket of clients) socket.destroy();
  await Promise.all(gone);
  return clients.size;
}

answerParent(async (question: CrowdQuestion) => {
  switch (question.kind) {
    case 'broker':
      return startBroker(question.tls);
    case 'clients':
      return join(question);
    case 'leave':
      return leave();
  }
});
