// mosquitto, the bare broker: it knows no limit per username, so it is what a CONNECT costs without one.

import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findFreePorts } from './free-port.ts';
import { startGuarded, untilListening } from './guarded-process.ts';
import type { Found, Peer } from './peer.ts';
import { findProgram, libraryPath, type Places } from './places.ts';

/** Nobody is checked and nothing is kept: the least that a CONNECT can cost there. */
export function mosquittoConfig(port: number, asRoot: boolean): string {
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'persistence false',
    'set_tcp_nodelay true',
    'log_dest stderr',
    'log_type error',
    // Started as root it would become a user who may not exist, and could not read this file.
    ...(asRoot ? ['user root'] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** From what `mosquitto -h` prints. */
export function parseMosquittoVersion(printed: string): string | undefined {
  return /^mosquitto version (\S+)/m.exec(printed)?.[1];
}

async function versionOf(program: string, env: Readonly<Record<string, string>>): Promise<string | undefined> {
  const run = promisify(execFile)(program, ['-h'], { env: { ...process.env, ...env }, timeout: 10_000 });
  // It prints its help and ends as if it had failed.
  const { stdout } = await run.catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }));
  return parseMosquittoVersion(stdout);
}

async function start(program: string, places: Places): Promise<Peer> {
  const env = libraryPath(places);
  const version = await versionOf(program, env);
  const [port = 0] = await findFreePorts(1);
  const folder = await mkdtemp(join(tmpdir(), 'headcount-mosquitto-'));
  const configFile = join(folder, 'mosquitto.conf');
  await writeFile(configFile, mosquittoConfig(port, process.getuid?.() === 0));
  const running = startGuarded({ path: program, args: ['-c', configFile], env, folder });
  try {
    await untilListening('mosquitto', running, port);
  } catch (error) {
    await running.stop();
    throw error;
  }
  return {
    name: `mosquitto ${version ?? '(version unknown)'}`,
    port,
    login: { username: 'alice', password: 'alice-secret', protocolVersion: 5 },
    stop: () => running.stop(),
  };
}

export function findMosquitto(places: Places): Found {
  const program = findProgram(places, 'mosquitto');
  return program === undefined
    ? { kind: 'missing', install: 'apt-get install mosquitto' }
    : { kind: 'installed', start: () => start(program, places) };
}
