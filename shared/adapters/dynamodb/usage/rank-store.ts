// Ranks in DynamoDB: part of a username's usage item, and its entry in the rank index.

import type { Random } from '../../../ports/common/random.ts';
import type { Rank, RankStore } from '../../../ports/usage/ranks.ts';
import { answering } from '../common/answering.ts';
import { DeleteCommand, type DocumentClient, GetCommand, UpdateCommand } from '../common/commands.ts';
import { Refused, refusable } from '../common/conditions.ts';
import type { ReadItem } from '../common/gathered-reads.ts';
import { perUsernameKey, rankPk } from '../common/keys.ts';
import { holdsMore, rankedUsed, rankText } from './usage-item.ts';

/** `readItem` reads consistently; a process that refreshes many ranks at once passes one that reads them together. */
export function createRankStore(
  client: DocumentClient,
  tableName: string,
  random: Random,
  readItem: ReadItem = readAlone(client, tableName),
): RankStore {
  return {
    async readRank(deploymentId, username) {
      const item = await readItem(perUsernameKey('R', deploymentId, username));
      const revision = item?.rankRev === undefined ? undefined : String(item.rankRev);
      return { used: rankedUsed(item), revision, ...(holdsMore(item) ? { holdsMore: true } : {}) };
    },
    /**
     * Only over the rank that was read, so that a refresh which read the roster earlier never overwrites one that read
     * it later. Dying before it leaves the username out of order until it is asked for again; a try that the SDK repeats
     * after a time-out meets its own revision, is refused, and the next round finds nothing to change.
     */
    async putRank(deploymentId, username, used, seen) {
      const Key = perUsernameKey('R', deploymentId, username);
      const asSeen =
        seen.revision === undefined
          ? { ConditionExpression: 'attribute_not_exists(rankRev)' }
          : { ConditionExpression: 'rankRev = :seen' };
      const values = seen.revision === undefined ? {} : { ':seen': seen.revision };
      if (used > 0) {
        const update = new UpdateCommand({
          TableName: tableName,
          Key,
          UpdateExpression: 'SET rankPk = :pk, #rank = :rank, rankRev = :next',
          ...asSeen,
          ExpressionAttributeNames: { '#rank': 'rank' },
          ExpressionAttributeValues: {
            ':pk': rankPk(deploymentId, username),
            ':rank': rankText(used, username),
            ':next': random.revision(),
            ...values,
          },
        });
        return (await refusable(() => client.send(update))) instanceof Refused ? 'changed' : 'done';
      }
      return leave(seen, { TableName: tableName, Key, ...asSeen }, values);
    },
  };

  /** Out of the order. The item goes with it where nothing else is told of the username. */
  async function leave(
    seen: Rank,
    asSeen: { TableName: string; Key: { pk: string; sk: string }; ConditionExpression: string },
    values: Record<string, string>,
  ): Promise<'done' | 'changed'> {
    const { ConditionExpression } = asSeen;
    const given = seen.revision === undefined ? {} : { ExpressionAttributeValues: values };
    const bare = ['rejections', 'own', 'noticed'].map((name) => `attribute_not_exists(${name})`).join(' AND ');
    const removed = await refusable(() =>
      client.send(
        new DeleteCommand({ ...asSeen, ...given, ConditionExpression: `${ConditionExpression} AND ${bare}` }),
      ),
    );
    if (!(removed instanceof Refused)) return 'done';
    const update = new UpdateCommand({
      ...asSeen,
      UpdateExpression: 'SET rankRev = :next REMOVE rankPk, #rank',
      ExpressionAttributeNames: { '#rank': 'rank' },
      ExpressionAttributeValues: { ':next': random.revision(), ...values },
    });
    return (await refusable(() => client.send(update))) instanceof Refused ? 'changed' : 'done';
  }
}

function readAlone(client: DocumentClient, tableName: string): ReadItem {
  return async (key) => {
    const command = new GetCommand({ TableName: tableName, Key: key, ConsistentRead: true });
    return (await answering(() => client.send(command))).Item;
  };
}
