// The clock of a run, and everything that waits for it. The code under test only awaits promises, so time goes on when
// all of them have run as far as they get: Node calls `setImmediate` when no promise is left to run. Nothing under test
// may wait for a timer, a thread or a socket of its own; what takes a schedule or a pause is given this one's, and Node's
// own pauses are this one's while a run lasts.

import { type Ms, ms } from '../../shared/domain/time.ts';
import type { Clock } from '../../shared/ports/common/clock.ts';
import { borrowTimers } from './borrowed-timers.ts';
import { Chance } from './chance.ts';
import { type Event, EventHeap } from './event-heap.ts';

interface Planned extends Event {
  run: (() => void) | undefined;
}

const start = 1_800_000_000_000;

export class VirtualTime {
  /** Milliseconds since the run began; fractions count. */
  now = 0;
  readonly clock: Clock = { now: () => this.toMs(this.now) };
  private readonly chance: Chance;
  private planned = 0;
  private readonly heap = new EventHeap<Planned>();
  /** Somebody under test has been given an answer and has not run yet. */
  private awake = true;

  constructor(seed = 1) {
    this.chance = new Chance(seed);
  }

  toMs(at: number): Ms {
    return ms(start + Math.floor(at));
  }

  /** Runs `callback` after `delayMs`; the answer cancels it. */
  readonly schedule = (callback: () => void, delayMs: number): (() => void) => {
    const event: Planned = {
      at: this.now + Math.max(0, delayMs),
      order: this.planned++,
      run: () => {
        this.awake = true;
        callback();
      },
    };
    this.heap.push(event);
    return () => {
      event.run = undefined;
    };
  };

  readonly pause = (delayMs: number): Promise<void> => new Promise((resolve) => this.schedule(resolve, delayMs));

  /** Time in which nothing happens: what was planned within it happens at its end. */
  skip(lengthMs: number): void {
    this.now += lengthMs;
  }

  /** For events of the simulated world itself, which run no code under test. */
  later(delayMs: number, run: () => void): void {
    this.heap.push({ at: this.now + delayMs, order: this.planned++, run });
  }

  /** Whoever answers code under test says so, and the next event waits until that code has run. */
  wake(): void {
    this.awake = true;
  }

  /** Until `work` is done; what is planned for later than that stays planned. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const giveBack = borrowTimers(this.pause, () => this.chance.uniform());
    try {
      return await this.step(work());
    } finally {
      giveBack();
    }
  }

  private async step<T>(work: Promise<T>): Promise<T> {
    let ended = false;
    const settle = (): void => {
      ended = true;
    };
    work.then(settle, settle);
    for (;;) {
      if (this.awake) {
        this.awake = false;
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (ended) return work;
      const event = this.heap.pop();
      if (event === undefined) throw new Error('nothing is planned any more, and the work is not done');
      if (event.run === undefined) continue;
      this.now = Math.max(this.now, event.at);
      event.run();
    }
  }
}
