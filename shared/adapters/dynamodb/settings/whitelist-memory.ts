// Whitelists as readings of usage know them. What a list's id points to never changes, so a process reads each list once
// and a page asks nothing for it; a new list has a new id. Bounded by bytes, whatever tenants write: the list used longest
// ago goes first.

import type { DeploymentId, Username } from '../../../domain/ids.ts';
import type { Table } from './settings-by-username.ts';
import { readWhitelist } from './settings-whitelist.ts';

/** Some ten lists of 10,000 names of 256 bytes, or thousands of small ones. */
const maxBytes = 32_000_000;
/** What a name takes besides its characters: in the set, and as a string. */
const nameBytes = 64;
const none: ReadonlySet<Username> = new Set();

interface Kept {
  readonly read: Promise<ReadonlySet<Username>>;
  /** Of a list that is still being read: none. */
  bytes: number;
}

export function createWhitelistMemory(
  table: Table,
  bound: number = maxBytes,
): (id: DeploymentId, listId: string | undefined) => Promise<ReadonlySet<Username>> {
  const lists = new Map<string, Kept>();
  let bytes = 0;

  function forget(key: string): void {
    bytes -= lists.get(key)?.bytes ?? 0;
    lists.delete(key);
  }

  function weigh(key: string, kept: Kept, usernames: ReadonlySet<Username>): void {
    if (lists.get(key) !== kept) return;
    for (const username of usernames) kept.bytes += username.length * 2 + nameBytes;
    bytes += kept.bytes;
    for (const oldest of lists.keys()) {
      if (bytes <= bound) break;
      forget(oldest);
    }
  }

  return (id, listId) => {
    if (listId === undefined) return Promise.resolve(none);
    const key = `${id}|${listId}`;
    const known = lists.get(key);
    if (known !== undefined) {
      lists.delete(key);
      lists.set(key, known);
      return known.read;
    }
    const read = readWhitelist(table, id, listId).then((usernames): ReadonlySet<Username> => new Set(usernames));
    const kept: Kept = { read, bytes: 0 };
    lists.set(key, kept);
    read.then(
      (usernames) => weigh(key, kept, usernames),
      () => {
        if (lists.get(key) === kept) forget(key);
      },
    );
    return read;
  };
}
