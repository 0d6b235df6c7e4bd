// Partitions of the table and of its indexes: what each grants, which of them are hottest, and the lines in which writes of
// one item stand.

import type { Parameters } from './parameters.ts';
import { TokenBucket } from './token-bucket.ts';

export interface Hot {
  /** `write` or `read`, and the partition key; of an index, its name before it. */
  readonly key: string;
  readonly units: number;
  /** In its busiest second. */
  readonly peak: number;
  /** Requests turned away for it. */
  readonly throttled: number;
}

export interface Line {
  /** When the writes that stand in it are done. */
  freeAt: number;
  /** The transaction that has prepared the item. */
  heldBy: number | undefined;
  /** Writes that have not had their turn. */
  waiting: number;
}

/** One way of using a partition. */
export class Capacity {
  units = 0;
  peak = 0;
  throttled = 0;
  private readonly bucket: TokenBucket;
  private second = -1;
  private inSecond = 0;

  constructor(unitsPerSecond: number, depth: number) {
    this.bucket = new TokenBucket(unitsPerSecond, depth);
  }

  /** Says no and notes it where there are fewer. */
  has(units: number, nowMs: number): boolean {
    const has = this.bucket.has(units, nowMs);
    if (!has) this.throttled++;
    return has;
  }

  /** Takes them whether they are there or not: a debt is paid before anything is granted again. */
  take(units: number, nowMs: number): void {
    this.bucket.owe(units);
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

export class Partition {
  readonly lines = new Map<string, Line>();
  readonly name: string;
  private readonly parameters: Parameters;
  private writes: Capacity | undefined;
  private reads: Capacity | undefined;

  constructor(name: string, parameters: Parameters) {
    this.name = name;
    this.parameters = parameters;
  }

  get write(): Capacity {
    this.writes ??= this.capacity(this.parameters.partitionWriteUnits);
    return this.writes;
  }

  get read(): Capacity {
    this.reads ??= this.capacity(this.parameters.partitionReadUnits);
    return this.reads;
  }

  heats(): readonly Hot[] {
    const heat = (kind: string, from: Capacity | undefined): readonly Hot[] => {
      if (from === undefined) return [];
      const { units, peak, throttled } = from;
      return [{ key: `${kind} ${this.name}`, units, peak: Math.round(peak), throttled }];
    };
    return [...heat('write', this.writes), ...heat('read', this.reads)];
  }

  private capacity(unitsPerSecond: number): Capacity {
    return new Capacity(unitsPerSecond, unitsPerSecond * this.parameters.burstSeconds);
  }
}

export class Partitions {
  private readonly all = new Map<string, Partition>();
  private readonly parameters: Parameters;

  constructor(parameters: Parameters) {
    this.parameters = parameters;
  }

  of(name: string): Partition {
    const known = this.all.get(name);
    if (known !== undefined) return known;
    const fresh = new Partition(name, this.parameters);
    this.all.set(name, fresh);
    return fresh;
  }

  /** The `count` with the busiest second. */
  hottest(count: number): readonly Hot[] {
    return [...this.all.values()]
      .flatMap((partition) => partition.heats())
      .sort((a, b) => b.peak - a.peak || b.units - a.units)
      .slice(0, count);
  }
}
