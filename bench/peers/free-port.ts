import { once } from 'node:events';
import { createServer } from 'node:net';
import { listenAnywhere } from '../clients/listen.ts';

/** Ports of 127.0.0.1 that nobody listens on, all different. Another process may take one before it is used. */
export async function findFreePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(servers.map(listenAnywhere));
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
