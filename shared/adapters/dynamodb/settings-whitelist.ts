// Whitelists in the table: one entry item per username that names the lists it is on. The connect path reads one entry
// and asks for one list, so a whitelist costs it the same at 1 username and at 10,000; a new list is written beside the
// old one and counts for nothing until the limit item points to it.

import { DeleteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { DeploymentId, Username } from '../../domain/ids.ts';
import { answering } from './client.ts';
import { Refused, refusable } from './conditions.ts';
import { limitKey, perUsernameKey } from './keys.ts';
import { compareUsernames, readAll, readEach, type Table } from './settings-by-username.ts';
import { entryLists, isWhitelisted, storedUsername } from './settings-item.ts';

/** Writes that one change has under way at the same time. */
const width = 32;

async function eachBounded<T>(items: Iterable<T> | AsyncIterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const source = (async function* () {
    yield* items;
  })();
  const worker = async () => {
    for await (const item of source) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/** In order of username. */
export async function readWhitelist(table: Table, id: DeploymentId, listId: string | undefined): Promise<Username[]> {
  if (listId === undefined) return [];
  const usernames = await readAll(table, 'W', id, (item) =>
    isWhitelisted(item, listId) ? storedUsername(item) : undefined,
  );
  return usernames.sort(compareUsernames);
}

/**
 * Writes the entries of a list that nothing points to yet. The limit item learns its name first, so that whoever changes
 * the limit next can clear away what a death in the middle leaves. Only while the limit is at `version`: a list of a
 * change that has lost already is refused here, before its entries cost anything.
 */
export async function writeWhitelist(
  table: Table,
  id: DeploymentId,
  list: { readonly listId: string; readonly usernames: readonly Username[]; readonly version: number },
): Promise<'written' | 'raced'> {
  const { listId, version } = list;
  const registered = await refusable(() =>
    table.client.send(
      new UpdateCommand({
        TableName: table.tableName,
        Key: limitKey(id),
        UpdateExpression: 'ADD lists :list',
        ConditionExpression: version === 0 ? 'attribute_not_exists(version)' : 'version = :version',
        ExpressionAttributeValues: { ':list': new Set([listId]), ...(version === 0 ? {} : { ':version': version }) },
      }),
    ),
  );
  if (registered instanceof Refused) return 'raced';
  await eachBounded(list.usernames, async (username) => {
    // Adding to a set is the same done twice, and leaves the lists of other changes alone.
    await answering(() =>
      table.client.send(
        new UpdateCommand({
          TableName: table.tableName,
          Key: perUsernameKey('W', id, username),
          UpdateExpression: 'ADD lists :list',
          ExpressionAttributeValues: { ':list': new Set([listId]) },
        }),
      ),
    );
  });
  return 'written';
}

/**
 * Takes lists that no version of the limit points to, or ever will, out of all entries. Dying in between leaves entries
 * that count for nothing, and the names of their lists in the limit item for the next change to find.
 */
export async function clearWhitelists(table: Table, id: DeploymentId, listIds: ReadonlySet<string>): Promise<void> {
  if (listIds.size === 0) return;
  await eachBounded(readEach(table, 'W', id), async (item) => {
    const lists = entryLists(item);
    const stale = new Set([...lists].filter((listId) => listIds.has(listId)));
    const Key = perUsernameKey('W', id, storedUsername(item));
    if (stale.size === lists.size) {
      // Only while the entry is what was read: a change under way may just have put its list on it.
      const asRead =
        lists.size === 0
          ? { ConditionExpression: 'attribute_not_exists(lists)' }
          : { ConditionExpression: 'lists = :read', ExpressionAttributeValues: { ':read': lists } };
      const deleted = await refusable(() =>
        table.client.send(new DeleteCommand({ TableName: table.tableName, Key, ...asRead })),
      );
      if (!(deleted instanceof Refused)) return;
    }
    if (stale.size === 0) return;
    // Only on an entry that is still there: an update would bring a deleted one back, empty.
    await refusable(() =>
      table.client.send(
        new UpdateCommand({
          TableName: table.tableName,
          Key,
          UpdateExpression: 'DELETE lists :stale',
          ConditionExpression: 'attribute_exists(pk)',
          ExpressionAttributeValues: { ':stale': stale },
        }),
      ),
    );
  });
  await refusable(() =>
    table.client.send(
      new UpdateCommand({
        TableName: table.tableName,
        Key: limitKey(id),
        UpdateExpression: 'DELETE lists :cleared',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeValues: { ':cleared': new Set(listIds) },
      }),
    ),
  );
}
