// docs/local.md: the unit and the container file run what `npm start` runs, with all that it imports.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const page = read('docs/local.md');
const block = (language: string) => new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(page)?.[1] ?? '';
const unit = block('ini');
const image = block('dockerfile');
const { scripts } = JSON.parse(read('package.json')) as { scripts: { start: string } };
const startWords = scripts.start.replace(/^exec /, '').split(' ');

test('both start what npm start starts', () => {
  expect(scripts.start).toMatch(/^exec node /);
  expect(unit).toContain(`\nExecStart=/usr/bin/${startWords.join(' ')}\n`);
  expect(image).toContain(`\nCMD ${JSON.stringify(startWords).replaceAll(',', ', ')}\n`);
});

test('a stop of the unit reaches the product alone, and it writes where the unit lets it', () => {
  expect(unit).toContain('\nKillMode=mixed\n');
  expect(unit).toContain('\nStateDirectory=headcount\n');
  expect(unit).toContain('\nEnvironment=DATA_DIR=/var/lib/headcount\n');
});

test('the image holds each folder that the product imports from', () => {
  const copied = [...image.matchAll(/^COPY (\S+) \1$/gm)].map(([, folder = '']) => folder);
  for (const folder of copied) expect(existsSync(join(root, folder)), folder).toBe(true);
  const sources = copied.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => join(folder, name))
      // Takes pictures for the README, with what tests have.
      .filter((file) => file !== join('console', 'screenshots.ts')),
  );
  expect(sources).toContain('local/main.ts');
  const imported = sources.flatMap((file) =>
    [...read(file).matchAll(/(?:from|import) '(\.[^']+)'/g)].map(([, to = '']) => join(file, '..', to).split('/')[0]),
  );
  expect([...new Set(imported)].filter((folder) => !copied.includes(folder ?? ''))).toEqual([]);
});
