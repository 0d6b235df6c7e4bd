// Whitelists in the table: one small item per list and username. The connect path asks for one of them, so a whitelist
// costs it the same at 1 username and at 10,000; a new list is written beside the old one, 25 entries to a request, and
// counts for nothing until the limit item points to it.

import { setTimeout as pause } from 'node:timers/promises';
import { BatchWriteCommand, type BatchWriteCommandInput, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { usernamePartitions } from '../../config/constants.ts';
import { type DeploymentId, parseUsername, type Username } from '../../domain/ids.ts';
import { StoreUnavailable } from '../../ports/errors.ts';
import { answering } from './client.ts';
import { Refused, refusable } from './conditions.ts';
import { type Key, limitKey, whitelistKey, whitelistPk } from './keys.ts';
import { compareUsernames, type Table } from './settings-by-username.ts';

type Request = NonNullable<BatchWriteCommandInput['RequestItems']>[string][number];

/** DynamoDB takes no more in one request. */
const batchSize = 25;
/** Requests that one change has under way at the same time. */
const width = 16;
const maxTries = 8;

const partitions = Array.from({ length: usernamePartitions }, (_, partition) => partition);

async function writeBatch({ client, tableName }: Table, batch: readonly Request[]): Promise<void> {
  let left = [...batch];
  for (let tried = 0; left.length > 0; tried += 1) {
    if (tried === maxTries) throw new StoreUnavailable(new Error('entries of a whitelist left unwritten'));
    // What a partition had no room for comes back, and wants a moment.
    if (tried > 0) await pause(Math.random() * 20 * 2 ** tried);
    const command = new BatchWriteCommand({ RequestItems: { [tableName]: left } });
    left = [...((await answering(() => client.send(command))).UnprocessedItems?.[tableName] ?? [])];
  }
}

async function writeAll(table: Table, requests: readonly Request[]): Promise<void> {
  const batches = Array.from({ length: Math.ceil(requests.length / batchSize) }, (_, n) =>
    requests.slice(n * batchSize, (n + 1) * batchSize),
  );
  const worker = async (): Promise<void> => {
    for (let batch = batches.pop(); batch !== undefined; batch = batches.pop()) await writeBatch(table, batch);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/** The keys of a list's entries in one partition. */
async function readKeys({ client, tableName }: Table, pk: string, listId: string): Promise<Key[]> {
  const found: Key[] = [];
  let start: Record<string, unknown> | undefined;
  do {
    const command = new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :list)',
      ExpressionAttributeValues: { ':pk': pk, ':list': `${listId}|` },
      ProjectionExpression: 'pk, sk',
      ConsistentRead: true,
      ...(start === undefined ? {} : { ExclusiveStartKey: start }),
    });
    const answer = await answering(() => client.send(command));
    found.push(...(answer.Items ?? []).map((item) => ({ pk, sk: String(item.sk) })));
    start = answer.LastEvaluatedKey;
  } while (start !== undefined);
  return found;
}

async function readList(table: Table, id: DeploymentId, listId: string): Promise<Key[]> {
  const found = await Promise.all(partitions.map((partition) => readKeys(table, whitelistPk(id, partition), listId)));
  return found.flat();
}

function usernameOf({ sk }: Key, listId: string): Username {
  const parsed = parseUsername(sk.slice(listId.length + 1));
  if (!parsed.ok) throw new TypeError(`stored: ${parsed.problem}`);
  return parsed.value;
}

/** In order of username. */
export async function readWhitelist(table: Table, id: DeploymentId, listId: string | undefined): Promise<Username[]> {
  if (listId === undefined) return [];
  const keys = await readList(table, id, listId);
  return keys.map((key) => usernameOf(key, listId)).sort(compareUsernames);
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
  // No other change writes to this list, and writing an entry twice is writing it once.
  const puts = list.usernames.map(
    (username): Request => ({ PutRequest: { Item: whitelistKey(id, listId, username) } }),
  );
  await writeAll(table, puts);
  return 'written';
}

/**
 * Removes lists that nothing points to any more, and that no process can still remember. Dying in between leaves entries
 * that count for nothing, and the names of their lists in the limit item for the next change to find.
 */
export async function clearWhitelists(table: Table, id: DeploymentId, listIds: ReadonlySet<string>): Promise<void> {
  if (listIds.size === 0) return;
  for (const listId of listIds) {
    const keys = await readList(table, id, listId);
    await writeAll(
      table,
      keys.map((Key): Request => ({ DeleteRequest: { Key } })),
    );
  }
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
