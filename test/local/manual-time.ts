import type { Schedule } from '../../local/schedule.ts';
import { type Ms, ms } from '../../shared/domain/time.ts';
import type { Clock } from '../../shared/ports/common/clock.ts';

export interface ManualTime {
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** Lets time pass; what falls due on the way runs at its time. */
  advance(lengthMs: number): void;
  /** Timers that wait. */
  pending(): number;
}

/** Time that passes when the test says so. */
export function createManualTime(startMs = 1_800_000_000_000): ManualTime {
  let now: Ms = ms(startMs);
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  return {
    clock: { now: () => now },
    schedule(callback, delayMs) {
      const timer = { at: now + delayMs, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(lengthMs) {
      const end = now + lengthMs;
      for (;;) {
        const due = [...timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        timers.delete(due);
        now = ms(Math.max(now, due.at));
        due.callback();
      }
      now = ms(end);
    },
    pending: () => timers.size,
  };
}
