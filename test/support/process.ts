// The product as a process of its own, which a test may kill.

import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from './bundle.ts';

const root = join(import.meta.dirname, '../..');
const folders: string[] = [];
const processes: ChildProcess[] = [];

/** Kills what is left of the processes and removes their folders. */
export function cleanUp(): void {
  for (const child of processes.splice(0)) {
    child.kill('SIGKILL');
    if (child.spawnargs[0] === 'npm') killGroup(child);
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended, as it should.
  }
}

export function makeFolder(): string {
  const made = mkdtempSync(join(tmpdir(), 'headcount-'));
  folders.push(made);
  return made;
}

export interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
  /** Every process that it started has ended too, or writes nothing any more. */
  readonly silent: Promise<unknown>;
}

const ports = { MQTT_PORT: '0', MQTTS_PORT: '0', HTTP_PORT: '0' };

const programs = {
  'local/main.ts': await bundle('local/main.ts'),
  'test/support/slow-queue.ts': await bundle('test/support/slow-queue.ts'),
};

/** `program`: another than the product's own main file. Bundled; `npmStart` runs it as a user does. */
export function start(env: Record<string, string>, program: keyof typeof programs = 'local/main.ts'): Started {
  return follow(spawn(process.execPath, [programs[program]], { cwd: root, env: { ...process.env, ...ports, ...env } }));
}

/** `npm start` as a supervisor starts it: its child is npm, in a process group of its own. */
export function npmStart(env: Record<string, string>): Started {
  return follow(spawn('npm', ['start'], { cwd: root, env: { ...process.env, ...ports, ...env }, detached: true }));
}

function follow(child: ChildProcessWithoutNullStreams): Started {
  processes.push(child);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  return { child, output: () => text, ended, silent: once(child, 'close') };
}

export interface Ready {
  readonly mqttPort: number;
  readonly mqttsPort: number;
  readonly httpPort: number;
}

export async function ready(started: Started): Promise<Ready> {
  const pattern = /^ready mqtt=(\d+) mqtts=(\d+) http=(\d+)$/m;
  for (;;) {
    const match = pattern.exec(started.output());
    if (match !== null) return { mqttPort: Number(match[1]), mqttsPort: Number(match[2]), httpPort: Number(match[3]) };
    const ended = await Promise.race([
      started.ended,
      new Promise<'waiting'>((resolve) => setTimeout(() => resolve('waiting'), 50)),
    ]);
    if (ended !== 'waiting') throw new Error(`ended with ${ended}: ${started.output()}`);
  }
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** Calls the API of the deployment `demo`. */
export async function api(at: Ready, method: string, path: string, body?: object): Promise<ApiAnswer> {
  const answer = await fetch(`http://127.0.0.1:${at.httpPort}/v1/deployments/demo${path}`, {
    method,
    headers: { authorization: 'Bearer local', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
}
