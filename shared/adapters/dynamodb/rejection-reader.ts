// Rejections as the API shows them. Who was rejected lately is found through an index whose entries lie in the same
// number of partitions as the usernames: a storm over many usernames moves many entries, and no partition takes them all.

import { BatchGetCommand, type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { usernamePartitions } from '../../config/constants.ts';
import { tableDefinition } from '../../config/table.ts';
import type { DeploymentId, Username } from '../../domain/ids.ts';
import { ms } from '../../domain/time.ts';
import { StoreUnavailable } from '../../ports/errors.ts';
import type { HourCount, RecentPlace, RejectionReader, UsernameRejections } from '../../ports/rejections.ts';
import { answering } from './client.ts';
import { hourKey, hourText, perUsernameKey, recentPk } from './keys.ts';
import { parseRejectionItem } from './rejection-store.ts';
import { compareUsernames } from './settings-by-username.ts';

type Item = Record<string, unknown>;

const [, { name: dueIndex }] = tableDefinition.indexes;
const partitions = Array.from({ length: usernamePartitions }, (_, partition) => partition);

/** Newest first; of one moment, in order of username. */
function compareRecent(a: RecentPlace, b: RecentPlace): number {
  return b.lastAt - a.lastAt || compareUsernames(a.username, b.username);
}

export function createRejectionReader(client: DynamoDBDocumentClient, tableName: string): RejectionReader {
  /** The first `limit` entries of a partition behind `after`, and those of the same moment as the last of them. */
  async function recentOf(pk: string, limit: number, after: RecentPlace | undefined): Promise<RecentPlace[]> {
    const found: RecentPlace[] = [];
    let start: Item | undefined;
    do {
      const command = new QueryCommand({
        TableName: tableName,
        IndexName: dueIndex,
        KeyConditionExpression: after === undefined ? 'duePk = :pk' : 'duePk = :pk AND dueAt <= :at',
        ExpressionAttributeValues: { ':pk': pk, ...(after === undefined ? {} : { ':at': after.lastAt }) },
        ScanIndexForward: false,
        Limit: limit + 1,
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      });
      const answer = await answering(() => client.send(command));
      for (const item of answer.Items ?? []) {
        const place = { username: String(item.sk) as Username, lastAt: ms(Number(item.dueAt)) };
        if (after === undefined || compareRecent(place, after) > 0) found.push(place);
      }
      start = answer.LastEvaluatedKey;
      // Entries of one moment come in any order, so all of that moment are read before they are put in order.
    } while (start !== undefined && (found.length <= limit || Number(start.dueAt) === found[limit - 1]?.lastAt));
    return found;
  }

  async function recordsOf(id: DeploymentId, places: readonly RecentPlace[]): Promise<UsernameRejections[]> {
    if (places.length === 0) return [];
    const keys = places.map(({ username }) => perUsernameKey('R', id, username));
    const command = new BatchGetCommand({ RequestItems: { [tableName]: { Keys: keys, ConsistentRead: true } } });
    const answer = await answering(() => client.send(command));
    if ((answer.UnprocessedKeys?.[tableName]?.Keys?.length ?? 0) > 0)
      throw new StoreUnavailable(new Error('keys left unread'));
    const items = answer.Responses?.[tableName] ?? [];
    return places.flatMap(({ username }, n) => {
      const known = parseRejectionItem(items.find((item) => item.pk === keys[n]?.pk && item.sk === keys[n]?.sk));
      if (known === undefined) return [];
      return [{ username, clientId: known.lastClientId, count: known.count, lastAt: known.lastAt }];
    });
  }

  async function hoursOf(id: DeploymentId, partition: number, range: { from: number; until: number; limit: number }) {
    const { pk } = hourKey(id, partition, 0);
    const command = new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :until',
      ExpressionAttributeValues: { ':pk': pk, ':from': hourText(range.from), ':until': hourText(range.until) },
      ConsistentRead: true,
      ScanIndexForward: false,
      Limit: range.limit,
    });
    return (await answering(() => client.send(command))).Items ?? [];
  }

  return {
    async listRecent(id, { limit, after }) {
      const found = await Promise.all(partitions.map((partition) => recentOf(recentPk(id, partition), limit, after)));
      const sorted = found.flat().sort(compareRecent);
      const shown = sorted.slice(0, limit);
      return { items: await recordsOf(id, shown), next: sorted.length > limit ? shown.at(-1) : undefined };
    },

    async listHours(id, range) {
      // The newest `limit` hours of all partitions are among the newest `limit` of each.
      const found = await Promise.all(partitions.map((partition) => hoursOf(id, partition, range)));
      const counts = new Map<number, number>();
      for (const item of found.flat()) {
        const hour = Number(item.sk);
        counts.set(hour, (counts.get(hour) ?? 0) + Number(item.rejections));
      }
      const hours = [...counts].map(([hour, count]): HourCount => ({ hour: ms(hour), count }));
      return hours.sort((a, b) => b.hour - a.hour).slice(0, range.limit);
    },
  };
}
