// A lock that the kernel takes back when its holder ends, SIGKILL included: a socket that only one process can listen
// on. Nothing stale is ever left to be judged, as a file with a process id would be. Whoever connects is told who
// holds it.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';

export type Lock =
  | { readonly kind: 'locked'; release(): Promise<void> }
  | { readonly kind: 'held'; readonly by: string };

const askMs = 1_000;
const triesMax = 5;

// Linux has socket names that are no files. Elsewhere a file stands for the socket and may be left over; taking it
// away when nobody answers leaves a moment in which two starts could both believe to be first.
function lockAddress(folder: string): string {
  if (process.platform !== 'linux') return join(folder, 'lock');
  const { dev, ino } = statSync(folder);
  return `\0headcount-${createHash('sha256').update(`${dev}:${ino}`).digest('hex').slice(0, 32)}`;
}

/** Undefined: nobody listens. */
function askHolder(address: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let said = '';
    const socket = connect(address);
    socket.setTimeout(askMs, () => {
      resolve('another process');
      socket.destroy();
    });
    socket.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    socket.once('end', () => resolve(said === '' ? undefined : `process ${said}`));
    socket.once('error', () => resolve(undefined));
  });
}

async function listen(server: Server, address: string): Promise<boolean> {
  server.listen(address);
  try {
    await once(server, 'listening');
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return false;
    throw error;
  }
}

export async function takeLock(folder: string): Promise<Lock> {
  const address = lockAddress(folder);
  for (let attempt = 0; attempt < triesMax; attempt += 1) {
    const server = createServer((socket) => socket.on('error', () => undefined).end(String(process.pid)));
    if (await listen(server, address)) {
      server.unref();
      return {
        kind: 'locked',
        async release() {
          server.close();
          await once(server, 'close');
        },
      };
    }
    const holder = await askHolder(address);
    if (holder !== undefined) return { kind: 'held', by: holder };
    // The holder ended between our two questions.
    if (!address.startsWith('\0')) rmSync(address, { force: true });
  }
  return { kind: 'held', by: 'another process' };
}
