// One place moves the count: `shared/app/counter`. The rest of the product commits a record, and does not know what moves.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const moves = /\.(addPlace|removePlaces?|correct)\(/;
const inside = /\b(isWide|laneOf|placeInLane|isFolded|folded|unfolded|readTally)\b/;
/** A place has two forms (shared/domain/place.ts). */
const comparesForms = /\bplace [!=]==|[!=]== [\w.?]*\bplace\b/;
/** It wraps a store and hands every call on. */
const wrapper = 'shared/app/usage/ask-ranks.ts';

const withoutComments = (text: string): string => text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');

function breachesOf(file: string, text: string): readonly string[] {
  const code = withoutComments(text);
  return [
    ...(moves.test(code) ? [`${file} moves the count`] : []),
    ...(inside.test(code) ? [`${file} knows how a count is kept`] : []),
  ];
}

function sourcesOf(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`);
}

test('nothing else in the use cases, the functions, the front door or the local run moves the count', () => {
  const files = ['shared/app', 'functions', 'frontdoor', 'local']
    .flatMap(sourcesOf)
    .filter((file) => !file.startsWith('shared/app/counter/') && file !== wrapper);
  expect(files.length).toBeGreaterThan(100);
  expect(files.flatMap((file) => breachesOf(file, readFileSync(join(root, file), 'utf8')))).toEqual([]);
});

test.each([
  ['await store.removePlace(id, username, place, false);', 'a.ts moves the count'],
  ['await ports.store.addPlace(a, b, c, 1, d);', 'a.ts moves the count'],
  ["import { isWide } from '../../domain/place.ts';", 'a.ts knows how a count is kept'],
  ['if (isFolded(session.place)) return;', 'a.ts knows how a count is kept'],
])('finds %s', (text, breach) => {
  expect(breachesOf('a.ts', text)).toEqual([breach]);
  expect(breachesOf('a.ts', `// ${text}`)).toEqual([]);
});

test('no use case compares the forms of two places: a session that comes to be counted by a number is the same', () => {
  const files = sourcesOf('shared/app').filter((file) =>
    comparesForms.test(withoutComments(readFileSync(join(root, file), 'utf8'))),
  );
  expect(files).toEqual([]);
});

test.each(['if (now.value.place === place) return;', 'a.place !== b.place', 'x === b.place'])('finds %s', (text) => {
  expect(comparesForms.test(text)).toBe(true);
});
