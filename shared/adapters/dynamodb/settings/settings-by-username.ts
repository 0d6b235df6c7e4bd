// Items per username of a deployment (overrides, passwords) lie in a fixed number of partitions, so
// that none of them is hot. Reading them in order means reading all partitions side by side and merging.

import { setImmediate as turn } from 'node:timers/promises';
import { usernamePartitions } from '../../../config/constants.ts';
import type { DeploymentId, Username } from '../../../domain/ids.ts';
import { answering } from '../common/answering.ts';
import type { BackOff } from '../common/back-off.ts';
import { type DocumentClient, QueryCommand } from '../common/commands.ts';
import { type PerUsernameKind, perUsernamePk } from '../common/keys.ts';
import { onlyAttributes } from '../common/only-attributes.ts';

export interface Table {
  readonly client: DocumentClient;
  readonly tableName: string;
  /** How who meets a transaction of somebody else waits; at random unless told. */
  readonly backOff?: BackOff;
}

type Item = Record<string, unknown>;

/** Code units that UTF-8 orders otherwise than UTF-16, among each other: those of surrogate pairs, and all above them. */
const ordersOtherwise = /[\uD800-\uFFFF]/;

/** Bytes of UTF-8, as the database orders its sort keys. */
export function compareUsernames(a: Username, b: Username): number {
  if (a === b) return 0;
  if (ordersOtherwise.test(a) && ordersOtherwise.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
}

/** A copy in the same order. 10,000 names take milliseconds; compared one by one, they would hold up every CONNECT. */
export function sortUsernames(usernames: readonly Username[]): Username[] {
  if (!usernames.some((username) => ordersOtherwise.test(username))) return [...usernames].sort();
  return usernames
    .map((username) => ({ username, bytes: Buffer.from(username) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ username }) => username);
}

/** Items that are merged before other work of the process has its turn. */
const mergedAtOnce = 250;

interface Wanted {
  readonly kind: PerUsernameKind;
  readonly deploymentId: DeploymentId;
  readonly after?: Username;
  /** Items that one request reads at most; absent: as many as fit in 1 MB. */
  readonly pageSize?: number;
  /** Of each item; absent: all. */
  readonly attributes?: readonly string[];
}

async function* readPartition(table: Table, wanted: Wanted, partition: number): AsyncGenerator<Item, undefined> {
  let start: Item | undefined;
  do {
    const command = new QueryCommand({
      TableName: table.tableName,
      KeyConditionExpression: wanted.after === undefined ? 'pk = :pk' : 'pk = :pk AND sk > :after',
      ExpressionAttributeValues: {
        ':pk': perUsernamePk(wanted.kind, wanted.deploymentId, partition),
        ...(wanted.after === undefined ? {} : { ':after': wanted.after }),
      },
      ConsistentRead: true,
      ...(wanted.attributes === undefined ? {} : onlyAttributes(wanted.attributes)),
      ...(wanted.pageSize === undefined ? {} : { Limit: wanted.pageSize }),
      ...(start === undefined ? {} : { ExclusiveStartKey: start }),
    });
    const answer = await answering(() => table.client.send(command));
    yield* answer.Items ?? [];
    start = answer.LastEvaluatedKey;
  } while (start !== undefined);
  return undefined;
}

function readPartitions(table: Table, wanted: Wanted): AsyncGenerator<Item, undefined>[] {
  return Array.from({ length: usernamePartitions }, (_, partition) => readPartition(table, wanted, partition));
}

/** All of them, in no order: all partitions side by side, and one after the other inside each. */
export async function forEachItem(
  table: Table,
  kind: PerUsernameKind,
  deploymentId: DeploymentId,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const walk = async (partition: AsyncGenerator<Item, undefined>): Promise<void> => {
    for await (const item of partition) await work(item);
  };
  await Promise.all(readPartitions(table, { kind, deploymentId }).map(walk));
}

/** In order of username, strictly after `page.after`, at most `page.limit` of those that `parse` knows. */
export async function readPage<T extends { readonly username: Username }>(
  table: Table,
  kind: PerUsernameKind,
  deploymentId: DeploymentId,
  page: { readonly limit: number; readonly after?: Username },
  parse: (item: Item) => T | undefined,
  attributes?: readonly string[],
): Promise<T[]> {
  // Usernames spread evenly, so twice a partition's share nearly always saves the second request.
  const pageSize = 2 * Math.ceil(page.limit / usernamePartitions) + 2;
  const nextParsed = async (partition: AsyncGenerator<Item, undefined>): Promise<T | undefined> => {
    for (;;) {
      const { value, done } = await partition.next();
      if (done === true || value === undefined) return undefined;
      const parsed = parse(value);
      if (parsed !== undefined) return parsed;
    }
  };
  const wanted = {
    kind,
    deploymentId,
    pageSize,
    ...(page.after === undefined ? {} : { after: page.after }),
    ...(attributes === undefined ? {} : { attributes }),
  };
  const heads = await Promise.all(
    readPartitions(table, wanted).map(async (partition) => ({ partition, head: await nextParsed(partition) })),
  );
  const found: T[] = [];
  while (found.length < page.limit) {
    let first: { readonly partition: AsyncGenerator<Item, undefined>; head: T | undefined } | undefined;
    for (const candidate of heads) {
      if (candidate.head === undefined) continue;
      if (first?.head === undefined || compareUsernames(candidate.head.username, first.head.username) < 0)
        first = candidate;
    }
    if (first?.head === undefined) break;
    found.push(first.head);
    first.head = await nextParsed(first.partition);
    // A page may hold thousands, all of them read already: other work of the process has its turn in between.
    if (found.length % mergedAtOnce === 0) await turn();
  }
  return found;
}
