import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Held {
  readonly pid: number;
  /** What it said. */
  readonly line: string;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
}

/** Starts another Node process that holds something; see holder.ts. */
export async function hold(what: 'engine' | 'data-dir', folder: string): Promise<Held> {
  const holder = fileURLToPath(new URL('holder.ts', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', holder, what, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { stdout, pid } = child;
  if (stdout === null || pid === undefined) throw new Error('the holder did not start');
  const gone = once(child, 'exit');
  const [line]: string[] = await Promise.race([
    once(stdout.setEncoding('utf8'), 'data'),
    gone.then(() => Promise.reject(new Error('the holder ended before it said anything'))),
  ]);
  return {
    pid,
    line: (line ?? '').trim(),
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
