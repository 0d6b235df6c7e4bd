// Requests to DynamoDB, counted where nothing can be hidden: at a socket between the product and the engine.

import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Counted {
  readonly operation: string;
  /** The first letter of its key: `S` a session, `C` an owner, `N` a roster, `R` a rank. */
  readonly kind: string;
}

export interface SocketCount {
  /** Give the product this one in the engine's place. */
  readonly endpoint: string;
  /** Requests since the last call, in the order in which they came, each with the kind of the first item that it names. */
  take(): readonly Counted[];
  close(): void;
}

/** The sweeper asks these indexes every few seconds, whatever clients do. */
function isBackground(operation: string, body: Buffer): boolean {
  return operation === 'Query' && body.includes('"IndexName":"wake"');
}

export async function countAtSocket(engineEndpoint: string): Promise<SocketCount> {
  const engine = new URL(engineEndpoint);
  const agent = new Agent({ keepAlive: true });
  let counted: Counted[] = [];
  const server = createServer((asked, answer) => {
    const parts: Buffer[] = [];
    asked.on('data', (part: Buffer) => parts.push(part));
    asked.on('end', () => {
      const body = Buffer.concat(parts);
      const operation = String(asked.headers['x-amz-target']).split('.')[1] ?? 'unknown';
      const kind = /"pk":\{"S":"(\w+)/.exec(body.toString())?.[1] ?? '';
      if (!isBackground(operation, body)) counted.push({ operation, kind });
      const { method, url: path, headers } = asked;
      const passed = request({ host: engine.hostname, port: engine.port, method, path, headers, agent }, (told) => {
        answer.writeHead(told.statusCode ?? 502, told.headers);
        told.pipe(answer);
      });
      passed.on('error', () => answer.destroy());
      passed.end(body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    take() {
      const taken = counted;
      counted = [];
      return taken;
    },
    close() {
      server.closeAllConnections();
      server.close();
      agent.destroy();
    },
  };
}
