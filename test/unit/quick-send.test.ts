// The client that the product makes sends and answers, command by command, what the SDK's own document client does: both
// against a server that keeps what it was sent and answers with all that such a command may answer.

import { createServer, type Server } from 'node:http';
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  ExecuteStatementCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactGetCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDocumentClient } from '../../shared/adapters/dynamodb/common/client.ts';

let server: Server;
let quick: DynamoDBDocumentClient;
let usual: DynamoDBDocumentClient;
let sent: unknown[] = [];
let answer: object = {};

beforeAll(async () => {
  server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const { ClientRequestToken: _, ...body } = JSON.parse(Buffer.concat(parts).toString());
      sent.push({ target: incoming.headers['x-amz-target'], body });
      outgoing.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  const endpoint = `http://127.0.0.1:${address.port}`;
  quick = createDocumentClient({ endpoint, requestTimeoutMs: 20_000 });
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const marshallOptions = { removeUndefinedValues: true };
  usual = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint, region: 'local', credentials }), {
    marshallOptions,
  });
});
afterAll(() => {
  for (const client of [quick, usual]) client.destroy();
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

test.each([
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
  ['a command that is not known here', () => new ExecuteStatementCommand({ Statement: 'x', Parameters: [1] }), found],
  ['a command of the plain client', () => new DescribeTableCommand({ TableName }), { Table: { TableName } }],
])('%s', async (_name, command, said) => {
  answer = said;
  sent = [];
  const answers: unknown[] = [];
  // Twice each: the first makes the chain that the second finds.
  for (const client of [usual, quick, usual, quick]) {
    const { $metadata: _m, ...told } = await client.send(command() as GetCommand);
    answers.push(told);
  }
  for (const one of sent) expect(one).toEqual(sent[0]);
  for (const one of answers) expect(one).toEqual(answers[0]);
});

test('whoever listens in after the first request is heard, and after that no more', async () => {
  answer = {};
  const heard: string[] = [];
  const get = () => quick.send(new GetCommand({ TableName, Key }));
  await get();
  quick.middlewareStack.add(
    (next, context) => (args) => {
      heard.push(String(context.commandName));
      return next(args);
    },
    { step: 'initialize', name: 'listening' },
  );
  await get();
  quick.middlewareStack.remove('listening');
  await get();
  expect(heard).toEqual(['GetItemCommand']);
});

test('requests side by side get each its own answer', async () => {
  answer = { Item: stored };
  sent = [];
  const all = Array.from({ length: 20 }, (_, n) =>
    quick.send(new GetCommand({ TableName, Key: { pk: `p${n}`, sk: 's' } })),
  );
  await Promise.all(all);
  const asked = sent.map((one) => (one as { body: { Key: { pk: { S: string } } } }).body.Key.pk.S);
  expect(new Set(asked).size).toBe(20);
});

test('a request may be aborted', async () => {
  const aborted = quick.send(new GetCommand({ TableName, Key }), { abortSignal: AbortSignal.abort() });
  await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
});
