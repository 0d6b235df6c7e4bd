// The API on a local port. It answers to requests that name this machine only (hosts.ts).

import type { Server } from 'node:http';
import { type Http2Bindings, type HttpBindings, serve } from '@hono/node-server';
import { problem, render } from '../functions/api/answer.ts';
import type { HostCheck } from './hosts.ts';

interface App {
  /** `peer`: the address at the other end of the connection. */
  readonly fetch: (request: Request, peer: string | undefined) => Response | Promise<Response>;
}

export interface HttpServer {
  readonly port: number;
  close(): Promise<void>;
}

const keepAliveMs = 65_000;

export async function listenHttp(
  app: App,
  address: { readonly host: string; readonly port: number },
  hosts: HostCheck,
): Promise<HttpServer> {
  const fetch = (request: Request, { incoming }: HttpBindings | Http2Bindings): Response | Promise<Response> =>
    hosts.answersTo(request.headers.get('host'), incoming.socket.localAddress)
      ? app.fetch(request, incoming.socket.remoteAddress)
      : misdirected();
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: address.host, port: address.port }, (info) => {
      server.off('error', reject);
      resolve({ port: info.port, close: () => close(server as Server) });
    });
    // Longer than proxies and clients keep a connection at rest: closed sooner, it may be in the moment of its next request.
    (server as Server).keepAliveTimeout = keepAliveMs;
    server.once('error', reject);
  });
}

function misdirected(): Response {
  return render(
    problem(421, 'request.misdirected', 'This host name is not known here. ALLOWED_HOSTS names more than localhost.'),
  );
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
