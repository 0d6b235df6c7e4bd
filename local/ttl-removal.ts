// A record of the table's stream (keys only) as DynamoDB writes it when its time to live removes an item.

import { randomUUID } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import { tableDefinition } from '../shared/config/table.ts';
import type { Ms } from '../shared/domain/time.ts';

const { partitionKey, sortKey } = tableDefinition;
let sequence = 0;

export function buildTtlRemoval(key: Record<string, AttributeValue>, now: Ms): DynamoDBRecord {
  const pk = key[partitionKey]?.S ?? '';
  const sk = key[sortKey]?.S ?? '';
  return {
    eventID: randomUUID().replaceAll('-', ''),
    eventName: 'REMOVE',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: 'local',
    userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' },
    eventSourceARN: 'arn:aws:dynamodb:local:000000000000:table/headcount/stream/local',
    dynamodb: {
      ApproximateCreationDateTime: Math.floor(now / 1000),
      Keys: { [partitionKey]: { S: pk }, [sortKey]: { S: sk } },
      SequenceNumber: String(++sequence).padStart(21, '0'),
      SizeBytes: Buffer.byteLength(pk) + Buffer.byteLength(sk) + partitionKey.length + sortKey.length,
      StreamViewType: 'KEYS_ONLY',
    },
  };
}
