// Times of several things measured in turns, round after round, so that whatever else the machine does meets them alike.

import type { Row } from '../section.ts';

/** For each subject its times in milliseconds, by round. */
export type Times = Readonly<Record<string, readonly (readonly number[])[]>>;

export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  if (value === undefined) throw new Error('there is nothing to choose from');
  return value;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export interface Subject {
  readonly name: string;
  readonly work: () => Promise<number>;
}

/** Each subject times its own work; `work` answers milliseconds. A first round warms up and is thrown away. */
export async function takeTurns(subjects: readonly Subject[], rounds: number, turns: number): Promise<Times> {
  const times: Record<string, number[][]> = Object.fromEntries(subjects.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    const now = new Map<string, number[]>(subjects.map(({ name }) => [name, []]));
    for (let turn = 0; turn < turns; turn++) for (const { name, work } of subjects) now.get(name)?.push(await work());
    if (round >= 0) for (const [name, taken] of now) times[name]?.push(taken);
  }
  return times;
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

function roundsOf(times: Times, name: string): readonly (readonly number[])[] {
  const rounds = times[name];
  if (rounds === undefined) throw new Error(`${name} was not measured`);
  return rounds;
}

/** p50, p90 and p99 of all rounds; the spread of p50 is that of the rounds' medians. */
export function latencyRows(times: Times, name: string, what: string): readonly Row[] {
  const rounds = roundsOf(times, name);
  const all = rounds.flat();
  const medians = rounds.map(median);
  return [
    { what: `${what}, p50`, value: median(all), unit: 'ms', spread: [Math.min(...medians), Math.max(...medians)] },
    { what: `${what}, p90`, value: quantile(all, 0.9), unit: 'ms' },
    { what: `${what}, p99`, value: quantile(all, 0.99), unit: 'ms' },
  ];
}

/** The median of the rounds' ratios of medians, so that a slow minute of the machine slows both sides of a ratio. */
export function ratioRow(times: Times, name: string, to: string, row: Omit<Row, 'value' | 'unit' | 'spread'>): Row {
  const base = roundsOf(times, to).map(median);
  const ratios = roundsOf(times, name).map((round, n) => median(round) / (base[n] ?? Number.NaN));
  const value = median(ratios);
  const kept = row.budget === undefined ? {} : { ok: value <= row.budget };
  return { ...row, value, unit: 'x', spread: [Math.min(...ratios), Math.max(...ratios)], ...kept };
}
