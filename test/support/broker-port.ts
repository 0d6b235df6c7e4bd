// The product's broker has no port. Tests of clients that go straight to it open one.

import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Duplex } from 'node:stream';

export interface BrokerPort {
  readonly port: number;
  close(): Promise<void>;
}

export async function openBrokerPort(accept: (stream: Duplex, ipAddress: string) => void): Promise<BrokerPort> {
  const server = createServer({ noDelay: true }, (socket) => accept(socket, socket.remoteAddress ?? ''));
  server.listen({ host: '127.0.0.1', port: 0, backlog: 4_096 });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return {
    port: address.port,
    // Its sockets are the broker's to end.
    async close() {
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
