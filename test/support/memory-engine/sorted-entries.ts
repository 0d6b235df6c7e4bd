// Items of one partition, of the table or of an index, in order of their sort key. The order is made when somebody asks
// for it first and kept up from then on: most partitions are never listed.

import type { Item } from '../../../shared/adapters/dynamodb/presence/session-item.ts';
import { order } from './compare.ts';

interface Entry {
  /** What it is sorted by, and where two are equal, its own key. */
  readonly sortedBy: unknown;
  readonly key: string;
  readonly item: Item;
}

function compareEntries(a: Omit<Entry, 'item'>, b: Omit<Entry, 'item'>): number {
  return (order(a.sortedBy, b.sortedBy) ?? 0) || (order(a.key, b.key) ?? 0);
}

export class SortedEntries {
  private readonly entries = new Map<string, Entry>();
  private sorted: Entry[] | undefined;

  get size(): number {
    return this.entries.size;
  }

  get(key: string): Item | undefined {
    return this.entries.get(key)?.item;
  }

  items(): Iterable<Item> {
    return Array.from(this.entries.values(), ({ item }) => item);
  }

  set(sortedBy: unknown, key: string, item: Item): void {
    const entry = { sortedBy, key, item };
    const before = this.entries.get(key);
    this.entries.set(key, entry);
    if (this.sorted === undefined) return;
    if (before !== undefined && compareEntries(before, entry) === 0) {
      this.sorted[this.placeOf(entry)] = entry;
      return;
    }
    if (before !== undefined) this.sorted.splice(this.placeOf(before), 1);
    this.sorted.splice(this.placeOf(entry), 0, entry);
  }

  delete(key: string): void {
    const before = this.entries.get(key);
    if (before === undefined) return;
    this.entries.delete(key);
    this.sorted?.splice(this.placeOf(before), 1);
  }

  /** In order, or backwards, from the first one behind `after`, which need not be there any more. */
  *list(backwards: boolean, after?: Omit<Entry, 'item'>): Generator<Item> {
    this.sorted ??= [...this.entries.values()].sort(compareEntries);
    const { sorted } = this;
    if (backwards) {
      for (let at = (after === undefined ? sorted.length : this.placeOf(after)) - 1; at >= 0; at--) {
        const entry = sorted[at];
        if (entry !== undefined) yield entry.item;
      }
      return;
    }
    let at = after === undefined ? 0 : this.placeOf(after);
    const first = sorted[at];
    if (after !== undefined && first !== undefined && compareEntries(first, after) === 0) at++;
    for (; at < sorted.length; at++) {
      const entry = sorted[at];
      if (entry !== undefined) yield entry.item;
    }
  }

  /** Where it stands, or would stand. */
  private placeOf(entry: Omit<Entry, 'item'>): number {
    const sorted = this.sorted ?? [];
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const there = sorted[middle];
      if (there !== undefined && compareEntries(there, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
