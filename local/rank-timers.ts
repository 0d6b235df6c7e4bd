// Ranks to be refreshed, on timers of their own: they wait longer than presence messages do, and nobody who waits for the
// queue to be quiet means to wait for an order. What waits here when the process is killed is made up for by the next
// change or reading of its username.
//
// A username has one timer: its refresh reads what is counted when it runs, so that it speaks for every change before it.
// What is asked for again before it runs joins it. Refreshes that are due at about the same time run together, and share
// what they read; only some of them run at once, since CONNECTs have the same processor.

import { sideBySide } from '../shared/app/common/side-by-side.ts';
import type { RankMessages, RankRefresh } from '../shared/ports/usage/ranks.ts';
import { realSchedule, type Schedule } from './schedule.ts';

export interface RankTimers extends RankMessages {
  /** Refreshes at once what waits, and resolves when it is done; what is sent afterwards waits again. */
  flush(): Promise<void>;
  /** Forgets what waits: the next start asks for each rank that its count does not agree with. */
  stop(): Promise<void>;
}

interface Waiting {
  readonly message: RankRefresh;
  readonly delayMs: number;
  readonly cancel: () => void;
  /** Left, this one included. */
  tries: number;
}

/** What is due waits so long for others. */
export const togetherMs = 250;
const atOnce = 16;
const maxTries = 5;

/** `refresh` may fail: it is tried again after as long, so that an engine that restarts loses no order. */
export function createRankTimers(
  refresh: (message: RankRefresh) => Promise<unknown>,
  schedule: Schedule = realSchedule,
): RankTimers {
  const waiting = new Map<string, Waiting>();
  const running = new Set<Promise<unknown>>();
  let due: Waiting[] = [];
  let cancelRun = (): void => undefined;
  let stopped = false;

  function wait(message: RankRefresh, delayMs: number, tries: number): void {
    if (stopped) return;
    const key = keyOf(message);
    const before = waiting.get(key);
    if (before !== undefined) {
      before.tries = Math.max(before.tries, tries);
      return;
    }
    const one: Waiting = { message, delayMs, tries, cancel: schedule(() => comeDue(one), delayMs) };
    waiting.set(key, one);
  }

  function comeDue(one: Waiting): void {
    due.push(one);
    if (due.length === 1) cancelRun = schedule(() => start(true), togetherMs);
  }

  function start(again: boolean): void {
    const all = due;
    due = [];
    const run = sideBySide(all, atOnce, async (one) => {
      const { message, delayMs, tries } = one;
      // A flush has taken what waited for its turn here.
      if (stopped || waiting.get(keyOf(message)) !== one) return;
      waiting.delete(keyOf(message));
      try {
        await refresh(message);
      } catch {
        if (again && tries > 1) wait(message, delayMs, tries - 1);
      }
    });
    running.add(run);
    void run.finally(() => running.delete(run));
  }

  return {
    async send(message, delaySeconds) {
      wait(message, delaySeconds * 1_000, maxTries);
    },
    async flush() {
      cancelRun();
      due = [...waiting.values()];
      for (const { cancel } of due) cancel();
      start(false);
      await Promise.all(running);
    },
    async stop() {
      stopped = true;
      cancelRun();
      for (const { cancel } of waiting.values()) cancel();
      waiting.clear();
      await Promise.all(running);
    },
  };
}

const keyOf = ({ deploymentId, username }: RankRefresh): string => JSON.stringify([deploymentId, username]);
