// If-Match and If-None-Match as RFC 9110 has them: 13.1.1, 13.1.2, 8.8.3 (entity tags) and 5.6.1 (lists).

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { etagOf, parsePrecondition } from '../../functions/api/precondition.ts';
import { allows, type Versions } from '../../shared/app/settings/expected.ts';

const matchOf = (header: string): Versions | undefined | 'invalid' => {
  const parsed = parsePrecondition(header, undefined);
  return parsed.ok ? parsed.expected?.match : 'invalid';
};
const noneMatchOf = (header: string): Versions | undefined | 'invalid' => {
  const parsed = parsePrecondition(undefined, header);
  return parsed.ok ? parsed.expected?.noneMatch : 'invalid';
};

test.each<[string, Versions, Versions]>([
  ['*', 'any', 'any'],
  [' \t*\t ', 'any', 'any'],
  ['"1"', [1], [1]],
  ['"1", "22"', [1, 22], [1, 22]],
  ['"1","22"', [1, 22], [1, 22]],
  ['"1"\t ,\t"22"', [1, 22], [1, 22]],
  // Empty elements say nothing.
  ['', [], []],
  [' ', [], []],
  [',', [], []],
  ['"1", ', [1], [1]],
  [', ,"1",, ,"22",', [1, 22], [1, 22]],
  // Only If-None-Match compares weakly.
  ['W/"1"', [], [1]],
  ['W/"1", "2"', [2], [1, 2]],
  // Tags that are none of ours match nothing.
  ['"a,b"', [], []],
  ['"a,b", "3"', [3], [3]],
  ['","', [], []],
  ['",",'.repeat(3), [], []],
  ['""', [], []],
  ['"*"', [], []],
  ['"0"', [], []],
  ['"01"', [], []],
  ['"1234567890123456"', [], []],
  ['"\\"', [], []],
  ['"W/", "ÿ", "日本", W/"", "4"', [4], [4]],
])('%j is a valid list, and is evaluated', (header, match, noneMatch) => {
  expect([matchOf(header), noneMatchOf(header)]).toEqual([match, noneMatch]);
});

test.each([
  ...['1', '"1', '1"', '"', '"1" "2"', '"1""2"', '"1";"2"', '"a b"', '"a\tb"', '"a"b"', "'1'", '"1", 2', '"1" x'],
  ...['*, "1"', '"1", *', '*,', '**', 'w/"1"', 'W / "1"', 'W/ "1"', 'W/1', 'W/', '"1"\n', '\u00A0"1"', '"\u007F"'],
])('%j is no list of entity tags: a fault that names the header', (header) => {
  expect(parsePrecondition(header, undefined)).toMatchObject({ ok: false, name: 'if-match' });
  expect(parsePrecondition(undefined, header)).toMatchObject({ ok: false, name: 'if-none-match' });
});

const space = fc.stringMatching(/^[ \t]{0,3}$/);
const opaque = fc.stringMatching(/^[!#-~\u0080-\u00FF]{0,8}$/).filter((text) => !/^[1-9][0-9]{0,14}$/.test(text));
const tag = fc.oneof(
  fc.integer({ min: 1, max: 999_999_999_999_999 }).map((version) => ({ text: etagOf(version), version, weak: false })),
  fc.integer({ min: 1, max: 99 }).map((version) => ({ text: `W/"${version}"`, version, weak: true })),
  opaque.map((text) => ({ text: `"${text}"`, version: undefined, weak: false })),
  fc.constant({ text: '', version: undefined, weak: false }),
);

test('whatever tags, empty elements and spaces a list is made of, its versions are found in order', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(space, tag, space), { minLength: 1, maxLength: 8 }), (elements) => {
      const header = elements.map(([before, { text }, after]) => `${before}${text}${after}`).join(',');
      const tags = elements.map(([, one]) => one);
      const versions = (some: typeof tags) => some.flatMap(({ version }) => version ?? []);
      expect(matchOf(header)).toEqual(versions(tags.filter(({ weak }) => !weak)));
      expect(noneMatchOf(header)).toEqual(versions(tags));
    }),
  );
});

test.each<[string | undefined, string | undefined, number | undefined, boolean]>([
  [undefined, undefined, undefined, true],
  [undefined, undefined, 3, true],
  ['*', undefined, undefined, false],
  ['*', undefined, 3, true],
  ['"3", "4"', undefined, 3, true],
  ['"4"', undefined, 3, false],
  ['"3"', undefined, undefined, false],
  ['', undefined, 3, false],
  [undefined, '*', undefined, true],
  [undefined, '*', 3, false],
  [undefined, '"3"', 3, false],
  [undefined, 'W/"3"', 3, false],
  [undefined, '"4"', 3, true],
  [undefined, '"4"', undefined, true],
  [undefined, '', 3, true],
  // Both must hold.
  ['"3"', '"4"', 3, true],
  ['"3"', '"3"', 3, false],
  ['*', '*', 3, false],
  ['*', '*', undefined, false],
])('If-Match %j and If-None-Match %j of version %j: %j', (ifMatch, ifNoneMatch, version, allowed) => {
  const parsed = parsePrecondition(ifMatch, ifNoneMatch);
  expect(parsed.ok && allows(parsed.expected, version)).toBe(allowed);
});
