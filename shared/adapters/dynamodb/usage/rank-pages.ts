// Usernames in order of used, as the rank index has them: a refresh behind, but for what it carries of each besides.

import { rankPartitions } from '../../../config/constants.ts';
import { tableDefinition } from '../../../config/table.ts';
import type { DeploymentId, Username } from '../../../domain/ids.ts';
import type { RankMark } from '../../../ports/usage/usage.ts';
import { answering } from '../common/answering.ts';
import { QueryCommand } from '../common/commands.ts';
import { allRankPks } from '../common/keys.ts';
import type { Item } from '../presence/session-item.ts';
import type { Table } from '../settings/settings-by-username.ts';
import { mergePartitions, type PartitionPage } from './merged-pages.ts';
import { rankedUsed, rankText, usedText } from './usage-item.ts';

const [, , rankIndex] = tableDefinition.indexes;

export interface Ranked extends RankMark {
  readonly item: Item;
}

export interface RankRange {
  readonly order: 'asc' | 'desc';
  readonly after: RankMark | undefined;
  readonly minUsed: number;
}

const textOf = (mark: RankMark): string => rankText(mark.used, mark.username);

/** Comes after every rank in the order of bytes. */
const beyondAll = ':';

/**
 * One range of the sort key, which holds used and username: with it a page goes on behind a username that has moved or
 * gone, in every partition. The range takes in its bounds, so the one it comes after is left out here.
 */
async function readPartition(
  table: Table,
  pk: string,
  { order, after, minUsed }: RankRange,
  limit: number,
): Promise<PartitionPage<Ranked>> {
  const floor = usedText(minUsed);
  const mark = after === undefined ? undefined : textOf(after);
  const low = order === 'asc' && mark !== undefined && mark > floor ? mark : floor;
  const high = order === 'desc' && mark !== undefined ? mark : beyondAll;
  if (Buffer.compare(Buffer.from(low), Buffer.from(high)) > 0) return { items: [], more: false };
  const command = new QueryCommand({
    TableName: table.tableName,
    IndexName: rankIndex.name,
    ScanIndexForward: order === 'asc',
    KeyConditionExpression: 'rankPk = :pk AND #rank BETWEEN :low AND :high',
    ExpressionAttributeNames: { '#rank': rankIndex.sortKey },
    ExpressionAttributeValues: { ':pk': pk, ':low': low, ':high': high },
    Limit: limit,
  });
  const answer = await answering(() => table.client.send(command));
  const items = (answer.Items ?? [])
    .map((item) => ({ used: rankedUsed(item), username: String(item.sk) as Username, item }))
    .filter((ranked) => mark === undefined || textOf(ranked) !== mark);
  return { items, more: answer.LastEvaluatedKey !== undefined };
}

export function listRanked(
  table: Table,
  id: DeploymentId,
  range: RankRange,
  limit: number,
): Promise<PartitionPage<Ranked>> {
  const pks = allRankPks(id);
  const merge = {
    partitions: rankPartitions,
    read: (partition: number, ahead: number, after: Ranked | undefined) =>
      readPartition(table, pks[partition] ?? '', { ...range, after: after ?? range.after }, ahead),
    precedes: (a: Ranked, b: Ranked) => {
      const ascending = Buffer.compare(Buffer.from(textOf(a)), Buffer.from(textOf(b)));
      return range.order === 'asc' ? ascending < 0 : ascending > 0;
    },
  };
  // Entries are small: half as many again as an even share still is half a read unit a partition.
  return mergePartitions(merge, limit, Math.ceil((limit * 1.5) / rankPartitions) + 1);
}
