// Which partitions were asked for most: units by partition key, in all and in the busiest second.

export interface Hot {
  /** `write` or `read`, and the partition key; of an index, its name before it. */
  readonly key: string;
  readonly units: number;
  /** In its busiest second. */
  readonly peak: number;
  /** Requests turned away for it. */
  readonly throttled: number;
}

class Heat {
  units = 0;
  peak = 0;
  throttled = 0;
  private second = -1;
  private inSecond = 0;

  add(units: number, nowMs: number): void {
    const second = Math.floor(nowMs / 1_000);
    if (second !== this.second) {
      this.second = second;
      this.inSecond = 0;
    }
    this.inSecond += units;
    this.units += units;
    if (this.inSecond > this.peak) this.peak = this.inSecond;
  }
}

export class Hottest {
  private heats = new Map<string, Heat>();

  of(key: string): Heat {
    const known = this.heats.get(key);
    if (known !== undefined) return known;
    const fresh = new Heat();
    this.heats.set(key, fresh);
    return fresh;
  }

  /** Forgets what was before, as the time in which a run was set up. */
  reset(): void {
    this.heats = new Map();
  }

  /** The `count` with the busiest second. */
  list(count: number): readonly Hot[] {
    return [...this.heats]
      .sort(([, a], [, b]) => b.peak - a.peak || b.units - a.units)
      .slice(0, count)
      .map(([key, { units, peak, throttled }]) => ({ key, units, peak: Math.round(peak), throttled }));
  }
}
