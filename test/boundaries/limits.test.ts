import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { listSources } from './check.ts';
import { exceptions, folderLimits, limitedFolders } from './limits.ts';
import { breachesOfLimits, type Measured, measure, measureFolders } from './measure.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const lines = (count: number, line: string): string => `${line}\n`.repeat(count);
const methods = (count: number, from = 0): string =>
  Array.from({ length: count }, (_, at) => `  m${from + at}(a: number): void;\n`).join('');
const fields = (count: number, from = 0): string =>
  Array.from({ length: count }, (_, at) => `readonly f${from + at}: number; `).join('');

describe('this repository', () => {
  const sourcesOf = (folders: readonly string[]): ReadonlyMap<string, string> =>
    new Map(folders.flatMap((folder) => listSources(root, folder).map((file) => [file, read(file)] as const)));
  const measured = [...measure(sourcesOf(limitedFolders)), ...measureFolders(sourcesOf(Object.keys(folderLimits)))];

  function read(file: string): string {
    return readFileSync(join(root, file), 'utf8');
  }

  test('keeps the limits of its files, functions, ports, record and folders, and every exception is needed', () => {
    expect(breachesOfLimits(measured, exceptions)).toEqual([]);
  });

  test('was measured: a check that finds nothing bounds nothing', () => {
    const count = (kind: Measured['kind']): number => measured.filter((one) => one.kind === kind).length;
    for (const folder of limitedFolders)
      expect(
        measured.some(({ name }) => name.startsWith(`${folder}/`)),
        folder,
      ).toBe(true);
    expect(count('file')).toBeGreaterThan(300);
    expect(count('function')).toBeGreaterThan(1_000);
    expect(count('port')).toBeGreaterThan(20);
    expect(measured.find(({ kind }) => kind === 'record')?.size).toBeGreaterThan(8);
    for (const { kind, name, size } of measured) if (kind === 'folder') expect(size, name).toBeGreaterThan(1_000);
  });
});

describe('a planted breach is found', () => {
  test('a folder of a line more than it may have, whose files are small', () => {
    const files = (count: number) =>
      new Map([
        ['bench/a.ts', lines(count, '//')],
        ['bench/b.ts', lines(3_000, '//')],
      ]);
    expect(breachesOfLimits(measureFolders(files(3_000)), {})).toEqual([]);
    expect(breachesOfLimits(measureFolders(files(3_001)), {})).toEqual(['folder bench is 6001, and may be 6000']);
    expect(breachesOfLimits(measureFolders(files(3_001)), { 'folder bench': 6_001 })).toEqual([]);
  });

  const breachesOf = (file: string, text: string, allowed: Readonly<Record<string, number>> = {}): readonly string[] =>
    breachesOfLimits(measure(new Map([[file, text]])), allowed);

  const planted = [
    { what: 'a file of 301 lines', file: 'local/a.ts', text: lines(301, '//'), is: 'file local/a.ts is 301' },
    {
      what: 'a function of 71 lines',
      file: 'local/a.ts',
      text: `function long() {\n${lines(69, '  go();')}}\n`,
      is: 'function local/a.ts long is 71',
    },
    {
      what: 'an arrow function',
      file: 'local/a.ts',
      text: `const long = () => {\n${lines(69, '  go();')}};\n`,
      is: 'function local/a.ts long is 71',
    },
    {
      what: 'a method',
      file: 'local/a.ts',
      text: `const a = {\n  long() {\n${lines(69, '    go();')}  },\n};\n`,
      is: 'function local/a.ts long is 71',
    },
    {
      what: 'a method of a class',
      file: 'local/a.ts',
      text: `class A {\n  long() {\n${lines(69, '    go();')}  }\n}\n`,
      is: 'function local/a.ts long is 71',
    },
    {
      what: 'a component',
      file: 'console/a.tsx',
      text: `export function Long() {\n  return (\n    <p>\n${lines(66, '      a')}    </p>\n  );\n}\n`,
      is: 'function console/a.tsx Long is 72',
    },
    {
      what: 'a function that hides its lines in a callback',
      file: 'local/a.ts',
      text: `function long() {\n  go(() => {\n${lines(67, '    go();')}  });\n}\n`,
      is: 'function local/a.ts long is 71',
    },
    {
      what: 'a callback at the top of a module',
      file: 'local/a.ts',
      text: `go(() => {\n${lines(69, '  go();')}});\n`,
      is: 'function local/a.ts a callback in the module is 71',
    },
    {
      what: 'a port of 11 methods',
      file: 'shared/ports/a.ts',
      text: `export interface Large {\n${methods(11)}}\n`,
      is: 'port shared/ports/a.ts Large is 11',
    },
    {
      what: 'a port that inherits its methods',
      file: 'shared/ports/a.ts',
      text: `interface A {\n${methods(6)}}\ninterface B {\n${methods(4, 6)}}\nexport interface Large extends A, B { last: () => void }\n`,
      is: 'port shared/ports/a.ts Large is 11',
    },
    {
      what: 'a record of 17 fields',
      file: 'shared/domain/a.ts',
      text: `export interface Session { ${fields(17)}}\n`,
      is: 'record shared/domain/a.ts Session is 17',
    },
    {
      what: 'a record of 17 fields in one of its phases',
      file: 'shared/domain/a.ts',
      text: `interface Base { ${fields(9)}}\ninterface Ended extends Base { ${fields(8, 9)}}\nexport type Session = (Base & { phase: 'new' }) | Ended;\n`,
      is: 'record shared/domain/a.ts Session is 17',
    },
  ];

  test.each(planted)('$what', ({ file, text, is }) => {
    expect(breachesOf(file, text).filter((breach) => breach.startsWith(is))).toHaveLength(1);
  });

  const small = [
    { what: 'a file of 300 lines', file: 'local/a.ts', text: lines(300, '//') },
    { what: 'a function of 70 lines', file: 'local/a.ts', text: `function a() {\n${lines(68, '  go();')}}\n` },
    {
      what: 'a factory whose closures are small',
      file: 'local/a.ts',
      text: `function create() {\n  function a() {\n${lines(60, '    go();')}  }\n  const b = () => {\n${lines(60, '    go();')}  };\n  return { a, b };\n}\n`,
    },
    { what: 'a port of 10 methods', file: 'shared/ports/a.ts', text: `export interface A {\n${methods(10)}}\n` },
    { what: 'data of 30 fields', file: 'shared/ports/a.ts', text: `export interface A { ${fields(30)}}\n` },
    {
      what: 'a record of 16 fields in each phase',
      file: 'shared/domain/a.ts',
      text: `interface A { ${fields(10)}}\nexport type Session = (A & { ${fields(6, 10)}}) | (A & { ${fields(6, 20)}});\n`,
    },
  ];

  test.each(small)('but not $what', ({ file, text }) => {
    expect(breachesOf(file, text)).toEqual([]);
  });

  test('an exception holds up to its own ceiling, and fails once nothing needs it', () => {
    const key = 'file local/a.ts';
    expect(breachesOf('local/a.ts', lines(310, '//'), { [key]: 310 })).toEqual([]);
    expect(breachesOf('local/a.ts', lines(311, '//'), { [key]: 310 })).toEqual([`${key} is 311, and may be 310`]);
    expect(breachesOf('local/a.ts', lines(300, '//'), { [key]: 310 })).toEqual([`${key} needs no exception any more`]);
    expect(breachesOf('local/b.ts', '//\n', { [key]: 310 })).toEqual([`${key} is not there any more`]);
  });
});
