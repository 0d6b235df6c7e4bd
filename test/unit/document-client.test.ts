// Both clients send and answer, command by command, what the SDK's own document client does: all three against a server
// that keeps what it was sent and answers with all that such a command may answer.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as sdk from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDocumentClient } from '../../shared/adapters/dynamodb/common/client.ts';
import {
  BatchGetCommand,
  BatchWriteCommand,
  type Command,
  DeleteCommand,
  type DocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactGetCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '../../shared/adapters/dynamodb/common/commands.ts';
import { createSdkClient } from '../../shared/adapters/dynamodb/common/sdk-client.ts';

let server: Server;
let clients: readonly (DocumentClient & { destroy(): void })[] = [];
let sent: { readonly target: unknown; readonly body: Record<string, unknown> }[] = [];
let answer: object = {};

beforeAll(async () => {
  server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      sent.push({ target: incoming.headers['x-amz-target'], body: JSON.parse(Buffer.concat(parts).toString()) });
      outgoing.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(answer));
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const marshallOptions = { removeUndefinedValues: true };
  const plain = new DynamoDBClient({ endpoint, region: 'local', credentials });
  const document = sdk.DynamoDBDocumentClient.from(plain, { marshallOptions });
  const sdkCommands = new Map<string, unknown>(Object.entries(sdk));
  const theirs = {
    // The commands have the names of theirs, and take the same.
    send: (command: Command<object, unknown>) => {
      const SdkCommand = sdkCommands.get(command.constructor.name) as typeof sdk.GetCommand;
      return document.send(new SdkCommand(command.input as sdk.GetCommandInput));
    },
    destroy: () => document.destroy(),
  };
  const options = { endpoint, requestTimeoutMs: 20_000 };
  clients = [theirs as never, createDocumentClient(options), createSdkClient(options)];
});
afterAll(() => {
  for (const client of clients) client.destroy();
  server.closeAllConnections();
  server.close();
});

const TableName = 'Item';
const Key = { pk: 'a', sk: 'Key' };
const bytes = new Uint8Array([1, 2, 255]);
const item = {
  ...Key,
  used: 3,
  places: new Set([bytes]),
  lists: new Set(['x', 'y']),
  nested: { list: [1, 'two', null, { deep: true }], gone: undefined },
  absent: undefined,
};
const values = { ExpressionAttributeValues: { ':one': 1, ':item': { a: [bytes] }, ':absent': undefined } };
const names = { ExpressionAttributeNames: { '#k': 'Key' }, ConditionExpression: '#k = :one' };
const stored = {
  pk: { S: 'a' },
  used: { N: '3' },
  places: { BS: ['AQL/'] },
  nested: { M: { list: { L: [{ N: '1' }, { NULL: true }, { BOOL: false }] } } },
};
const found = { Items: [stored, {}], LastEvaluatedKey: { pk: stored.pk }, Count: 2 };
const writes = [{ PutRequest: { Item: item } }, { DeleteRequest: { Key } }];
const left = { [TableName]: [{ PutRequest: { Item: stored } }, { DeleteRequest: { Key: { pk: stored.pk } } }] };

test.each<[string, () => Command<object, object>, object]>([
  ['Get', () => new GetCommand({ TableName, Key, ConsistentRead: true }), { Item: stored }],
  ['Get of nothing', () => new GetCommand({ TableName, Key }), {}],
  ['Put', () => new PutCommand({ TableName, Item: item, ...names, ...values }), { Attributes: stored }],
  ['Put without values', () => new PutCommand({ TableName, Item: item, ExpressionAttributeValues: undefined }), {}],
  [
    'Update',
    () => new UpdateCommand({ TableName, Key, UpdateExpression: 'ADD used :one', ...names, ...values }),
    { Attributes: stored },
  ],
  ['Delete', () => new DeleteCommand({ TableName, Key, ...names, ...values }), { Attributes: stored }],
  ['Query', () => new QueryCommand({ TableName, ExclusiveStartKey: Key, Limit: 3, ...values }), found],
  ['Scan', () => new ScanCommand({ TableName, ExclusiveStartKey: Key, Segment: 0, TotalSegments: 1 }), found],
  [
    'BatchGet',
    () => new BatchGetCommand({ RequestItems: { [TableName]: { Keys: [Key, Key], ConsistentRead: true } } }),
    { Responses: { [TableName]: [stored] }, UnprocessedKeys: { [TableName]: { Keys: [{ pk: stored.pk }] } } },
  ],
  ['BatchWrite', () => new BatchWriteCommand({ RequestItems: { [TableName]: writes } }), { UnprocessedItems: left }],
  [
    'TransactGet',
    () => new TransactGetCommand({ TransactItems: [{ Get: { TableName, Key } }, { Get: { TableName, Key } }] }),
    { Responses: [{ Item: stored }, {}] },
  ],
  [
    'TransactWrite',
    () =>
      new TransactWriteCommand({
        TransactItems: [
          { Put: { TableName, Item: item, ...names, ...values } },
          { Update: { TableName, Key, UpdateExpression: 'ADD used :one', ...values } },
          { Delete: { TableName, Key } },
          { ConditionCheck: { TableName, Key, ConditionExpression: 'used = :one', ...values } },
        ],
      }),
    {},
  ],
  [
    'TransactWrite with a token of its own',
    () => new TransactWriteCommand({ ClientRequestToken: 'mine', TransactItems: [{ Delete: { TableName, Key } }] }),
    {},
  ],
])('%s', async (_name, command, said) => {
  answer = said;
  sent = [];
  const answers: unknown[] = [];
  // Twice each: the first makes the chain that the second finds.
  for (const client of [...clients, ...clients]) {
    const { $metadata: _m, ...told } = (await client.send(command())) as { readonly $metadata?: unknown };
    answers.push(told);
  }
  // A token that nobody gave is new for each of them.
  const tokens = sent.map(({ body }) => body.ClientRequestToken).filter((token) => token !== 'mine');
  if (tokens.some((token) => token !== undefined)) {
    for (const token of tokens) expect(token).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    expect(new Set(tokens).size).toBe(sent.length);
    for (const { body } of sent) delete body.ClientRequestToken;
  }
  for (const one of sent) expect(one).toEqual(sent[0]);
  for (const one of answers) expect(one).toEqual(answers[0]);
});

test('requests side by side get each its own answer', async () => {
  answer = { Item: stored };
  for (const client of clients) {
    sent = [];
    const all = Array.from({ length: 20 }, (_, n) =>
      client.send(new GetCommand({ TableName, Key: { pk: `p${n}`, sk: 's' } })),
    );
    await Promise.all(all);
    const asked = sent.map(({ body }) => (body as { Key: { pk: { S: string } } }).Key.pk.S);
    expect(new Set(asked).size).toBe(20);
  }
});
