// The API on a local port. Everything local answers on the loopback interface, and only to requests that name it: a web
// page of somebody else's, whose name was made to point here, gets nothing.

import type { Server } from 'node:http';
import { type Http2Bindings, type HttpBindings, serve } from '@hono/node-server';
import { problem, render } from '../functions/api/answer.ts';

interface App {
  /** `peer`: the address at the other end of the connection. */
  readonly fetch: (request: Request, peer: string | undefined) => Response | Promise<Response>;
}

export interface HttpServer {
  readonly port: number;
  close(): Promise<void>;
}

export async function listenHttp(
  app: App,
  address: { readonly host: string; readonly port: number },
): Promise<HttpServer> {
  const allowed = new Set(['localhost', '127.0.0.1', '[::1]', address.host]);
  const fetch = (request: Request, { incoming }: HttpBindings | Http2Bindings): Response | Promise<Response> => {
    const host = (request.headers.get('host') ?? '').replace(/:\d+$/, '').toLowerCase();
    return allowed.has(host) ? app.fetch(request, incoming.socket.remoteAddress) : misdirected();
  };
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: address.host, port: address.port }, (info) => {
      server.off('error', reject);
      resolve({ port: info.port, close: () => close(server as Server) });
    });
    server.once('error', reject);
  });
}

function misdirected(): Response {
  return render(problem(421, 'request.misdirected', 'Ask for localhost.'));
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
