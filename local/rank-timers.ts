// Ranks to be refreshed, on timers of their own: they wait longer than presence messages do, and nobody who waits for the
// queue to be quiet means to wait for an order. What waits here when the process is killed is made up for by the next
// change or reading of its username.

import type { RankMessages, RankRefresh } from '../shared/ports/ranks.ts';
import { realSchedule, type Schedule } from './schedule.ts';

export interface RankTimers extends RankMessages {
  /** Refreshes at once what waits, and resolves when it is done; what is sent afterwards waits again. */
  flush(): Promise<void>;
}

/** `refresh` may fail: it is tried again after as long, so that an engine that restarts loses no order. */
export function createRankTimers(
  refresh: (message: RankRefresh) => Promise<unknown>,
  schedule: Schedule = realSchedule,
): RankTimers {
  const waiting = new Map<RankRefresh, () => void>();
  const running = new Set<Promise<void>>();

  function wait(message: RankRefresh, delayMs: number, tries: number): void {
    const cancel = schedule(() => start(message, delayMs, tries), delayMs);
    waiting.set(message, cancel);
  }

  function start(message: RankRefresh, delayMs: number, tries: number): void {
    waiting.delete(message);
    const run = refresh(message).then(
      () => undefined,
      () => {
        if (tries > 1) wait(message, delayMs, tries - 1);
      },
    );
    running.add(run);
    void run.finally(() => running.delete(run));
  }

  return {
    async send(message, delaySeconds) {
      wait(message, delaySeconds * 1_000, maxTries);
    },
    async flush() {
      for (const [message, cancel] of [...waiting]) {
        cancel();
        start(message, 0, 1);
      }
      await Promise.all(running);
    },
  };
}

const maxTries = 5;
