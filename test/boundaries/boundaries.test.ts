import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { checkBoundaries } from './check.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('this repository', () => {
  const report = checkBoundaries(root);

  test('keeps its boundaries', () => {
    expect(report.breaches).toEqual([]);
  });

  test('was visited: a check that finds no files finds no breaches', () => {
    const count = (folder: string): number => report.files.filter((file) => file.startsWith(`${folder}/`)).length;
    expect(count('shared/config')).toBeGreaterThanOrEqual(3);
    expect(count('shared/domain')).toBeGreaterThanOrEqual(6);
    expect(count('shared/ports')).toBeGreaterThanOrEqual(10);
    expect(count('shared/adapters')).toBeGreaterThanOrEqual(1);
    expect(count('functions')).toBeGreaterThanOrEqual(1);
    expect(count('infra')).toBeGreaterThanOrEqual(4);
    expect(count('console')).toBeGreaterThanOrEqual(40);
    expect(count('test')).toBeGreaterThanOrEqual(5);
    expect(report.importCount).toBeGreaterThan(report.files.length);
  });
});

describe('a planted breach is found', () => {
  const folders: string[] = [];

  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  function breachesOf(file: string, text: string): readonly string[] {
    const planted = mkdtempSync(join(tmpdir(), 'headcount-boundaries-'));
    folders.push(planted);
    mkdirSync(dirname(join(planted, file)), { recursive: true });
    writeFileSync(join(planted, file), text);
    return checkBoundaries(planted).breaches;
  }

  const plantedImports = [
    { file: 'shared/config/a.ts', specifier: '../domain/ids.ts' },
    { file: 'shared/domain/a.ts', specifier: 'node:crypto' },
    { file: 'shared/domain/a.ts', specifier: 'crypto' },
    { file: 'shared/domain/a.ts', specifier: 'zod' },
    { file: 'shared/domain/a.ts', specifier: '../ports/clock.ts' },
    { file: 'shared/domain/deep/a.ts', specifier: '../../adapters/clock.ts' },
    { file: 'shared/ports/a.ts', specifier: '../app/connect.ts' },
    { file: 'shared/ports/a.ts', specifier: '../config/table.ts' },
    { file: 'shared/app/a.ts', specifier: '../adapters/dynamodb/keys.ts' },
    { file: 'shared/app/a.ts', specifier: '@aws-sdk/client-dynamodb' },
    { file: 'shared/app/a.ts', specifier: 'node:crypto' },
    { file: 'shared/app/a.ts', specifier: '../../functions/authorizer/event.ts' },
    { file: 'shared/adapters/a.ts', specifier: '../app/connect.ts' },
    { file: 'shared/adapters/a.ts', specifier: '../../functions/authorizer/event.ts' },
    { file: 'shared/app/a.ts', specifier: '../core/core.ts' },
    { file: 'shared/adapters/a.ts', specifier: '../core/core.ts' },
    { file: 'shared/adapters/dynamodb/common/a.ts', specifier: '@aws-sdk/client-dynamodb' },
    { file: 'shared/adapters/dynamodb/usage/a.ts', specifier: '@aws-sdk/lib-dynamodb' },
    { file: 'shared/core/a.ts', specifier: '@aws-sdk/lib-dynamodb' },
    { file: 'shared/core/a.ts', specifier: '../adapters/aws/iot-broker.ts' },
    { file: 'shared/core/a.ts', specifier: '../../functions/environment.ts' },
    { file: 'functions/sweeper/a.ts', specifier: '../../shared/core/connect.ts' },
    { file: 'frontdoor/a.ts', specifier: '../shared/core/connect.ts' },
    { file: 'functions/presence/a.ts', specifier: '../authorizer/handler.ts' },
    { file: 'functions/authorizer/a.ts', specifier: '../presence/handler.ts' },
    { file: 'functions/environment.ts', specifier: '../shared/app/admission/connect.ts' },
    { file: 'functions/api/a.ts', specifier: '../../frontdoor/proxy.ts' },
    { file: 'functions/api/a.ts', specifier: '../../local/main.ts' },
    { file: 'functions/api/a.ts', specifier: '../../test/infra/a.ts' },
    { file: 'frontdoor/a.ts', specifier: '../shared/adapters/clock.ts' },
    { file: 'frontdoor/a.ts', specifier: '../shared/app/admission/connect.ts' },
    { file: 'frontdoor/a.ts', specifier: '../functions/authorizer/event.ts' },
    { file: 'infra/a.ts', specifier: '../shared/domain/ids.ts' },
    { file: 'infra/a.ts', specifier: '../shared/adapters/dynamodb/common/keys.ts' },
    { file: 'infra/a.ts', specifier: '../functions/authorizer/handler.ts' },
    { file: 'console/src/a.ts', specifier: '../../shared/domain/ids.ts' },
    { file: 'console/pages/a.tsx', specifier: '../../functions/api/schemas.ts' },
    { file: 'console/pages/a.tsx', specifier: 'node:fs' },
    { file: 'console/pages/a.tsx', specifier: '@aws-sdk/client-dynamodb' },
    { file: 'console/client/a.ts', specifier: '../../functions/api/schemas.ts' },
    { file: 'console/client/a.ts', specifier: '../../functions/api/views.ts' },
    { file: 'console/client/a.ts', specifier: 'zod' },
    { file: 'console/client/a.ts', specifier: '../session/session.ts' },
    { file: 'apply/a.ts', specifier: '../shared/app/settings/session-limit.ts' },
    { file: 'apply/a.ts', specifier: '../shared/adapters/clock.ts' },
    { file: 'apply/a.ts', specifier: '../functions/api/schemas.ts' },
    { file: 'local/a.ts', specifier: '../test/infra/a.ts' },
    { file: 'local/a.ts', specifier: '../bench/main.ts' },
    { file: 'bench/a.ts', specifier: '../test/infra/a.ts' },
  ];

  test.each(plantedImports)('$file importing $specifier', ({ file, specifier }) => {
    expect(breachesOf(file, `import '${specifier}';\n`)).toEqual([`${file} imports ${specifier}`]);
  });

  const forms = [
    "import type { A } from 'zod';",
    "import { type A } from 'zod';",
    "import * as a from 'zod';",
    "export { A } from 'zod';",
    "export * from 'zod';",
    "export type A = import('zod').A;",
    "export const a = (): Promise<unknown> => import('zod');",
  ];

  test.each(forms)('however it is written: %s', (text) => {
    expect(breachesOf('shared/domain/a.ts', text)).toEqual(['shared/domain/a.ts imports zod']);
  });

  test('types of the API come into the client of the console, and no other types do', () => {
    const take = (from: string): string => `import type { A } from '${from}';`;
    expect(breachesOf('console/client/a.ts', `${take('../../functions/api/schemas.ts')} ${take('zod')}`)).toEqual([]);
    expect(breachesOf('console/client/a.ts', take('../../functions/api/views.ts'))).not.toEqual([]);
    expect(breachesOf('console/pages/a.tsx', take('../../functions/api/schemas.ts'))).not.toEqual([]);
  });

  test('in the core, an import whose name is computed', () => {
    const text = 'export const a = (b: string): Promise<unknown> => import(b);';
    expect(breachesOf('shared/domain/a.ts', text)).toEqual(['shared/domain/a.ts imports a computed name']);
  });

  const impurities = [
    { text: "export const a = process.env['A'];", name: 'process' },
    { text: 'export const a = Date.now();', name: 'Date.now' },
    { text: "export const a = Date['now']();", name: 'Date.now' },
    { text: 'export const a = new Date();', name: 'new Date()' },
    { text: 'export const a = Date();', name: 'Date()' },
    { text: 'export const a = Math.random();', name: 'Math.random' },
    { text: 'setTimeout(() => {}, 1);', name: 'setTimeout' },
    { text: 'setInterval(() => {}, 1);', name: 'setInterval' },
    { text: 'export const a = performance.now();', name: 'performance' },
    { text: 'export const a = crypto.randomUUID();', name: 'crypto' },
    { text: "export const a = fetch('http://a');", name: 'fetch' },
    { text: 'export const a = { fetch };', name: 'fetch' },
    { text: 'export const a = globalThis.Date;', name: 'globalThis' },
    { text: 'export const a = (crypto: () => 1) => crypto(); export const b = crypto.randomUUID();', name: 'crypto' },
    {
      text: 'function f() { const fetch = 1; return fetch; } export const a = () => fetch(String(f()));',
      name: 'fetch',
    },
  ];

  describe.each(['shared/domain', 'shared/app', 'shared/ports', 'shared/config', 'shared/core'])('in %s', (folder) => {
    test.each(impurities)('$name: $text', ({ text, name }) => {
      expect(breachesOf(`${folder}/a.ts`, text)).toContain(`${folder}/a.ts uses ${name}`);
    });
  });

  test('a file in a folder that has no zone', () => {
    expect(breachesOf('elsewhere/a.ts', 'export const a = 1;')).toEqual(['elsewhere/a.ts is in no zone']);
  });

  const innocent = [
    'export const a = (at: number): string => new Date(at).toISOString();',
    "/** Date.now() and import 'zod' in words. */ export const a = \"import 'zod'; Date.now()\";",
    'export const a = { console: 1, fetch: 2 }; export const b = a.console;',
    'export interface A { readonly process: string; fetch(): void }',
    'export const a = ({ crypto }: { crypto: () => 1 }) => crypto();',
    'export function a(ports: { crypto: 1 }): 1 { const { crypto } = ports; return (() => crypto)(); }',
    'export type A = (process: string, ...console: readonly string[]) => void;',
    "import { fetch } from './fetch.ts'; export const a = fetch();",
    "import { leaseSeconds } from '../config/constants.ts'; export const a = leaseSeconds;",
    "export const a = Buffer.from('a');",
  ];

  test.each(innocent)('and nothing else is: %s', (text) => {
    expect(breachesOf('shared/domain/a.ts', text)).toEqual([]);
  });

  const allowed = [
    { file: 'functions/presence/a.ts', specifier: '../authorizer/event.ts' },
    { file: 'functions/sweeper/a.ts', specifier: '../environment.ts' },
    { file: 'functions/api/a.ts', specifier: '../../shared/adapters/clock.ts' },
    { file: 'functions/authorizer/a.ts', specifier: '../../shared/core/connect.ts' },
    { file: 'frontdoor/main.ts', specifier: '../shared/adapters/clock.ts' },
    { file: 'frontdoor/a.ts', specifier: '../shared/ports/common/clock.ts' },
    { file: 'infra/a.ts', specifier: '../shared/config/table.ts' },
    { file: 'local/a.ts', specifier: '../functions/authorizer/handler.ts' },
  ];

  test.each(allowed)('nor is $file importing $specifier', ({ file, specifier }) => {
    expect(breachesOf(file, `import '${specifier}';\n`)).toEqual([]);
  });
});
