// Builds the console when it is started first, and again when a source of it has changed: in seconds, without network,
// beside everything else that starts. A build lies under a name made of its sources, so that two processes that start
// at once each find a whole one.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { constants, setPriority } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const sources = join(root, 'console');
const cache = join(root, 'node_modules/.cache/headcount');

async function hashOfSources(): Promise<string> {
  const entries = await readdir(sources, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.startsWith(join(sources, 'dist')))
    .sort();
  const hash = createHash('sha256').update('production');
  for (const file of [...files, join(root, 'package-lock.json')]) hash.update(file).update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}

async function build(folder: string): Promise<void> {
  const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin/vite.js');
  const child = spawn(process.execPath, [vite, 'build', sources, '--outDir', folder, '--logLevel', 'error'], {
    cwd: root,
    // As it is on AWS, whatever this process itself is run as.
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Whoever waits for the rest of the start, and then for an answer, goes first.
  if (child.pid !== undefined) lowerPriority(child.pid);
  // A stop in the middle of it leaves no half of a build.
  const abandon = (): void => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', abandon);
  const said: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => process.off('exit', abandon));
  if (code !== 0) throw new Error(`the console could not be built: ${said.join('').trim()}`);
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended already, or the system does not allow it: the build only is no slower.
  }
}

/** The folder that a build of these sources lies in. */
export async function buildConsole(): Promise<string> {
  const name = `console-${await hashOfSources()}`;
  const folder = join(cache, name);
  if (existsSync(join(folder, 'index.html'))) return folder;
  await mkdir(cache, { recursive: true });
  const own = join(cache, `building-${name}-${process.pid}`);
  try {
    await build(own);
    await rename(own, folder);
  } catch (error) {
    // Somebody else was first; theirs is as good.
    if (!existsSync(join(folder, 'index.html'))) throw error;
  } finally {
    await rm(own, { recursive: true, force: true });
  }
  return folder;
}
