// Rejections for quota, one item a username: how often, when last, which client id last.

import { randomBytes } from 'node:crypto';
import { type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { type Ms, ms } from '../../domain/time.ts';
import type { RejectionStore } from '../../ports/rejections.ts';
import { refusable } from './conditions.ts';
import { perUsernameKey } from './keys.ts';
import type { Item } from './session-item.ts';

export function createRejectionStore(client: DynamoDBDocumentClient, tableName: string): RejectionStore {
  return {
    async addRejections({ deploymentId, username, clientId, count, lastAt }) {
      // The id keeps a try that the SDK repeats after a time-out from adding twice.
      const id = randomBytes(9).toString('base64url');
      await refusable(() =>
        client.send(
          new UpdateCommand({
            TableName: tableName,
            Key: perUsernameKey('R', deploymentId, username),
            UpdateExpression: 'ADD rejections :count SET lastAt = :at, lastClientId = :client, lastWrite = :id',
            ConditionExpression: 'attribute_not_exists(lastWrite) OR lastWrite <> :id',
            ExpressionAttributeValues: { ':count': count, ':at': lastAt, ':client': clientId, ':id': id },
          }),
        ),
      );
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
