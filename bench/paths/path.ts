// What a path is: one thing that happens to a session or a reader, and what it may cost. `bench/paths/paths.ts` has the
// one list of them, which the benchmark reports and the tests hold against the budgets.

import type { Spent } from '../meter/meter.ts';
import type { Scene } from './scene.ts';

/** At most; what is left out is not limited by the contract. */
export interface Budget {
  readonly write?: number;
  readonly read?: number;
  readonly writesInARow?: number;
}

export interface Path {
  readonly name: string;
  readonly budget: Budget;
  /** What it may cost instead where the username has so many sessions that its roster is wide (ADR 6). */
  readonly wideBudget?: Budget;
  /** A client waits for it: it must not grow with sessions, usernames or deployments. */
  readonly awaited?: true;
  /** Many at the same time: those that meet share a reading, so what each costs varies by some hundredths. */
  readonly together?: true;
  /** It has a username of its own, so that the sessions of the scene's make no difference to it. */
  readonly alone?: true;
  /** Leads up to it, meters it, makes sure that it happened, and leaves the scene as it was. */
  run(scene: Scene): Promise<Spent>;
}

/** Which of the budget's figures are not kept, as sentences; empty where all of them are. */
export function overBudget(budget: Budget, spent: Spent): readonly string[] {
  const figures = [
    ['write units', spent.write, budget.write],
    ['read units', spent.read, budget.read],
    ['writes in a row', spent.writesInARow, budget.writesInARow],
  ] as const;
  return figures.flatMap(([what, is, max]) =>
    max !== undefined && is > max ? [`${is} ${what}, ${max} are allowed`] : [],
  );
}

export function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`the path was not taken: ${what}`);
}

function combine(parts: readonly Spent[], of: (figures: readonly number[]) => number): Spent {
  const figure = (name: keyof Spent): number => of(parts.map((part) => part[name]));
  return {
    write: figure('write'),
    indexWrite: figure('indexWrite'),
    read: figure('read'),
    requests: figure('requests'),
    inARow: figure('inARow'),
    writesInARow: figure('writesInARow'),
  };
}

/** One after the other. */
export function plus(...parts: readonly Spent[]): Spent {
  return combine(parts, (figures) => figures.reduce((sum, figure) => sum + figure, 0));
}

/** Of many at once, what one of them came to; all of them are waited for together. */
export function each(spent: Spent, count: number): Spent {
  const { inARow, writesInARow } = spent;
  return { ...combine([spent], ([total = 0]) => total / count), inARow, writesInARow };
}
