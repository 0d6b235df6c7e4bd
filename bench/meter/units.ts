// From items to units, by AWS's rules. Pure. [AWS: read-write-operations; GSI.ThroughputConsiderations.Writes;
// transaction-capacity-handling]

import { isDeepStrictEqual } from 'node:util';
import { itemBytes, type StoredItem } from './size.ts';

/** What the meter has to know of an index; a table definition of the product is one. */
export interface MeteredIndex {
  readonly name: string;
  readonly partitionKey: string;
  readonly sortKey?: string;
  /** Attributes copied besides the keys; none unless told. */
  readonly projects?: 'all' | readonly string[];
}

export interface MeteredTable {
  readonly partitionKey: string;
  readonly sortKey: string;
  readonly indexes: readonly MeteredIndex[];
}

export type Consistency = 'eventual' | 'consistent' | 'transactional';

const readFactor: Readonly<Record<Consistency, number>> = { eventual: 0.5, consistent: 1, transactional: 2 };

/** Of bytes that are read together and rounded up once. Reading nothing costs as much as reading 4 KB. */
export function readUnits(bytes: number, consistency: Consistency): number {
  return Math.max(1, Math.ceil(bytes / 4_096)) * readFactor[consistency];
}

/** One write of the table: the larger item of the two, at least 1, also where its condition failed or nothing stood there. */
export function baseWriteUnits(before: StoredItem | undefined, after: StoredItem | undefined): number {
  return Math.max(kilobytes(before), kilobytes(after));
}

/** What the write does to one index. An item that lacks one of the index's keys has no entry in it. */
export function indexWriteUnits(
  table: MeteredTable,
  index: MeteredIndex,
  before: StoredItem | undefined,
  after: StoredItem | undefined,
): number {
  const old = entryOf(table, index, before);
  const fresh = entryOf(table, index, after);
  if (old === undefined && fresh === undefined) return 0;
  if (old === undefined || fresh === undefined) return kilobytes(old ?? fresh);
  const moved = keysOf(index).some((key) => !isDeepStrictEqual(old[key], fresh[key]));
  if (moved) return kilobytes(old) + kilobytes(fresh);
  return isDeepStrictEqual(old, fresh) ? 0 : Math.max(kilobytes(old), kilobytes(fresh));
}

function kilobytes(item: StoredItem | undefined): number {
  return item === undefined ? 1 : Math.max(1, Math.ceil(itemBytes(item) / 1_024));
}

function keysOf(index: MeteredIndex): readonly string[] {
  return index.sortKey === undefined ? [index.partitionKey] : [index.partitionKey, index.sortKey];
}

function entryOf(table: MeteredTable, index: MeteredIndex, item: StoredItem | undefined): StoredItem | undefined {
  if (item === undefined || keysOf(index).some((key) => item[key] === undefined)) return undefined;
  if (index.projects === 'all') return item;
  const copied = new Set([table.partitionKey, table.sortKey, ...keysOf(index), ...(index.projects ?? [])]);
  return Object.fromEntries(Object.entries(item).filter(([name]) => copied.has(name)));
}
