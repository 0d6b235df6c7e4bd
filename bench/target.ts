// What a measurement talks to: a client whose requests may wait as long as the machine makes them, and are never
// repeated, so that what is counted is what was sent.

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

export interface Target {
  readonly client: DynamoDBDocumentClient;
  /** Another one, for what the measuring itself reads. */
  readonly rawClient: DynamoDBClient;
  readonly tableName: string;
}

export function createTarget(endpoint: string, tableName: string): Target {
  const create = (): DynamoDBClient =>
    new DynamoDBClient({
      endpoint,
      region: 'local',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
      requestHandler: { httpAgent: { keepAlive: true, maxSockets: 32 }, socketAcquisitionWarningTimeout: 60_000 },
    });
  const marshallOptions = { removeUndefinedValues: true };
  return { client: DynamoDBDocumentClient.from(create(), { marshallOptions }), rawClient: create(), tableName };
}
