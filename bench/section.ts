// What a section of the benchmark is: a bounded piece of measuring that stops by itself. `bench/sections.ts` lists them,
// `bench/main.ts` runs them and writes what they found. A section knows nothing of tables, files or the console.

export interface SectionOptions {
  /** The long run: more rounds and larger tables. The quick run of every section together takes about five minutes. */
  readonly full: boolean;
  /** Says how far it is; nothing of it gets into the report. */
  say(line: string): void;
}

export interface Row {
  /** What was measured, in words that stand alone: the row is found by them in the JSON. */
  readonly what: string;
  readonly value: number;
  /** As 'write units', 'read units', 'ms', 'x' for a ratio, 'KB', 'sessions'. */
  readonly unit: string;
  /** The lowest and the highest of the repeated rounds whose median `value` is. */
  readonly spread?: readonly [low: number, high: number];
  /** What `value` was computed from, where that is worth a look: the figures at each size, the sum of what. */
  readonly detail?: string;
  /** The most that `value` may be, in the same unit. */
  readonly budget?: number;
  /** The least that `value` may be, in the same unit; a row has this or a budget. */
  readonly least?: number;
  /** Whether a budget, or what must be true, was kept. */
  readonly ok?: boolean;
  /**
   * A row that is not `ok` ends the benchmark with exit code 1. Only for figures that are the same on every machine:
   * units, counts and answers. Never for time.
   */
  readonly binding?: boolean;
  /** Stands in the README's table too; `docs/benchmark.md` holds every row. */
  readonly headline?: boolean;
}

export interface SectionResult {
  readonly rows: readonly Row[];
  /** Sentences below the table: how it was measured, what was scaled, what was not there to be measured. */
  readonly notes?: readonly string[];
}

export interface Section {
  /** For `--only`. */
  readonly name: string;
  readonly title: string;
  run(options: SectionOptions): Promise<SectionResult>;
}

/** A row beside its budget: whether it is kept follows from the figures. */
export function within(row: Omit<Row, 'ok'> & { readonly budget: number }): Row {
  return { ...row, ok: row.value <= row.budget };
}
