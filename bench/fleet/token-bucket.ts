/**
 * What a partition grants: its rate, and at once no more than its depth, so over any time t at most rate × t + depth.
 * A request of more than the depth waits for a full bucket and leaves it in debt, or it would never be granted.
 */
export class TokenBucket {
  private readonly unitsPerMs: number;
  private readonly depth: number;
  private tokens: number;
  private filledAt = 0;

  constructor(unitsPerSecond: number, depth: number) {
    this.unitsPerMs = unitsPerSecond / 1_000;
    this.depth = depth;
    this.tokens = depth;
  }

  has(units: number, nowMs: number): boolean {
    this.tokens = Math.min(this.depth, this.tokens + (nowMs - this.filledAt) * this.unitsPerMs);
    this.filledAt = nowMs;
    return this.tokens >= Math.min(units, this.depth);
  }

  /** False, and nothing taken, where it holds fewer. */
  take(units: number, nowMs: number): boolean {
    if (!this.has(units, nowMs)) return false;
    this.tokens -= units;
    return true;
  }

  /** Takes what turned out to be needed beyond what was asked for; the debt is paid before anything is granted again. */
  owe(units: number): void {
    this.tokens -= units;
  }
}
