// Whitelists in the table, as blocks (whitelist-item.ts). A new list is written beside the old one, 25 blocks to a request,
// and counts for nothing until the limit item points to it.

import { setTimeout as pause } from 'node:timers/promises';
import type { BatchWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { usernamePartitions } from '../../../config/constants.ts';
import type { DeploymentId, Username } from '../../../domain/ids.ts';
import { StoreUnavailable } from '../../../ports/common/errors.ts';
import { answering } from '../common/answering.ts';
import { BatchWriteCommand, QueryCommand, UpdateCommand } from '../common/commands.ts';
import { Refused, refusable } from '../common/conditions.ts';
import { limitKey, whitelistPk } from '../common/keys.ts';
import type { Item } from '../presence/session-item.ts';
import { sortUsernames, type Table } from './settings-by-username.ts';
import { buildWhitelistItems, usernamesOf } from './whitelist-item.ts';

type Request = NonNullable<BatchWriteCommandInput['RequestItems']>[string][number];

/** DynamoDB takes no more in one request. */
const batchSize = 25;
/** Requests that one change has under way at the same time: few, because a CONNECT may wait for the same engine. */
const width = 4;
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

/** A list's blocks in one partition, whole or by key. */
async function readBlocks({ client, tableName }: Table, pk: string, listId: string, whole: boolean): Promise<Item[]> {
  const found: Item[] = [];
  let start: Record<string, unknown> | undefined;
  do {
    const command = new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :list)',
      ExpressionAttributeValues: { ':pk': pk, ':list': `${listId}|` },
      ...(whole ? {} : { ProjectionExpression: 'pk, sk' }),
      ConsistentRead: true,
      ...(start === undefined ? {} : { ExclusiveStartKey: start }),
    });
    const answer = await answering(() => client.send(command));
    found.push(...(answer.Items ?? []));
    start = answer.LastEvaluatedKey;
  } while (start !== undefined);
  return found;
}

async function readList(table: Table, id: DeploymentId, listId: string, whole: boolean): Promise<Item[]> {
  const found: Item[] = [];
  const left = [...partitions];
  const worker = async (): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop())
      found.push(...(await readBlocks(table, whitelistPk(id, next), listId, whole)));
  };
  await Promise.all(Array.from({ length: width }, worker));
  return found;
}

/** In order of username. */
export async function readWhitelist(table: Table, id: DeploymentId, listId: string | undefined): Promise<Username[]> {
  if (listId === undefined) return [];
  return sortUsernames((await readList(table, id, listId, true)).flatMap(usernamesOf));
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
  // No other change writes to this list, and writing a block twice is writing it once.
  const items = buildWhitelistItems(id, listId, list.usernames);
  await writeAll(
    table,
    items.map((Item): Request => ({ PutRequest: { Item } })),
  );
  return 'written';
}

/**
 * Removes lists that nothing points to any more, and that no process can still remember. Dying in between leaves entries
 * that count for nothing, and the names of their lists in the limit item for the next change to find.
 */
export async function clearWhitelists(table: Table, id: DeploymentId, listIds: ReadonlySet<string>): Promise<void> {
  if (listIds.size === 0) return;
  for (const listId of listIds) {
    const blocks = await readList(table, id, listId, false);
    await writeAll(
      table,
      blocks.map(({ pk, sk }): Request => ({ DeleteRequest: { Key: { pk, sk } } })),
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
