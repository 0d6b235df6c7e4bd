import type { Ms } from '../../domain/time.ts';
import type { Clock } from '../../ports/common/clock.ts';

/** Filled by time. A clock that steps back fills nothing and takes nothing; one that leaps fills it once. */
export class Tokens {
  private readonly clock: Clock;
  private readonly perSecond: number;
  private readonly burst: number;
  private left: number;
  private filledAt: Ms;

  constructor(clock: Clock, perSecond: number, burst: number) {
    this.clock = clock;
    this.perSecond = perSecond;
    this.burst = Math.max(1, burst);
    this.left = this.burst;
    this.filledAt = clock.now();
  }

  /** How many there will be within so long, those that are there now among them. */
  within(lengthMs: number): number {
    this.fill();
    return Math.floor(this.left + (lengthMs * this.perSecond) / 1000);
  }

  take(): boolean {
    this.fill();
    if (this.left < 1) return false;
    this.left -= 1;
    return true;
  }

  private fill(): void {
    const now = this.clock.now();
    const gained = (Math.max(0, now - this.filledAt) * this.perSecond) / 1000;
    this.left = Math.min(this.burst, this.left + gained);
    this.filledAt = now;
  }

  nextInMs(): number {
    return Math.max(1, Math.ceil(((1 - this.left) * 1000) / this.perSecond));
  }
}
