// Makes the folder that the npm package consists of: the constructs of infra/index.ts as one CommonJS file with their
// types, and beside it the code that they upload. `import` and `require` both take CommonJS, as aws-cdk-lib itself is.
// `npm pack` runs it; an argument names another folder than dist.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as bundle, type Plugin } from 'esbuild';
import { build as buildConsole } from 'vite';
import { bundleFrontDoor, bundleFunction } from '../infra/bundle.ts';
import { environmentOf, type FunctionName } from '../shared/config/env.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));
/** The packages of an app that embeds the constructs. */
const peers = ['aws-cdk-lib', 'constructs'];

function write(file: string, contents: string | Uint8Array): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, contents);
}

/** The package must not bundle from source: it has no sources. */
const readyCode: Plugin = {
  name: 'ready-code',
  setup: (build) =>
    build.onResolve({ filter: /\/code\.ts$/ }, () => ({ path: join(repository, 'infra/ready-code.ts') })),
};

async function compile(folder: string): Promise<void> {
  const { warnings, metafile } = await bundle({
    entryPoints: [join(repository, 'infra/index.ts')],
    outfile: join(folder, 'index.js'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: [...peers, ...peers.map((name) => `${name}/*`)],
    define: { 'import.meta.dirname': '__dirname' },
    plugins: [readyCode],
    metafile: true,
    logLevel: 'error',
  });
  // Such as `import.meta` in a place that CommonJS leaves empty.
  if (warnings.length > 0) throw new Error(warnings.map(({ text }) => text).join('\n'));
  const packed = Object.keys(metafile.inputs).filter((path) => path.includes('node_modules/'));
  if (packed.length > 0) throw new Error(`the constructs must import no other package: ${packed.join(', ')}`);
}

const relativeImport = /(?<=(?:from |import\()')(\.{1,2}\/[^']+)\.ts(?=')/g;

/** The declarations that a consumer reaches from the entry; the compiler writes those of every module. */
async function declare(folder: string): Promise<void> {
  const all = mkdtempSync(join(folder, '.types-'));
  const tsc = join(repository, 'node_modules/typescript/bin/tsc');
  const words = [tsc, '-p', join(repository, 'tsconfig.package.json'), '--outDir', all];
  const [code] = await once(spawn(process.execPath, words, { stdio: 'inherit' }), 'close');
  if (code !== 0) throw new Error('the constructs do not compile');
  const reached = new Set(['infra/index']);
  for (const name of reached) {
    const text = readFileSync(join(all, `${name}.d.ts`), 'utf8');
    for (const [, path = ''] of text.matchAll(relativeImport)) reached.add(posix.join(posix.dirname(name), path));
    // Older compilers find `x.d.ts` by `x.js` only.
    write(join(folder, 'types', `${name}.d.ts`), text.replaceAll(relativeImport, '$1.js'));
  }
  rmSync(all, { recursive: true });
}

const folder = resolve(process.argv[2] ?? join(repository, 'dist'));
rmSync(folder, { recursive: true, force: true });
// The files are CommonJS, in a package whose own sources are not.
write(join(folder, 'package.json'), `${JSON.stringify({ type: 'commonjs' })}\n`);
// The type checker is another process; the bundler works meanwhile.
const declared = declare(folder);
await compile(folder);
for (const name of Object.keys(environmentOf) as FunctionName[])
  for (const file of bundleFunction(name)) write(join(folder, 'functions', name, file.name), file.contents);
const { code, loader } = bundleFrontDoor();
write(join(folder, 'frontdoor/main.mjs'), code);
write(join(folder, 'frontdoor/load.mjs'), loader);
// Whatever the shell says: a development build names the files of this machine.
process.env.NODE_ENV = 'production';
await buildConsole({
  configFile: join(repository, 'console/vite.config.ts'),
  build: { outDir: join(folder, 'console') },
  logLevel: 'warn',
});
await declared;
