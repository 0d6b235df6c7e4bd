// A program of somebody else, started for a measurement: it never outlives the process that started it, however that
// one ends, and what it wrote goes with it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as dial } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

export interface Guarded {
  /** What it has printed, the last of it. */
  said(): string;
  /** Set when it has ended. */
  ended(): boolean;
  /** Kills it and resolves when it is gone, and its folder with it. */
  stop(): Promise<void>;
}

export interface Program {
  readonly path: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Removed when the program has ended. */
  readonly folder?: string;
}

// The shell holds the reading end of a pipe whose only writing end is ours. The kernel closes that however we end, and
// then the program is killed: nothing that it has is worth an orderly end. The shell itself says nothing any more: who
// would have listened is gone, and a word to nobody would end it before it has cleaned up.
const guard = `
folder=$1
shift
exec 3<&0 </dev/null
"$@" 3<&- &
program=$!
( read -r _ <&3; kill -KILL $program ) >/dev/null 2>&1 &
watch=$!
exec 3<&- >/dev/null 2>&1
wait $program
code=$?
kill -KILL $watch
if [ -n "$folder" ]; then rm -rf "$folder" || { sleep 1; rm -rf "$folder"; }; fi
exit $code
`;

export function startGuarded({ path, args, env = {}, folder = '' }: Program): Guarded {
  // A process group of its own: Ctrl-C in a terminal ends us first, and through us this.
  const child: ChildProcess = spawn('/bin/sh', ['-c', guard, 'guard', folder, path, ...args], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let said = '';
  let over = false;
  const listen = (text: string): void => {
    said = (said + text).slice(-4_000);
  };
  child.stdout?.setEncoding('utf8').on('data', listen);
  child.stderr?.setEncoding('utf8').on('data', listen);
  child.stdin?.on('error', () => undefined);
  const gone = Promise.race([once(child, 'close'), once(child, 'error')]).then(
    () => {
      over = true;
    },
    (error: unknown) => {
      over = true;
      listen(String(error));
    },
  );
  return {
    said: () => said.trim(),
    ended: () => over,
    async stop() {
      child.stdin?.end();
      await gone;
    },
  };
}

async function listens(port: number): Promise<boolean> {
  const socket = dial({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Resolves when the program listens on `port`; rejects, with what it said, where it ends or takes too long. */
export async function untilListening(name: string, program: Guarded, port: number, withinMs = 60_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!program.ended() && performance.now() < deadline) {
    // Whoever listens is ours only if ours has not ended: one that finds its port taken ends.
    if ((await listens(port)) && !program.ended()) return;
    await wait(50);
  }
  const how = program.ended() ? 'ended' : `did not listen within ${withinMs / 1_000} s`;
  throw new Error(`${name} ${how}: ${program.said()}`);
}
