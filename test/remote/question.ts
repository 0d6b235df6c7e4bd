import type { Trial } from './target.ts';

export interface Question {
  readonly id: string;
  readonly question: string;
  /** Where it can be asked; everywhere unless told. */
  readonly canAsk?: (trial: Trial) => boolean;
  ask(trial: Trial): Promise<Readonly<Record<string, unknown>>>;
}
