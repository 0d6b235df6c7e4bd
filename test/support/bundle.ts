// Programs of this repository as one file each. A child process that loads them module by module through tsx needs two
// seconds of a processor before it does anything, and tests start dozens.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

const root = join(import.meta.dirname, '../..');
const cache = join(root, 'node_modules/.cache/headcount');
const folders = ['apply', 'bench', 'frontdoor', 'functions', 'local', 'shared', 'test'];

/** A bundled module still finds the files beside its source. */
const keepPlaces: Plugin = {
  name: 'keep places',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      if (path.includes('/node_modules/')) return undefined;
      const source = await readFile(path, 'utf8');
      const contents = source
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)))
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href));
      return { contents, loader: 'ts' };
    });
  },
};

function hashOfSources(): string {
  const hash = createHash('sha256').update(root);
  const sources = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(root, folder, name)),
  );
  for (const file of [...sources.sort(), join(root, 'package-lock.json')]) hash.update(file).update(readFileSync(file));
  return hash.digest('hex');
}

function isOf(file: string, sources: string): boolean {
  return existsSync(file) && readFileSync(file, 'utf8').startsWith(`// ${sources}\n`);
}

/** The file that `program`, a path in this repository, is bundled in: as its sources are now, and built only once. */
export async function bundle(program: string): Promise<string> {
  const sources = hashOfSources();
  const file = join(cache, `${program.replaceAll('/', '-').replace(/\.ts$/, '')}.mjs`);
  if (isOf(file, sources)) return file;
  const { outputFiles } = await build({
    entryPoints: [join(root, program)],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // As tsx does: the code reads the names of classes.
    keepNames: true,
    banner: {
      js: `// ${sources}\nimport { createRequire as requireFrom } from 'node:module';\nconst require = requireFrom(import.meta.url);`,
    },
    plugins: [keepPlaces],
    logLevel: 'silent',
  });
  await mkdir(cache, { recursive: true });
  // Several processes may build it at once. Each puts a whole file in the place of another.
  const own = `${file}.${process.pid}`;
  await writeFile(own, outputFiles[0]?.contents ?? '');
  await rename(own, file);
  return file;
}
