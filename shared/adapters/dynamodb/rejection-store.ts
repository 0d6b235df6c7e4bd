// Rejections for quota: one item a username (how often, when last, which client id last), and one an hour and partition
// of usernames. Both change in one transaction, whose token makes every repetition of it harmless: what is told is exact.

import { createHash } from 'node:crypto';
import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { rejectionHoursKeptSeconds, ttlGraceSeconds } from '../../config/constants.ts';
import { addSeconds, type Ms, ms, seconds, toEpochSeconds } from '../../domain/time.ts';
import { StoreUnavailable } from '../../ports/errors.ts';
import type { RejectionStore, RejectionSum } from '../../ports/rejections.ts';
import { answering } from './client.ts';
import { hourKey, perUsernameKey, recentPk, usernamePartition } from './keys.ts';
import type { Item } from './session-item.ts';
import type { Writes } from './transaction.ts';

/** DynamoDB takes 1 to 36 characters. */
function tokenOf(sumId: string, turn: string): string {
  return createHash('sha256').update(`${sumId}|${turn}`).digest('base64url').slice(0, 36);
}

export function createRejectionStore(client: DynamoDBDocumentClient, tableName: string): RejectionStore {
  function hourWrites({ deploymentId, username, hours }: RejectionSum): Writes {
    return hours.map(({ hour, count }) => ({
      Update: {
        TableName: tableName,
        Key: hourKey(deploymentId, usernamePartition(username), hour),
        UpdateExpression: 'ADD rejections :count SET #ttl = :ttl',
        ExpressionAttributeNames: { '#ttl': 'ttl' },
        ExpressionAttributeValues: {
          ':count': count,
          ':ttl': toEpochSeconds(addSeconds(hour, seconds(rejectionHoursKeptSeconds + ttlGraceSeconds))),
        },
      },
    }));
  }

  /** Whether it was written; false where its condition said no. */
  async function write(
    sum: RejectionSum,
    turn: string,
    update: Omit<NonNullable<Writes[number]['Update']>, 'TableName' | 'Key'>,
  ): Promise<boolean> {
    const Key = perUsernameKey('R', sum.deploymentId, sum.username);
    try {
      await client.send(
        new TransactWriteCommand({
          ClientRequestToken: tokenOf(sum.sumId, turn),
          TransactItems: [{ Update: { TableName: tableName, Key, ...update } }, ...hourWrites(sum)],
        }),
      );
      return true;
    } catch (error) {
      const refused =
        error instanceof TransactionCanceledException &&
        error.CancellationReasons?.some((reason) => reason.Code === 'ConditionalCheckFailed') === true;
      return refused ? false : answering(() => Promise.reject(error));
    }
  }

  return {
    async addRejections(sum) {
      const { deploymentId, username, clientId, count, lastAt } = sum;
      // Processes write in any order, and a process that was frozen writes late: only the newest says when and who.
      const asNewest = await write(sum, 'newest', {
        UpdateExpression:
          'ADD rejections :count SET lastAt = :at, lastClientId = :client, duePk = :recent, dueAt = :at',
        ConditionExpression: 'attribute_not_exists(lastAt) OR lastAt <= :at',
        ExpressionAttributeValues: {
          ':count': count,
          ':at': lastAt,
          ':client': clientId,
          ':recent': recentPk(deploymentId, usernamePartition(username)),
        },
      });
      if (asNewest) return;
      // `lastAt` only grows, so whoever was not the newest once never will be: a repetition ends here too.
      const asOlder = await write(sum, 'older', {
        UpdateExpression: 'ADD rejections :count',
        ConditionExpression: 'lastAt > :at',
        ExpressionAttributeValues: { ':count': count, ':at': lastAt },
      });
      if (!asOlder) throw new StoreUnavailable(new Error('the record of rejections went away in between'));
    },
  };
}

export interface StoredRejections {
  readonly count: number;
  readonly lastAt: Ms;
  readonly lastClientId: string;
}

export function parseRejectionItem(item: Item | undefined): StoredRejections | undefined {
  if (item === undefined) return undefined;
  return { count: Number(item.rejections), lastAt: ms(Number(item.lastAt)), lastClientId: String(item.lastClientId) };
}
