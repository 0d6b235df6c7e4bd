// Whitelists as readings of usage know them. What a list's id points to never changes, so a process reads each list once
// and a page asks nothing for it; a new list has a new id. Bounded: the list read longest ago goes.

import type { DeploymentId, Username } from '../../domain/ids.ts';
import type { Table } from './settings-by-username.ts';
import { readWhitelist } from './settings-whitelist.ts';

/** Of up to 10,000 usernames each. */
const maxLists = 20;
const none: ReadonlySet<Username> = new Set();

export function createWhitelistMemory(
  table: Table,
): (id: DeploymentId, listId: string | undefined) => Promise<ReadonlySet<Username>> {
  const lists = new Map<string, Promise<ReadonlySet<Username>>>();
  return (id, listId) => {
    if (listId === undefined) return Promise.resolve(none);
    const key = `${id}|${listId}`;
    const known = lists.get(key);
    if (known !== undefined) return known;
    const read = readWhitelist(table, id, listId).then((usernames) => new Set(usernames));
    lists.set(key, read);
    const [oldest] = lists.keys();
    if (lists.size > maxLists && oldest !== undefined) lists.delete(oldest);
    // A reading that failed is forgotten, but not one that has begun since.
    read.catch(() => {
      if (lists.get(key) === read) lists.delete(key);
    });
    return read;
  };
}
