// The machine and the moment that figures belong to.

import { execFileSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Circumstances } from './report.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** Generated files are no change: they are what a run writes. */
const generated = [':!docs/benchmark.json', ':!docs/benchmark.md', ':!README.md'];

function commitNow(): string {
  const git = (...parameters: readonly string[]): string =>
    execFileSync('git', parameters, { cwd: repository, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const changed = git('status', '--porcelain', '--', '.', ...generated) !== '';
    return `${git('rev-parse', '--short=10', 'HEAD')}${changed ? '+' : ''}`;
  } catch {
    // An archive without its history.
    return 'unknown';
  }
}

export function circumstancesNow(mode: Circumstances['mode']): Circumstances {
  return {
    date: new Date().toISOString(),
    commit: commitNow(),
    machine: {
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      cores: cpus().length,
      memoryGb: Math.round(totalmem() / 2 ** 30),
      platform: `${process.platform} ${process.arch}`,
      node: process.versions.node,
    },
    loadAverage: Math.round((loadavg()[0] ?? 0) * 10) / 10,
    mode,
  };
}
