// The report as people read it: the README's table, and docs/benchmark.md with every row. Pure.

import type { Row } from '../section.ts';
import type { MeasuredSection, Report } from './report.ts';
import { table } from './tables.ts';

export const readmeBegin = '<!-- benchmark: written by `npm run bench -- --write`, not by hand -->';
export const readmeEnd = '<!-- /benchmark -->';

/** Three digits that matter, and no more of a figure that was measured. */
export function figure(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en-US');
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return Number(value.toFixed(Math.min(digits, 4))).toLocaleString('en-US', { maximumFractionDigits: 4 });
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function amountOf({ value, unit, spread }: Row): string {
  const range = spread === undefined ? '' : ` (${figure(spread[0])} to ${figure(spread[1])})`;
  return `${figure(value)}${unit === 'x' ? ' ×' : ` ${unit}`}${range}`;
}

function budgetOf({ budget, least, ok }: Row): string {
  const kept = ok === undefined ? '' : ok ? ' ✔' : ' ✘';
  if (least !== undefined) return `≥ ${figure(least)}${kept}`;
  return budget === undefined ? kept.trim() : `≤ ${figure(budget)}${kept}`;
}

function origin(sections: readonly MeasuredSection[]): string {
  const said = sections.map(({ date, commit, machine, mode }) => {
    const { cpu, cores, memoryGb, platform, node } = machine;
    return `${date.slice(0, 10)}, commit ${commit}, ${cpu}, ${cores} cores, ${memoryGb} GB, ${platform}, Node ${node}, ${mode} run`;
  });
  return [...new Set(said)].join('; ');
}

function loadOf(sections: readonly MeasuredSection[]): string {
  const loads = sections.map(({ loadAverage }) => loadAverage);
  return `load average ${figure(Math.min(...loads))} to ${figure(Math.max(...loads))} while it ran`;
}

/** The headlines of all sections. */
export function buildReadmeTable({ sections }: Report): string {
  const chosen = sections.filter(({ rows }) => rows.some(({ headline }) => headline === true));
  const rows = chosen.flatMap(({ rows: all }) =>
    all.filter(({ headline }) => headline === true).map((row) => [cell(row.what), amountOf(row), budgetOf(row)]),
  );
  return [
    readmeBegin,
    table(['measured', '', 'budget'], rows),
    `Medians; in brackets the lowest and the highest of the rounds. ${origin(chosen)}; ${loadOf(chosen)}. [All figures](docs/benchmark.md).`,
    readmeEnd,
  ].join('\n\n');
}

/** Puts the table between its markers; undefined where the file has none. */
export function placeInReadme(readme: string, block: string): string | undefined {
  const from = readme.indexOf(readmeBegin);
  const to = readme.indexOf(readmeEnd);
  if (from < 0 || to < from) return undefined;
  return `${readme.slice(0, from)}${block}${readme.slice(to + readmeEnd.length)}`;
}

export function buildDocument({ sections }: Report): string {
  const head = [
    '# Benchmark',
    'Written by `npm run bench -- --write` from [benchmark.json](benchmark.json); not by hand. Units are counted, and are the same on every machine; times are of one small machine that others use too, so the ratios are what to read.',
  ];
  return `${[...head, ...sections.flatMap(buildSection)].join('\n\n')}\n`;
}

function buildSection(section: MeasuredSection): readonly string[] {
  const { name, title, rows, notes, error, tookSeconds, loadAverage } = section;
  const details = rows.some(({ detail }) => detail !== undefined);
  const lines = rows.map((row) => [
    cell(row.what),
    amountOf(row),
    budgetOf(row),
    ...(details ? [cell(row.detail ?? '')] : []),
  ]);
  return [
    `## ${title}`,
    `\`npm run bench -- --only ${name}\`. ${origin([section])}; it took ${figure(tookSeconds)} s, load average ${loadAverage} before it.`,
    ...(error === undefined ? [] : [`Could not be measured: ${cell(error.split('\n')[0] ?? '')}`]),
    ...(rows.length === 0 ? [] : [table(['', 'measured', 'budget', ...(details ? ['from'] : [])], lines)]),
    ...(notes.length === 0 ? [] : [notes.map((note) => `* ${note}`).join('\n')]),
  ];
}
