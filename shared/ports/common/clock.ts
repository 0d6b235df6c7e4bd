import type { Ms } from '../../domain/time.ts';

/** The only source of time. It may step back or forward by seconds; nobody may assume that it never does. */
export interface Clock {
  now(): Ms;
}

/** Resolves so much later. */
export type Pause = (milliseconds: number) => Promise<void>;

/** Runs `callback` after `delayMs`, once; the answer cancels it. */
export type Schedule = (callback: () => void, delayMs: number) => () => void;
