import { once } from 'node:events';
import type { Server } from 'node:net';

/** On a free port of loopback, with the product's own line of waiting sockets: a burst overflows Node's. Answers the port. */
export async function listenAnywhere(server: Server): Promise<number> {
  server.listen({ host: '127.0.0.1', port: 0, backlog: 4_096 });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}
