// What things cost in units of the database, as the unit meter counts them (test/bench/cost.test.ts holds these figures
// against what the use cases really send). The use cases must change before these do.

/** Write units, and read units where settings are remembered and the username's password is not. */
export interface Metered {
  readonly write: number;
  readonly read: number;
}

export const metered = {
  /** Of a username with no other session. */
  newSession: { write: 6, read: 2.5 },
  confirmed: { write: 2, read: 1 },
  /** The username's last session, without expiry. */
  gone: { write: 4, read: 2 },
  /** The same with an expiry. */
  retained: { write: 6, read: 1 },
  reconnect: { write: 2, read: 3.5 },
  /** In a storm: what the username's process remembers of it counts. */
  rejected: { write: 0, read: 3.5 },
  /** By the reconciler, with one session and nothing to repair. */
  recounted: { write: 0, read: 11 },
} as const satisfies Readonly<Record<string, Metered>>;

/** Bytes of a retained session, at most, and of the record of who holds its client id; their names are ten characters. */
export const bytesOfSession = { session: 400, owner: 100 } as const;

/** Entries of it in the indexes `wake` and `due`, keys only. */
export const indexEntriesOfSession = { count: 2, bytes: 120 } as const;
