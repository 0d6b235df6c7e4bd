// One POST and its whole answer, over connections that are kept. A try has one time, from the wait for a socket to the
// last byte of the answer; what is over it is destroyed, socket and all. Redirects are never followed.

import { Agent as HttpAgent, type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

export interface Exchanged {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface ExchangeOptions {
  readonly url: URL;
  readonly maxSockets: number;
  /** The whole of one try. */
  readonly timeoutMs: number;
  /** Of it, what a new connection may take until it is open. */
  readonly connectTimeoutMs: number;
  /** Of an answer; 64 MiB unless told. It holds at most 16 MB of items [AWS: BatchGetItem], in JSON a few times as long. */
  readonly maxBodyBytes?: number;
}

export interface Exchange {
  /** Throws errors of the system with their `code`, and a TimeoutError. */
  post(headers: Readonly<Record<string, string>>, body: string): Promise<Exchanged>;
  destroy(): void;
}

export function createExchange(options: ExchangeOptions): Exchange {
  const { url, maxSockets, timeoutMs, connectTimeoutMs, maxBodyBytes = 64 * 1024 * 1024 } = options;
  const isSecure = url.protocol === 'https:';
  const request = isSecure ? requestHttps : requestHttp;
  const agent = new (isSecure ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets });
  // An address of IPv6 stands in brackets in a URL, and in no option.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const target = { host, port: url.port, path: url.pathname, method: 'POST', agent };

  const post: Exchange['post'] = (headers, body) =>
    new Promise((resolve, reject) => {
      const outgoing = request({ ...target, headers });
      const fail = (error: Error): void => {
        clearTimeout(timer);
        // A request that waits for a socket says nothing when it is destroyed; and a socket that has just been given back
        // would throw what it is destroyed with.
        reject(error);
        outgoing.destroy();
      };
      const timer = setTimeout(() => fail(tookTooLong(timeoutMs)), timeoutMs);
      outgoing.on('error', fail);
      if (connectTimeoutMs < timeoutMs) outgoing.on('socket', (socket) => limitConnecting(socket, connectTimeoutMs));
      outgoing.on('response', (incoming) => {
        const parts: Buffer[] = [];
        let bytes = 0;
        incoming.on('data', (part: Buffer) => {
          bytes += part.length;
          if (bytes > maxBodyBytes) fail(new Error(`the answer is larger than ${maxBodyBytes} bytes`));
          else parts.push(part);
        });
        incoming.on('error', fail);
        incoming.on('end', () => {
          clearTimeout(timer);
          resolve(exchangedOf(incoming, parts));
        });
      });
      outgoing.end(body);
    });
  return { post, destroy: () => agent.destroy() };
}

function exchangedOf({ statusCode = 0, headers }: IncomingMessage, parts: readonly Buffer[]): Exchanged {
  const [first] = parts;
  return {
    status: statusCode,
    headers,
    body: parts.length === 1 && first !== undefined ? first : Buffer.concat(parts),
  };
}

function limitConnecting(socket: Socket, timeoutMs: number): void {
  if (!socket.connecting) return;
  const timer = setTimeout(() => socket.destroy(tookTooLong(timeoutMs)), timeoutMs);
  const over = (): void => clearTimeout(timer);
  socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', over).once('close', over);
}

function tookTooLong(afterMs: number): Error {
  return Object.assign(new Error(`no answer within ${afterMs} ms`), { name: 'TimeoutError' });
}
