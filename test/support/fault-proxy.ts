// What may go wrong between a client and its database: an HTTP server before a real engine, which plays the faults that a
// test plans, one for each request, and passes on all others. It keeps what arrived and what was cut off.

import { createServer, type IncomingHttpHeaders, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { crc32 } from 'node:zlib';

export interface Arrived {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Answered {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Answers by itself what `engine` would answer; `undefined`: it has done what is to be done with the response. */
export type Fault = (
  arrived: Arrived,
  response: ServerResponse,
  engine: () => Promise<Answered>,
) => Promise<Answered | undefined> | Answered | undefined;

export interface FaultProxy {
  readonly endpoint: string;
  readonly arrived: Arrived[];
  /** Of the requests to come, in order. */
  readonly faults: (Fault | 'none')[];
  /** Of every request that has no fault planned. */
  always: Fault | 'none';
  /** Connections that are open. */
  connections(): Promise<number>;
  stop(): Promise<void>;
}

export async function startFaultProxy(engine: string): Promise<FaultProxy> {
  const server = createServer((incoming, response) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', async () => {
      const one = { headers: incoming.headers, body: Buffer.concat(parts).toString() };
      proxy.arrived.push(one);
      const pass = () => passOn(engine, one);
      const fault = proxy.faults.shift() ?? proxy.always;
      const answer = fault === 'none' ? await pass() : await fault(one, response, pass);
      if (answer === undefined) return;
      const checked = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-crc32': String(crc32(answer.body)) };
      response.writeHead(answer.status, { ...checked, ...answer.headers }).end(answer.body);
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const proxy: FaultProxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived: [],
    faults: [],
    always: 'none',
    connections: () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count))),
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return proxy;
}

function passOn(engine: string, { headers, body }: Arrived): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const { connection: _c, ...sent } = headers;
    const outgoing = request(engine, { method: 'POST', headers: sent, agent: false }, (incoming) => {
      const parts: Buffer[] = [];
      incoming.on('data', (part: Buffer) => parts.push(part));
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(parts) }));
    });
    outgoing.on('error', reject).end(body);
  });
}

/** The connection ends instead of an answer, before the engine has seen the request or behind it. */
export const reset =
  (when: 'before' | 'after'): Fault =>
  async (_arrived, response, engine) => {
    if (when === 'after') await engine();
    response.destroy();
    return undefined;
  };

/** An error of the service, as AWS writes it. */
export const refuse =
  (status: number, type: string, more: object = {}): Fault =>
  () => ({
    status,
    body: Buffer.from(
      JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: 'planned', ...more }),
    ),
  });

/** Nothing is answered at all. */
export const hang: Fault = () => undefined;
