// The items, and the entries that they have in the indexes. It knows partitions and order, and nothing of time.

import { isDeepStrictEqual } from 'node:util';
import type { Item } from '../../../shared/adapters/dynamodb/presence/session-item.ts';
import { tableDefinition } from '../../../shared/config/table.ts';
import { holds } from './conditions.ts';
import { documentBytes } from './document-size.ts';
import type { ItemWrite, Key, QueryInput } from './requests.ts';
import { SortedEntries } from './sorted-entries.ts';
import { Tokens } from './tokens.ts';

/** One answer holds no more. */
const pageBytesMax = 2 ** 20;

export interface Page {
  readonly items: readonly Item[];
  /** The key of the last one, where others follow. */
  readonly last: Item | undefined;
  /** All that was looked at. */
  readonly bytes: number;
  readonly partition: string;
}

/** An entry of an index that comes, goes or changes: its partition, and what is charged to it. */
export interface IndexCharge {
  readonly partition: string;
  readonly units: number;
}

interface Index {
  readonly name: string;
  readonly partitionKey: string;
  readonly sortKey: string;
  readonly copied: readonly string[];
  readonly partitions: Map<string, SortedEntries>;
}

const fullKey = (item: Item): string => `${String(item.pk)}\n${String(item.sk)}`;

export class Table {
  private readonly partitions = new Map<string, SortedEntries>();
  private readonly indexes: readonly Index[] = tableDefinition.indexes.map((index) => ({
    name: index.name,
    partitionKey: index.partitionKey,
    sortKey: index.sortKey,
    copied: ['pk', 'sk', index.partitionKey, index.sortKey, ...('projects' in index ? index.projects : [])],
    partitions: new Map(),
  }));

  find({ pk, sk }: Key): Item | undefined {
    return this.partitions.get(pk)?.get(sk);
  }

  *items(): Generator<Item> {
    for (const partition of this.partitions.values()) yield* partition.items();
  }

  allows(write: ItemWrite): boolean {
    const { ConditionExpression, ExpressionAttributeNames: names, ExpressionAttributeValues: values } = write;
    return ConditionExpression === undefined || holds(ConditionExpression, this.find(write.key), { names, values });
  }

  store({ pk, sk }: Key, item: Item | undefined): void {
    const before = this.find({ pk, sk });
    const partition = partitionIn(this.partitions, pk);
    if (item === undefined) partition.delete(sk);
    else partition.set(sk, sk, item);
    if (partition.size === 0) this.partitions.delete(pk);
    for (const index of this.indexes) reindex(index, before, item);
  }

  /**
   * What a change of an item does to the indexes: an entry that comes or goes, or that changes in its place. One whose key
   * changes goes and comes. [AWS: GSI.ThroughputConsiderations.Writes]
   */
  indexCharges(before: Item | undefined, after: Item | undefined): readonly IndexCharge[] {
    const charges: IndexCharge[] = [];
    for (const index of this.indexes) {
      const { name, sortKey, copied } = index;
      const from = entryPartition(index, before);
      const to = entryPartition(index, after);
      const moved = from !== to || before?.[sortKey] !== after?.[sortKey];
      const changed = moved || copied.some((attribute) => !isDeepStrictEqual(before?.[attribute], after?.[attribute]));
      const old = entryUnits(index, before);
      const fresh = entryUnits(index, after);
      if (from !== undefined && moved) charges.push({ partition: partitionName(name, from), units: old });
      if (to === undefined || !changed) continue;
      charges.push({ partition: partitionName(name, to), units: moved ? fresh : Math.max(old, fresh) });
    }
    return charges;
  }

  query(query: QueryInput): Page {
    const given = { names: query.ExpressionAttributeNames, values: query.ExpressionAttributeValues };
    const condition = query.KeyConditionExpression ?? '';
    const pk = partitionOf(condition, given.values);
    const index = this.indexes.find(({ name }) => name === query.IndexName);
    if (query.IndexName !== undefined && index === undefined) throw new Error(`no index ${query.IndexName}`);
    const entries = index === undefined ? this.partitions.get(pk) : index.partitions.get(pk);
    const start = query.ExclusiveStartKey;
    const after =
      start === undefined
        ? undefined
        : index === undefined
          ? { sortedBy: start.sk, key: String(start.sk) }
          : { sortedBy: start[index.sortKey], key: fullKey(start) };
    const items: Item[] = [];
    const limit = query.Limit ?? Number.POSITIVE_INFINITY;
    let bytes = 0;
    let met = false;
    let more = false;
    for (const item of entries?.list(query.ScanIndexForward === false, after) ?? []) {
      if (!holds(condition, item, given)) {
        // Those that a key condition takes lie side by side.
        if (met) break;
        continue;
      }
      met = true;
      if (items.length >= limit || bytes >= pageBytesMax) {
        more = true;
        break;
      }
      items.push(item);
      bytes += documentBytes(item);
    }
    return { items, last: more ? items.at(-1) : undefined, bytes, partition: partitionName(index?.name, pk) };
  }
}

function partitionIn(partitions: Map<string, SortedEntries>, pk: string): SortedEntries {
  const known = partitions.get(pk);
  if (known !== undefined) return known;
  const fresh = new SortedEntries();
  partitions.set(pk, fresh);
  return fresh;
}

/** An entry is no larger than its item, and most items are small. */
function entryUnits(index: Index, item: Item | undefined): number {
  if (item === undefined || documentBytes(item) <= 1_024) return 1;
  return Math.max(1, Math.ceil(documentBytes(entryOf(index, item)) / 1_024));
}

function entryOf({ copied }: Index, item: Item): Item {
  return Object.fromEntries(copied.filter((name) => item[name] !== undefined).map((name) => [name, item[name]]));
}

function partitionName(index: string | undefined, pk: string): string {
  return index === undefined ? pk : `${index} ${pk}`;
}

/** The value that the partition key must have: every query names it first. */
function partitionOf(condition: string, values: Readonly<Record<string, unknown>> = {}): string {
  const tokens = new Tokens(condition);
  tokens.next();
  tokens.expect('=');
  return String(values[tokens.next()]);
}

function reindex(index: Index, before: Item | undefined, after: Item | undefined): void {
  const from = entryPartition(index, before);
  const to = entryPartition(index, after);
  if (from !== undefined && before !== undefined && from !== to) {
    const partition = index.partitions.get(from);
    partition?.delete(fullKey(before));
    if (partition?.size === 0) index.partitions.delete(from);
  }
  if (to === undefined || after === undefined) return;
  if (from === to && before !== undefined && index.copied.every((name) => before[name] === after[name])) return;
  partitionIn(index.partitions, to).set(after[index.sortKey], fullKey(after), entryOf(index, after));
}

/** An item that lacks one of an index's keys has no entry in it. */
function entryPartition({ partitionKey, sortKey }: Index, item: Item | undefined): string | undefined {
  const pk = item?.[sortKey] === undefined ? undefined : item[partitionKey];
  return pk === undefined ? undefined : String(pk);
}
