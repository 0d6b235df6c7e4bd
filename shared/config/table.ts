// The one definition of the table: the stack creates it from here, and so does the local run. Names only, no code of
// the product. What the items are is in ARCHITECTURE.md; who builds their keys is shared/adapters/dynamodb/keys.ts.

export interface IndexDefinition {
  readonly name: string;
  readonly partitionKey: string;
  /** A number: epoch milliseconds. */
  readonly sortKey: string;
}

export interface TableDefinition {
  readonly partitionKey: string;
  readonly sortKey: string;
  readonly timeToLive: string;
  /** All of them sparse and keys only: an index entry says where to look, never what is true. */
  readonly indexes: readonly IndexDefinition[];
}

export const tableDefinition = {
  partitionKey: 'pk',
  sortKey: 'sk',
  /** Epoch seconds. Garbage collection only: what counts is the time in the item. */
  timeToLive: 'ttl',
  indexes: [
    /** Everything that the sweeper has to look at, in order of time, over a fixed number of partitions. */
    { name: 'wake', partitionKey: 'wakePk', sortKey: 'wakeAt' },
    /** The sessions of one username in order of their expiry. */
    { name: 'due', partitionKey: 'duePk', sortKey: 'dueAt' },
  ],
} as const satisfies TableDefinition;
