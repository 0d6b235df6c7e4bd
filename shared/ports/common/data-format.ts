/** What a table says of itself. */
export interface DataFormat {
  readonly version: number;
  /** Of the keys that passwords in the table may be stored under; never the keys. */
  readonly keyIds: readonly string[];
}

/** Throws StoreUnavailable where the database does not answer. */
export interface DataFormatStore {
  /** For messages. */
  readonly tableName: string;
  /** Consistent. Undefined: no process has opened the table yet. */
  readFormat(): Promise<DataFormat | undefined>;
  /** Says that digests under this key may follow. `refused` where the table is of another version. Answers what it says then. */
  addKey(version: number, keyId: string): Promise<DataFormat | 'refused'>;
}
