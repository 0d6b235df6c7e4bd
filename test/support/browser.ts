// A real browser: a Chrome or Chromium that is installed, else the one that npm brings.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const names = ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser', 'chrome'];
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const root = join(import.meta.dirname, '../..');
const cache = join(root, 'node_modules/.cache/headcount');

function installed(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
}

interface Unpacked {
  readonly path: string;
  /** Where a bare machine lacks libraries or fonts: those that came with it. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Two test files that start at once each unpack their own; the first to be done is kept, whole. */
async function unpack(): Promise<Unpacked> {
  // The version is in the lock file; the package itself does not let it be read by name.
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version?: string }>;
  };
  const folder = join(cache, `chromium-${lock.packages['node_modules/@sparticuz/chromium']?.version}`);
  if (!existsSync(join(folder, 'chromium'))) {
    await mkdir(cache, { recursive: true });
    const own = await mkdtemp(join(cache, 'unpacking-'));
    // The package unpacks into the folder for temporary files, and its libraries only where it believes to be in Lambda.
    const before = { ...process.env };
    process.env.TMPDIR = own;
    process.env.AWS_EXECUTION_ENV ??= 'AWS_Lambda_nodejs20.x';
    try {
      const packaged = await import('@sparticuz/chromium');
      await packaged.default.executablePath();
    } finally {
      for (const name of ['TMPDIR', 'AWS_EXECUTION_ENV', 'LD_LIBRARY_PATH', 'FONTCONFIG_PATH', 'HOME'])
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
    }
    await rename(own, folder).catch(async (error: unknown) => {
      await rm(own, { recursive: true, force: true });
      if (!existsSync(join(folder, 'chromium'))) throw error;
    });
  }
  const path = join(folder, 'chromium');
  const missing = execFileSync('ldd', [path], { encoding: 'utf8' }).includes('not found');
  return {
    path,
    environment: {
      ...(missing ? { LD_LIBRARY_PATH: join(folder, 'al2023/lib') } : {}),
      ...(existsSync('/etc/fonts') ? {} : { FONTCONFIG_PATH: join(folder, 'fonts') }),
    },
  };
}

export async function startBrowser(): Promise<Browser> {
  const own = installed();
  const { path, environment } = own === undefined ? await unpack() : { path: own, environment: {} };
  return chromium.launch({
    executablePath: path,
    headless: true,
    args: flags,
    env: { ...process.env, ...environment },
  });
}
