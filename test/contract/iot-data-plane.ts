// IoT Core's data plane over HTTP, as far as connections go [AWS: GetConnection, DeleteConnection]: what is over is told
// of for half an hour more, and a client id is one percent-encoded segment of the path.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

interface Connection {
  readonly connected: boolean;
  readonly cleanSession: boolean;
  readonly sessionExpiry: number;
  readonly connectedSince?: number;
  readonly disconnectedSince?: number;
}

export interface DataPlane {
  readonly endpoint: string;
  connect(clientId: string, expirySeconds: number): void;
  disconnect(clientId: string): void;
  isConnected(clientId: string): boolean;
  /** Connected, or a session that is kept. */
  knows(clientId: string): boolean;
  /** Answers everything so from now on: with a status and an error's name, or not at all. Undefined: as it should. */
  trouble: { readonly status: number; readonly error: string } | 'silence' | undefined;
  close(): Promise<void>;
}

export async function startDataPlane(): Promise<DataPlane> {
  const connections = new Map<string, Connection>();

  function end(clientId: string): void {
    const { connectedSince: _, ...known } = connections.get(clientId) ?? { cleanSession: true, sessionExpiry: 0 };
    connections.set(clientId, { ...known, connected: false, disconnectedSince: Date.now() });
  }

  function fail(response: ServerResponse, status: number, error: string): void {
    response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': error });
    response.end(JSON.stringify({ message: error }));
  }

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://127.0.0.1');
    const [, resource, segment = '', ...more] = pathname.split('/');
    const clientId = decodeURIComponent(segment);
    const known = connections.get(clientId);
    if (resource !== 'connections' || more.length > 0) fail(response, 400, 'InvalidRequestException');
    else if (known === undefined) fail(response, 404, 'ResourceNotFoundException');
    else if (request.method === 'GET')
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ clientId, ...known }));
    else if (!known.connected && known.cleanSession) fail(response, 404, 'ResourceNotFoundException');
    else {
      if (known.connected) end(clientId);
      if (searchParams.get('cleanSession') === 'true') connections.delete(clientId);
      response.writeHead(200).end();
    }
  }

  const server = createServer((request, response) => {
    if (plane.trouble === 'silence') return;
    if (plane.trouble !== undefined) fail(response, plane.trouble.status, plane.trouble.error);
    else answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a server has a port');
  const plane: DataPlane = {
    endpoint: `http://127.0.0.1:${address.port}`,
    trouble: undefined,
    connect(clientId, sessionExpiry) {
      const cleanSession = sessionExpiry === 0;
      connections.set(clientId, { connected: true, cleanSession, sessionExpiry, connectedSince: Date.now() });
    },
    disconnect: end,
    isConnected: (clientId) => connections.get(clientId)?.connected === true,
    knows(clientId) {
      const known = connections.get(clientId);
      return known !== undefined && (known.connected || !known.cleanSession);
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return plane;
}
