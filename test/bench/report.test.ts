// The report of the benchmark: what ends it with 1, how a section that was measured again takes its place, and that the
// documents say what the kept figures say.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { latencyRows, quantile, ratioRow, takeTurns } from '../../bench/latency/rounds.ts';
import { circumstancesNow } from '../../bench/report/circumstances.ts';
import {
  buildDocument,
  buildReadmeTable,
  figure,
  placeInReadme,
  readmeBegin,
  readmeEnd,
} from '../../bench/report/markdown.ts';
import { failures, type MeasuredSection, measure, merge, type Report } from '../../bench/report/report.ts';
import { type Row, type Section, within } from '../../bench/section.ts';
import { sections } from '../../bench/sections.ts';

const quick = { full: false, say: () => undefined };

const sectionOf = (name: string, rows: readonly Row[]): Section => ({ name, title: name, run: async () => ({ rows }) });

function run(section: Section): Promise<MeasuredSection> {
  return measure(section, quick, circumstancesNow('quick'));
}

describe('what ends a run with 1', () => {
  it('is a budget of units that is broken, never a time', async () => {
    const broken = within({ what: 'new session', value: 7, unit: 'write units', budget: 6, binding: true });
    const slow = within({ what: 'a CONNECT', value: 9, unit: 'ms', budget: 3 });
    const kept = within({ what: 'confirm', value: 2, unit: 'write units', budget: 2, binding: true });
    expect(failures([await run(sectionOf('units', [broken, slow, kept]))])).toEqual([
      'units, new session: 7 write units, the budget is 6',
    ]);
  });

  it('is a section that could not be measured', async () => {
    const failing: Section = { name: 'gone', title: 'Gone', run: () => Promise.reject(new Error('no engine')) };
    const [problem] = failures([await run(failing)]);
    expect(problem).toContain('gone could not be measured');
    expect(problem).toContain('no engine');
  });
});

it('a section that was measured again takes its place, the others stay as they were', async () => {
  const row = (value: number): Row => ({ what: 'x', value, unit: 'ms' });
  const before = merge(
    undefined,
    [await run(sectionOf('b', [row(1)])), await run(sectionOf('a', [row(2)]))],
    ['a', 'b'],
  );
  const after = merge(before, [await run(sectionOf('b', [row(3)]))], ['a', 'b']);
  expect(after.sections.map(({ name, rows }) => [name, rows[0]?.value])).toEqual([
    ['a', 2],
    ['b', 3],
  ]);
  expect(after.format).toBe(1);
});

it('the table goes between its markers, and nothing else of the file changes', () => {
  const readme = `before\n${readmeBegin}\nold\n${readmeEnd}\nafter\n`;
  expect(placeInReadme(readme, `${readmeBegin}\nnew\n${readmeEnd}`)).toBe(
    `before\n${readmeBegin}\nnew\n${readmeEnd}\nafter\n`,
  );
  expect(placeInReadme('no markers', 'new')).toBeUndefined();
});

it('headlines alone stand in the README; a budget that is not kept is seen in both', async () => {
  const rows: readonly Row[] = [
    within({ what: 'kept', value: 5, unit: 'write units', budget: 6, headline: true }),
    within({ what: 'broken', value: 7, unit: 'write units', budget: 6, headline: true }),
    { what: 'too little', value: 0.5, unit: 'x', least: 0.6, ok: false, headline: true },
    { what: 'aside', value: 1.234, unit: 'x', spread: [1, 2] },
  ];
  const report = merge(undefined, [await run(sectionOf('units', rows))], ['units']);
  const table = buildReadmeTable(report);
  expect(table).toContain('| kept | 5 write units | ≤ 6 ✔ |');
  expect(table).toContain('| broken | 7 write units | ≤ 6 ✘ |');
  expect(table).toContain('| too little | 0.5 × | ≥ 0.6 ✘ |');
  expect(table).not.toContain('aside');
  expect(buildDocument(report)).toContain('| aside | 1.23 × (1 to 2) |  |');
});

it.each([
  [0, '0'],
  [48.5, '48.5'],
  [0.852_13, '0.852'],
  [12.345, '12.3'],
  [1_234.5, '1,235'],
  [0.000_01, '0'],
])('%d is written %s', (value, text) => {
  expect(figure(value)).toBe(text);
});

it('a ratio is that of the rounds, so that a slow round slows both of its sides', async () => {
  let factor = 1;
  const work = (ms: number) => async () => ms * factor;
  const slowing = { name: 'base', work: async () => (factor *= 2) };
  const times = await takeTurns([slowing, { name: 'other', work: work(3) }], 3, 1);
  expect(ratioRow(times, 'other', 'base', { what: 'r', budget: 2 })).toMatchObject({
    value: 3,
    spread: [3, 3],
    ok: false,
  });
  const [p50, , p99] = latencyRows(times, 'other', 'o');
  // The first round is thrown away.
  expect([p50?.value, p99?.value]).toEqual([24, 48]);
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(3);
});

it('every section has a name of its own', () => {
  expect(new Set(sections.map(({ name }) => name)).size).toBe(sections.length);
});

describe('what is in the repository', () => {
  const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const report: Report = JSON.parse(read('docs/benchmark.json'));

  it('docs/benchmark.md and the table of the README are what docs/benchmark.json says', () => {
    expect(read('docs/benchmark.md')).toBe(buildDocument(report));
    expect(read('README.md')).toContain(buildReadmeTable(report));
  });

  it('knows no section that is not there any more', () => {
    const names = sections.map(({ name }) => name);
    expect(report.sections.filter(({ name }) => !names.includes(name))).toEqual([]);
  });
});
