// What a run of the benchmark leaves behind: one JSON whose shape others may rely on. A change of the shape that would
// break a reader raises `format`.

import type { Row, Section, SectionOptions } from '../section.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  /** As `linux x64`. */
  readonly platform: string;
  readonly node: string;
}

/** Where and when: a section that was measured again alone has its own. */
export interface Circumstances {
  /** RFC 3339, UTC. */
  readonly date: string;
  /** Of the repository; `+` behind it where files had been changed since. */
  readonly commit: string;
  readonly machine: Machine;
  /** Of the last minute, before the section began. */
  readonly loadAverage: number;
  readonly mode: 'quick' | 'full';
}

export interface MeasuredSection extends Circumstances {
  readonly name: string;
  readonly title: string;
  readonly tookSeconds: number;
  readonly rows: readonly Row[];
  readonly notes: readonly string[];
  /** Why it could not be measured; then it has no rows. */
  readonly error?: string;
}

export interface Report {
  readonly format: 1;
  readonly sections: readonly MeasuredSection[];
}

export async function measure(
  section: Section,
  options: SectionOptions,
  circumstances: Circumstances,
): Promise<MeasuredSection> {
  const begun = performance.now();
  const { name, title } = section;
  const done = (found: Pick<MeasuredSection, 'rows' | 'notes' | 'error'>): MeasuredSection => ({
    name,
    title,
    ...circumstances,
    tookSeconds: Math.round((performance.now() - begun) / 100) / 10,
    ...found,
  });
  try {
    const { rows, notes = [] } = await section.run(options);
    return done({ rows, notes });
  } catch (error) {
    return done({
      rows: [],
      notes: [],
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
}

/** Sections that were measured now take the place of those of the same name; the order is that of `names`. */
export function merge(
  before: Report | undefined,
  measured: readonly MeasuredSection[],
  names: readonly string[],
): Report {
  const known = new Map([...(before?.sections ?? []), ...measured].map((section) => [section.name, section]));
  return { format: 1, sections: names.flatMap((name) => known.get(name) ?? []) };
}

/** Why a run has failed, as sentences: only what is the same on every machine, and what could not be measured at all. */
export function failures(sections: readonly MeasuredSection[]): readonly string[] {
  return sections.flatMap(({ name, error, rows }) => [
    ...(error === undefined ? [] : [`${name} could not be measured: ${error}`]),
    ...rows
      .filter((row) => row.binding === true && row.ok === false)
      .map((row) => `${name}, ${row.what}: ${row.value} ${row.unit}${budgetOf(row)}`),
  ]);
}

function budgetOf({ budget }: Row): string {
  return budget === undefined ? '' : `, the budget is ${budget}`;
}

export function buildJson(report: Report): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}
