// The DynamoDB engine of the local run: finds it, starts it, waits until it answers, starts it again where it ends by
// itself and its data is on the disk, and sees to it that it never outlives the process that started it, however that
// one ends.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { findEngine } from './find-engine.ts';

export interface EngineOptions {
  /** A folder that exists, or `:memory:`. */
  readonly dataDir: string;
  /** An engine that runs already: none is started. */
  readonly endpoint?: string | undefined;
  /** The engine ended without having been stopped, and is started again. */
  readonly onRestart?: (problem: string) => void;
}

export interface Engine {
  readonly endpoint: string;
  /** Ends the engine; resolves when its process is gone. Nothing to do for an engine of somebody else. */
  stop(): Promise<void>;
  /** Called once, if the engine ended without having been stopped, and what it held is lost or it ends time and again. */
  onExit(callback: (problem: string) => void): void;
}

const startsMax = 5;
const startMs = 15_000;
const stopMs = 5_000;
/** An engine that ends so often in so short a time will not do better the next time. */
const restartsMax = 5;
const restartsWithinMs = 60_000;
const restartPauseMs = 500;

// A parent that is killed with SIGKILL can do nothing for its children, and the engine takes no notice of a closed
// stdin. So a shell stands between: it holds the reading end of a pipe whose only writing end is ours, and the kernel
// closes that however we end. The inner shell waits for that, or for a line that asks for a stop in order. When we
// are gone it kills at once: nobody is left to write, what was answered is on the disk, and the engine would stumble
// over its closed stderr. The outer shell waits for the engine, so that one that ends by itself is noticed too. What the
// engine writes is for its owner only.
const watcher = `
umask 077
exec 3<&0 </dev/null
"$@" 3<&- &
engine=$!
( if read -r _ <&3; then kill -TERM $engine; sleep 3; fi; kill -KILL $engine ) >/dev/null 2>&1 &
watch=$!
exec 3<&-
wait $engine
code=$?
{ kill -KILL $watch; wait $watch; } 2>/dev/null
exit $code
`;

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

async function answers(endpoint: string): Promise<boolean> {
  try {
    const response = await fetch(endpoint, { signal: AbortSignal.timeout(1_000) });
    await response.arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

interface Process {
  readonly child: ChildProcess;
  /** How it ended. */
  readonly ended: Promise<string>;
}

type Started =
  | { readonly kind: 'running'; readonly process: Process }
  | { readonly kind: 'failed'; readonly said: string };

async function start(program: string, port: number, databaseFile: string | undefined): Promise<Started> {
  const parameters = ['--port', String(port), ...(databaseFile === undefined ? [] : ['--db-path', databaseFile])];
  // Its own process group: Ctrl-C in a terminal goes to the whole group of the foreground, and the engine has to
  // answer until everything that needs it has stopped.
  const child = spawn('/bin/sh', ['-c', watcher, 'engine', program, ...parameters], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  const listen = (text: string): void => {
    said = (said + text).slice(-2_000);
  };
  child.stdout.setEncoding('utf8').on('data', listen);
  child.stderr.setEncoding('utf8').on('data', listen);
  child.stdin.on('error', () => undefined);
  const ended = new Promise<string>((resolve) => {
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
    child.once('error', (error) => resolve(error.message));
  });

  const deadline = performance.now() + startMs;
  while (performance.now() < deadline) {
    const ending = await Promise.race([ended, wait(10, undefined)]);
    if (ending !== undefined) return { kind: 'failed', said: `${ending}. ${said.trim()}` };
    // Whoever answers on the port is ours only if ours says that it listens: one that finds its port taken ends.
    if (!said.includes('listening on') || !(await answers(`http://127.0.0.1:${port}`))) continue;
    // An engine must not keep a process alive that has nothing else to do: it ends with it in any case.
    child.unref();
    for (const pipe of [child.stdin, child.stdout, child.stderr]) if (pipe instanceof Socket) pipe.unref();
    return { kind: 'running', process: { child, ended } };
  }
  child.stdin.end();
  return { kind: 'failed', said: `no answer within ${startMs / 1000} s. ${said.trim()}` };
}

async function end({ child, ended }: Process): Promise<void> {
  child.ref();
  child.stdin?.end('stop\n');
  const inTime = await Promise.race([ended.then(() => true), wait(stopMs, false)]);
  if (inTime || child.pid === undefined) return;
  process.kill(-child.pid, 'SIGKILL');
  await ended;
}

/** `again` starts the engine anew on the same port and the same data; undefined where its data went with it. */
function supervise(
  first: Process,
  endpoint: string,
  again: (() => Promise<Started>) | undefined,
  onRestart: (problem: string) => void,
): Engine {
  let current: Process | undefined = first;
  let stopping = false;
  let restarts: number[] = [];
  let fail: (problem: string) => void = () => undefined;
  const failed = new Promise<string>((resolve) => {
    fail = resolve;
  });

  async function watchOver(): Promise<void> {
    let problem = '';
    while (!stopping) {
      if (current !== undefined) problem = `the DynamoDB engine ended by itself: ${await current.ended}`;
      current = undefined;
      if (stopping) return;
      const now = performance.now();
      restarts = restarts.filter((at) => now - at < restartsWithinMs);
      if (again === undefined || restarts.length >= restartsMax) return fail(problem);
      // At once the first time, then with a pause: what took its port or its file may let go of it.
      if (restarts.length > 0) await wait(restartPauseMs);
      if (stopping) return;
      restarts.push(now);
      onRestart(problem);
      const started = await again();
      if (started.kind === 'running') current = started.process;
      else problem = `the DynamoDB engine ended by itself and does not start again: ${started.said}`;
    }
  }
  const watching = watchOver();

  return {
    endpoint,
    onExit: (callback) => void failed.then(callback),
    async stop() {
      stopping = true;
      if (current !== undefined) await end(current);
      await watching;
      // Started anew while it was being stopped.
      if (current !== undefined) await end(current);
    },
  };
}

export async function startEngine({ dataDir, endpoint, onRestart = () => undefined }: EngineOptions): Promise<Engine> {
  if (endpoint !== undefined) return { endpoint, stop: async () => undefined, onExit: () => undefined };
  const { platform, arch, env } = process;
  const program = findEngine({ platform, arch, path: env.PATH ?? '' });
  const databaseFile = dataDir === ':memory:' ? undefined : join(dataDir, 'dynamodb.sqlite');
  let said = '';
  for (let attempt = 0; attempt < startsMax; attempt += 1) {
    // Between finding a port free and the engine's taking it, another process may take it: then there is a next try.
    const port = await findFreePort();
    const startHere = (): Promise<Started> => start(program, port, databaseFile);
    const started = await startHere();
    if (started.kind === 'running') {
      const again = databaseFile === undefined ? undefined : startHere;
      return supervise(started.process, `http://127.0.0.1:${port}`, again, onRestart);
    }
    said = started.said;
    if (!said.includes('already in use')) break;
  }
  throw new Error(`the DynamoDB engine ${program} did not start: ${said}`);
}
