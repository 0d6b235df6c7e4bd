// How code that runs on AWS becomes one file: each function, and the front door with the script that loads it. The same
// options serve a synthesis in this repository and the package; the bytes depend on neither.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, buildSync } from 'esbuild';
import type { FunctionName } from '../shared/config/env.ts';

export interface BundledFile {
  readonly name: string;
  readonly contents: Uint8Array;
}

const repository = fileURLToPath(new URL('..', import.meta.url));

const options: BuildOptions = {
  bundle: true,
  // A source map names its sources from where it would lie in this repository, wherever its bytes go.
  write: false,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  // ES modules first: the tree shakes, and the bundle is smaller by a third.
  mainFields: ['module', 'main'],
  minify: true,
  logLevel: 'error',
};

/** `index.mjs`, which exports `handler`, and its source map. */
export function bundleFunction(name: FunctionName): readonly BundledFile[] {
  const folder = join(repository, 'functions', name);
  // Every package goes in: the runtime's own SDK may lack GetConnection and DeleteConnection.
  const { outputFiles = [] } = buildSync({
    ...options,
    entryPoints: [join(folder, 'handler.ts')],
    outfile: join(folder, 'index.mjs'),
    // Functions run with their role's credentials, and need no search for others.
    alias: { '@aws-sdk/credential-provider-node': join(repository, 'shared/adapters/aws/lambda-credentials.ts') },
    sourcemap: true,
    sourcesContent: false,
  });
  return outputFiles.map(({ path, contents }) => ({ name: path.slice(folder.length + 1), contents }));
}

function bundleTask(entry: string, more: BuildOptions = {}): Uint8Array {
  const [file] =
    buildSync({ ...options, ...more, entryPoints: [join(repository, 'frontdoor', entry)] }).outputFiles ?? [];
  if (file === undefined) throw new Error(`esbuild made nothing of ${entry}`);
  return file.contents;
}

/** The front door's process, and the script that a task starts with: it fetches, checks and runs that code. */
export function bundleFrontDoor(): { readonly code: Uint8Array; readonly loader: Uint8Array } {
  return {
    code: bundleTask('main.ts'),
    // CloudFormation would take `${` in a template for a parameter of its own.
    loader: bundleTask('load.ts', { supported: { 'template-literal': false } }),
  };
}
