// The one definition of the table: the stack creates it from here, and so does the local run. Names only, no code of
// the product. What the items are is in ARCHITECTURE.md; who builds their keys is shared/adapters/dynamodb/common/keys.ts.

export interface IndexDefinition {
  readonly name: string;
  readonly partitionKey: string;
  /** A number is epoch milliseconds. */
  readonly sortKey: string;
  readonly sortKeyType: 'number' | 'string';
  /** Attributes copied besides the keys; none unless told. */
  readonly projects?: readonly string[];
}

export interface TableDefinition {
  readonly partitionKey: string;
  readonly sortKey: string;
  readonly timeToLive: string;
  /** All of them sparse. An index entry says where to look, never how many sessions there are. */
  readonly indexes: readonly IndexDefinition[];
}

export const tableDefinition = {
  partitionKey: 'pk',
  sortKey: 'sk',
  /** Epoch seconds. Garbage collection only: what counts is the time in the item. */
  timeToLive: 'ttl',
  indexes: [
    /** Everything that the sweeper has to look at, in order of time, over a fixed number of partitions. */
    { name: 'wake', partitionKey: 'wakePk', sortKey: 'wakeAt', sortKeyType: 'number' },
    /** The sessions of one username in order of their expiry. */
    { name: 'due', partitionKey: 'duePk', sortKey: 'dueAt', sortKeyType: 'number' },
    /**
     * The usernames of a deployment in order of used, as counted when each was refreshed last. It carries what a page
     * shows of a username besides its roster, so that the page reads nothing else of it.
     */
    {
      name: 'rank',
      partitionKey: 'rankPk',
      sortKey: 'rank',
      sortKeyType: 'string',
      projects: ['own', 'ownOf', 'rejections', 'lastAt', 'lastClientId'],
    },
  ],
} as const satisfies TableDefinition;
