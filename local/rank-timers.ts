// Ranks to be refreshed, on timers of their own: they wait longer than presence messages do, and nobody who waits for the
// queue to be quiet means to wait for an order. What waits here when the process is killed is made up for by the next
// change or reading of its username.
//
// A username has one timer: its refresh reads what is counted when it runs, so that it speaks for every change before it.
// What is asked for again just before it is due joins it.

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
  readonly cancel: () => void;
  /** Left, this one included. */
  tries: number;
}

/** `refresh` may fail: it is tried again after as long, so that an engine that restarts loses no order. */
export function createRankTimers(
  refresh: (message: RankRefresh) => Promise<unknown>,
  schedule: Schedule = realSchedule,
): RankTimers {
  const waiting = new Map<string, Waiting>();
  const running = new Set<Promise<void>>();
  const queue: (() => void)[] = [];
  let atWork = 0;
  let stopped = false;

  /** One behind the other where thousands come at the same moment: CONNECTs must not wait behind all of them. */
  async function inTurn(message: RankRefresh): Promise<unknown> {
    if (atWork >= atOnceMax) await new Promise<void>((resolve) => queue.push(resolve));
    else atWork++;
    try {
      return stopped ? undefined : await refresh(message);
    } finally {
      const next = queue.shift();
      if (next === undefined) atWork--;
      else next();
    }
  }

  function wait(message: RankRefresh, delayMs: number, tries: number): void {
    if (stopped) return;
    const key = keyOf(message);
    const before = waiting.get(key);
    if (before !== undefined) {
      before.tries = Math.max(before.tries, tries);
      return;
    }
    const one: Waiting = { message, tries, cancel: schedule(() => start(one, delayMs), delayMs) };
    waiting.set(key, one);
  }

  function start({ message, tries }: Waiting, delayMs: number): void {
    waiting.delete(keyOf(message));
    const run = inTurn(message).then(
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
      for (const { message, cancel } of [...waiting.values()]) {
        cancel();
        start({ message, tries: 1, cancel }, 0);
      }
      await Promise.all(running);
    },
    async stop() {
      stopped = true;
      for (const { cancel } of waiting.values()) cancel();
      waiting.clear();
      await Promise.all(running);
    },
  };
}

const maxTries = 5;
const atOnceMax = 4;

const keyOf = ({ deploymentId, username }: RankRefresh): string => JSON.stringify([deploymentId, username]);
