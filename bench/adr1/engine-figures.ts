// The candidates on the engine that the local run embeds.

import { createTable } from '../../local/create-table.ts';
import { startEngine } from '../../local/engine.ts';
import { measureExactness, measureTime, measureUnits } from '../admission/measure.ts';
import { createTarget, type Target } from '../admission/target.ts';
import type { Units } from '../meter/meter.ts';
import { table, whole } from './tables.ts';

const budgets: readonly (readonly [path: string, budget: string])[] = [
  ['new', '≤ 6'],
  ['new, first of its username', '≤ 6'],
  ['confirm', '≤ 2'],
  ['reconnect', '≤ 2'],
  ['rejected', '0 (≤ 4 read units)'],
  ['rejected, lost a race', '–'],
  ['free', '–'],
  ['free, last of its username', '–'],
];

export async function engineFigures(): Promise<readonly string[]> {
  const engine = await startEngine({ dataDir: ':memory:' });
  try {
    const target = createTarget(engine.endpoint, 'adr1');
    await createTable(target.rawClient, target.tableName);
    return [...(await unitFigures(target)), ...(await timeFigures(target)), ...(await exactFigures(target))];
  } finally {
    await engine.stop();
  }
}

async function unitFigures(target: Target): Promise<readonly string[]> {
  const paths = await measureUnits(target);
  const names = [...paths.keys()];
  const at = (name: string, path: string): Units =>
    paths.get(name)?.[path] ?? { write: 0, indexWrite: 0, read: 0, requests: 0 };
  const cell = (units: Units): string => `${units.write} (${units.indexWrite})`;
  const life = (name: string, begin: string, end: string): number =>
    [begin, 'confirm', end].reduce((sum, path) => sum + at(name, path).write, 0);
  return [
    '## Write units of each path',
    'By the unit meter, from the items themselves; in brackets how many of them are index entries.',
    table(
      ['path', ...names, 'budget'],
      [
        ...budgets.map(([path, budget]) => [path, ...names.map((name) => cell(at(name, path))), budget]),
        ['clean life, among others of its username', ...names.map((name) => life(name, 'new', 'free')), '≤ 12'],
        [
          'clean life, alone',
          ...names.map((name) => life(name, 'new, first of its username', 'free, last of its username')),
          '≤ 12',
        ],
      ],
    ),
    `Read units of the batch before each admission: ${[...new Set(names.map((name) => at(name, 'new').read))].join(', ')}.`,
  ];
}

async function timeFigures(target: Target): Promise<readonly string[]> {
  const timings = await measureTime(target);
  const bare = timings[0];
  return [
    '## Time on the engine',
    'Different usernames, so nothing meets; one at a time in turns for the median, 32 at a time for the rate. The ratios are what to read.',
    table(
      ['', 'median', 'of the bare write', 'a second', 'of the bare write'],
      timings.map(({ name, medianMs, perSecond }) => [
        name,
        `${medianMs.toFixed(2)} ms`,
        (medianMs / (bare?.medianMs ?? medianMs)).toFixed(2),
        whole(perSecond),
        (perSecond / (bare?.perSecond ?? perSecond)).toFixed(2),
      ]),
    ),
  ];
}

async function exactFigures(target: Target): Promise<readonly string[]> {
  const found = await measureExactness(target, 200, 100);
  return [
    '## 200 at the same moment, limit 100',
    table(
      ['candidate', 'admitted', 'rejected', 'used afterwards'],
      found.map(({ name, admitted, rejected, used }) => [name, admitted, rejected, used]),
    ),
  ];
}
