// Entries in order, merged from the partitions that they are spread over, each of which is in order by itself.

export interface PartitionPage<T> {
  readonly items: readonly T[];
  /** Others may follow in this partition. */
  readonly more: boolean;
}

export interface Merge<T> {
  readonly partitions: number;
  /** Entries strictly after `after`; undefined: from where the whole begins. May answer fewer than `limit`. */
  readonly read: (partition: number, limit: number, after: T | undefined) => Promise<PartitionPage<T>>;
  readonly precedes: (a: T, b: T) => boolean;
}

/** One partition, read a few at a time. */
class Source<T> {
  private readonly merge: Merge<T>;
  private readonly partition: number;
  private ahead: T[] = [];
  private last: T | undefined;
  private more = true;

  constructor(merge: Merge<T>, partition: number) {
    this.merge = merge;
    this.partition = partition;
  }

  async fill(limit: number): Promise<void> {
    while (this.ahead.length === 0 && this.more) {
      const page = await this.merge.read(this.partition, limit, this.last);
      this.ahead = [...page.items];
      this.more = page.more;
      this.last = page.items.at(-1) ?? this.last;
    }
  }

  head(): T | undefined {
    return this.ahead[0];
  }

  take(): void {
    this.ahead.shift();
  }
}

/** The first `limit` entries of all partitions together, reading `ahead` of each at a time. `more`: others follow. */
export async function mergePartitions<T>(merge: Merge<T>, limit: number, ahead: number): Promise<PartitionPage<T>> {
  const sources = Array.from({ length: merge.partitions }, (_, partition) => new Source(merge, partition));
  const items: T[] = [];
  for (;;) {
    await Promise.all(sources.map((source) => source.fill(ahead)));
    let first: Source<T> | undefined;
    for (const source of sources) {
      const head = source.head();
      const best = first?.head();
      if (head !== undefined && (best === undefined || merge.precedes(head, best))) first = source;
    }
    const head = first?.head();
    if (first === undefined || head === undefined) return { items, more: false };
    if (items.length >= limit) return { items, more: true };
    items.push(head);
    first.take();
  }
}
