// Usernames with what their rosters count, in order of username. Rosters of a deployment lie in a fixed number of
// partitions, each sorted by username, and are read consistently: nothing to wait for, nothing that lags.

import { usernamePartitions } from '../../../config/constants.ts';
import { type DeploymentId, type Username, usernameMaxBytes } from '../../../domain/ids.ts';
import { type Ms, ms } from '../../../domain/time.ts';
import { answering } from '../common/answering.ts';
import { QueryCommand } from '../common/commands.ts';
import { perUsernameKey, perUsernamePk } from '../common/keys.ts';
import { readItems } from '../common/read-items.ts';
import type { Item } from '../presence/session-item.ts';
import { compareUsernames, type Table } from '../settings/settings-by-username.ts';
import { mergePartitions, type PartitionPage } from './merged-pages.ts';

/** What a roster counts; expired sessions that nobody has swept yet are in it. */
export interface Counted {
  readonly username: Username;
  readonly used: number;
  /** No session of the username expires before. */
  readonly wakeAt: Ms | undefined;
  /** Of what is counted, an unknown part is what lanes hold in reserve. */
  readonly open: boolean;
}

export interface Range {
  readonly order: 'asc' | 'desc';
  readonly after?: Username | undefined;
  readonly prefix?: string | undefined;
}

/** Places are not asked for: they would be 9 bytes a session to carry. */
const attributes = ['used', 'wakeAt', 'openLanes'];

function parseCounted(username: Username, item: Item | undefined): Counted {
  const wakeAt = item?.wakeAt === undefined ? undefined : ms(Number(item.wakeAt));
  return { username, used: Number(item?.used ?? 0), wakeAt, open: Number(item?.openLanes ?? 0) > 0 };
}

/**
 * Nothing that begins with the prefix comes after it: it goes on with the last character there is, for as long as a
 * username may be. (Not every engine's begins_with tells capital letters from small ones in a key condition.)
 */
function lastOf(prefix: string): string {
  return prefix + '\u{10FFFF}'.repeat(usernameMaxBytes / 4);
}

/** DynamoDB takes one condition on the sort key; where the page starts is told by the exclusive start key. */
async function readPartition(
  table: Table,
  pk: string,
  range: Range,
  limit: number | undefined,
): Promise<PartitionPage<Counted>> {
  const { after, prefix, order } = range;
  const byPrefix = prefix !== undefined && prefix !== '';
  const command = new QueryCommand({
    TableName: table.tableName,
    ConsistentRead: true,
    ScanIndexForward: order === 'asc',
    KeyConditionExpression: byPrefix ? 'pk = :pk AND sk BETWEEN :prefix AND :last' : 'pk = :pk',
    ExpressionAttributeValues: { ':pk': pk, ...(byPrefix ? { ':prefix': prefix, ':last': lastOf(prefix) } : {}) },
    ProjectionExpression: ['sk', ...attributes].join(', '),
    ...(limit === undefined ? {} : { Limit: limit }),
    ...(after === undefined ? {} : { ExclusiveStartKey: { pk, sk: after } }),
  });
  const answer = await answering(() => table.client.send(command));
  const items = (answer.Items ?? []).map((item) => parseCounted(String(item.sk) as Username, item));
  return { items, more: answer.LastEvaluatedKey !== undefined };
}

export function listCounted(
  table: Table,
  id: DeploymentId,
  range: Range,
  limit: number,
): Promise<PartitionPage<Counted>> {
  const merge = {
    partitions: usernamePartitions,
    read: (partition: number, ahead: number, after: Counted | undefined) =>
      readPartition(
        table,
        perUsernamePk('N', id, partition),
        { ...range, after: after?.username ?? range.after },
        ahead,
      ),
    precedes: (a: Counted, b: Counted) =>
      range.order === 'asc'
        ? compareUsernames(a.username, b.username) < 0
        : compareUsernames(a.username, b.username) > 0,
  };
  // An even share of each partition. Rosters of up to 1 KB are then one read unit a partition; what is short of its
  // share is read again, which costs less than reading more of every one.
  return mergePartitions(merge, limit, Math.ceil(limit / usernamePartitions));
}

/** Every username of a deployment, in no order, in as few requests as there are. */
export async function eachCounted(
  table: Table,
  id: DeploymentId,
  visit: (counted: Counted) => Promise<void>,
): Promise<void> {
  const readAll = async (partition: number): Promise<void> => {
    let after: Username | undefined;
    for (let more = true; more; ) {
      const page = await readPartition(table, perUsernamePk('N', id, partition), { order: 'asc', after }, undefined);
      for (const counted of page.items) await visit(counted);
      after = page.items.at(-1)?.username ?? after;
      more = page.more;
    }
  };
  await Promise.all(Array.from({ length: usernamePartitions }, (_, partition) => readAll(partition)));
}

/** Of these usernames, in their order; a username that has no roster counts 0. */
export async function readCounted(
  table: Table,
  id: DeploymentId,
  usernames: readonly Username[],
): Promise<readonly Counted[]> {
  const keyOf = (username: Username) => perUsernameKey('N', id, username);
  const find = await readItems(table, usernames.map(keyOf), { consistent: true, attributes });
  return usernames.map((username) => parseCounted(username, find(keyOf(username))));
}
