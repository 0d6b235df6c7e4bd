// Rejections: one record a username and reason, and the last ones of a username. Those for quota are counted twice more:
// beside what usage shows of the username, and by the hour and partition of usernames. Each is counted in a transaction, whose token makes
// every repetition of it harmless: what is told is exact.

import { createHash } from 'node:crypto';
import { rejectionHoursKeptSeconds, ttlGraceSeconds } from '../../../config/constants.ts';
import { addSeconds, type Ms, ms, seconds, toEpochSeconds } from '../../../domain/time.ts';
import { StoreUnavailable } from '../../../ports/common/errors.ts';
import type { ReasonSum, RejectionStore, RejectionSum } from '../../../ports/rejections/rejections.ts';
import { answering, isNamed } from '../common/answering.ts';
import { type DocumentClient, TransactWriteCommand } from '../common/commands.ts';
import { hourKey, type Key, perUsernameKey, recentPk, rejectionsKey, usernamePartition } from '../common/keys.ts';
import type { Writes } from '../common/transaction.ts';
import type { Item } from '../presence/session-item.ts';
import { keepLastRejections } from './last-rejections.ts';

/** DynamoDB takes 1 to 36 characters. */
function tokenOf(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('|')).digest('base64url').slice(0, 36);
}

export function createRejectionStore(client: DocumentClient, tableName: string): RejectionStore {
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

  /** Whether it was written; false where a condition said no. */
  async function write(token: string, writes: Writes): Promise<boolean> {
    try {
      await client.send(new TransactWriteCommand({ ClientRequestToken: token, TransactItems: writes }));
      return true;
    } catch (error) {
      const refused =
        isNamed(error, 'TransactionCanceledException') &&
        error.CancellationReasons?.some((reason) => reason.Code === 'ConditionalCheckFailed') === true;
      return refused ? false : answering(() => Promise.reject(error));
    }
  }

  /** `recent`: the partition of the index that the record is found in by its time; `beside`: what is written with it. */
  async function add(
    sumId: string,
    Key: Key,
    { count, lastAt, clientId }: Omit<ReasonSum, 'reason'>,
    { recent, beside = [] }: { readonly recent?: string; readonly beside?: Writes },
  ): Promise<void> {
    const update = { TableName: tableName, Key };
    // Invariant: a record says when and who of the newest rejection, and counts each sum once.
    // Race: processes write in any order, and a process that was frozen writes late; one that was not the newest once
    // never will be, since `lastAt` only grows. So a repetition takes the same of the two ways, and meets its own token.
    // On crash: the sum is lost, and too few are shown.
    const asNewest = await write(tokenOf(sumId, Key.sk, 'newest'), [
      {
        Update: {
          ...update,
          UpdateExpression: `ADD rejections :count SET lastAt = :at, lastClientId = :client${
            recent === undefined ? '' : ', duePk = :recent, dueAt = :at'
          }`,
          ConditionExpression: 'attribute_not_exists(lastAt) OR lastAt <= :at',
          ExpressionAttributeValues: {
            ':count': count,
            ':at': lastAt,
            ':client': clientId,
            ...(recent === undefined ? {} : { ':recent': recent }),
          },
        },
      },
      ...beside,
    ]);
    if (asNewest) return;
    const asOlder = await write(tokenOf(sumId, Key.sk, 'older'), [
      {
        Update: {
          ...update,
          UpdateExpression: 'ADD rejections :count',
          ConditionExpression: 'lastAt > :at',
          ExpressionAttributeValues: { ':count': count, ':at': lastAt },
        },
      },
      ...beside,
    ]);
    if (!asOlder) throw new StoreUnavailable(new Error('the record of rejections went away in between'));
  }

  return {
    async addRejections(sum) {
      const { deploymentId, username, sumId, reasons } = sum;
      const recent = recentPk(deploymentId, usernamePartition(username));
      const quota = reasons.filter(({ reason }) => reason === 'quota');
      // Each part may be repeated by itself. Side by side: a client may wait for it.
      const parts = await Promise.allSettled([
        ...quota.map((one) =>
          add(sumId, perUsernameKey('R', deploymentId, username), one, { beside: hourWrites(sum) }),
        ),
        ...reasons.map((one) => add(sumId, rejectionsKey(deploymentId, username, one.reason), one, { recent })),
        keepLastRejections({ client, tableName }, sum),
      ]);
      for (const part of parts) if (part.status === 'rejected') throw part.reason;
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
