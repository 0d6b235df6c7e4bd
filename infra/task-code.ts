// The front door's code, built when it is synthesized, by the bundler and with the options that the functions have.

import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, buildSync } from 'esbuild';

const frontDoor = fileURLToPath(new URL('../frontdoor', import.meta.url));

const options: BuildOptions = {
  bundle: true,
  write: false,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  mainFields: ['module', 'main'],
  minify: true,
  logLevel: 'error',
};

export interface TaskCode {
  /** One file, ready to be uploaded. */
  readonly path: string;
  readonly sha256: string;
  /** The script that fetches it, checks it and runs it. */
  readonly loader: string;
}

function bundle(entry: string, more: BuildOptions = {}): Buffer {
  const [file] = buildSync({ ...options, ...more, entryPoints: [join(frontDoor, entry)] }).outputFiles ?? [];
  if (file === undefined) throw new Error(`esbuild made nothing of ${entry}`);
  return Buffer.from(file.contents);
}

export function buildTaskCode(): TaskCode {
  const code = bundle('main.ts');
  const path = join(mkdtempSync(join(tmpdir(), 'headcount-frontdoor-')), 'main.mjs');
  writeFileSync(path, code);
  return {
    path,
    sha256: createHash('sha256').update(code).digest('hex'),
    // CloudFormation would take `${` in a template for a parameter of its own.
    loader: bundle('load.ts', { supported: { 'template-literal': false } }).toString('utf8'),
  };
}
