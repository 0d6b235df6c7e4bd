// Creates the table of the shared definition in a local engine. The stack has its own way to the same table.

import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DynamoDBClient,
  ResourceInUseException,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { dataFormat } from '../shared/config/constants.ts';
import { type IndexDefinition, tableDefinition } from '../shared/config/table.ts';
import { DataRefused } from '../shared/ports/common/errors.ts';

/** On demand. No stream: the local engine's streams cost more with every write they remember. */
function buildCreateTable(tableName: string): CreateTableCommandInput {
  const { partitionKey, sortKey } = tableDefinition;
  const indexes: readonly IndexDefinition[] = tableDefinition.indexes;
  return {
    TableName: tableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: partitionKey, AttributeType: 'S' },
      { AttributeName: sortKey, AttributeType: 'S' },
      ...indexes.flatMap((index) => [
        { AttributeName: index.partitionKey, AttributeType: 'S' as const },
        {
          AttributeName: index.sortKey,
          AttributeType: index.sortKeyType === 'number' ? ('N' as const) : ('S' as const),
        },
      ]),
    ],
    KeySchema: [
      { AttributeName: partitionKey, KeyType: 'HASH' },
      { AttributeName: sortKey, KeyType: 'RANGE' },
    ],
    GlobalSecondaryIndexes: indexes.map((index) => ({
      IndexName: index.name,
      KeySchema: [
        { AttributeName: index.partitionKey, KeyType: 'HASH' },
        { AttributeName: index.sortKey, KeyType: 'RANGE' },
      ],
      Projection:
        index.projects === undefined
          ? { ProjectionType: 'KEYS_ONLY' }
          : { ProjectionType: 'INCLUDE', NonKeyAttributes: [...index.projects] },
    })),
  };
}

/** Throws where a table without a format holds something: an older version wrote it. */
export async function refuseUnmarked(client: DynamoDBClient, tableName: string): Promise<void> {
  const { Count: count = 0 } = await client.send(new ScanCommand({ TableName: tableName, Limit: 1 }));
  if (count === 0) return;
  throw new DataRefused(
    `the table ${tableName} holds data of no format, and this version of Headcount uses format ${dataFormat}: run the ` +
      'version that wrote them, or begin with a new table (another DYNAMODB_ENDPOINT, or none)',
  );
}

/** Creating a table that exists changes nothing. */
export async function createTable(client: DynamoDBClient, tableName: string): Promise<'created' | 'exists'> {
  try {
    await client.send(new CreateTableCommand(buildCreateTable(tableName)));
    return 'created';
  } catch (error) {
    if (error instanceof ResourceInUseException) return 'exists';
    throw error;
  }
}

/** The same through a client of its own, on a local engine. */
export async function createTableAt(endpoint: string, tableName: string): Promise<void> {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new DynamoDBClient({ endpoint, region: 'local', credentials });
  try {
    await createTable(client, tableName);
  } finally {
    client.destroy();
  }
}
