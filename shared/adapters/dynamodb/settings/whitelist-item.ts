// Whitelists as items: blocks of usernames. A CONNECT reads the one block that its username belongs to, so a list costs it
// the same at 1 username and at 10,000. Writing the list costs by its bytes, not an item a username: 10,000 short names
// are some hundred items.

import { usernamePartitions } from '../../../config/constants.ts';
import { type DeploymentId, parseUsername, type Username } from '../../../domain/ids.ts';
import { type Key, whitelistKey } from '../common/keys.ts';
import type { Item } from '../presence/session-item.ts';

/**
 * Bytes of usernames that a block holds on average. A block nearly always stays below 4 KB, one unit of reading, and so
 * costs a CONNECT half a unit.
 */
const blockBytes = 2_048;

/**
 * A new list's id: it says how many blocks the list has. At least one for each partition, so that the readings of many
 * usernames are spread. `unique` also salts the choice of the block: a tenant cannot choose names that share one block.
 */
export function whitelistIdFor(unique: string, usernames: readonly Username[]): string {
  let bytes = 0;
  for (const username of usernames) bytes += Buffer.byteLength(username);
  return `${unique}.${Math.max(usernamePartitions, Math.ceil(bytes / blockBytes))}`;
}

/** The items of a list; a block without usernames has none. */
export function buildWhitelistItems(id: DeploymentId, listId: string, usernames: readonly Username[]): Item[] {
  const blocks = new Map<string, { readonly key: Key; readonly usernames: Set<Username> }>();
  for (const username of usernames) {
    const key = whitelistKey(id, listId, username);
    const block = blocks.get(key.sk) ?? { key, usernames: new Set<Username>() };
    blocks.set(key.sk, block);
    block.usernames.add(username);
  }
  return [...blocks.values()].map((block) => ({ ...block.key, usernames: block.usernames }));
}

/** `block`: the item at the username's whitelistKey. */
export function isListed(block: Item | undefined, username: Username): boolean {
  return block?.usernames instanceof Set && block.usernames.has(username);
}

export function usernamesOf({ usernames }: Item): Username[] {
  if (!(usernames instanceof Set)) throw new TypeError('stored: a block of a whitelist without usernames');
  return [...usernames].map((raw) => {
    const parsed = parseUsername(raw);
    if (!parsed.ok) throw new TypeError(`stored: ${parsed.problem}`);
    return parsed.value;
  });
}
