import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Meter } from '../../bench/meter/meter.ts';
import {
  BatchGetCommand,
  BatchWriteCommand,
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
import { createTestTable, startTestEngine, type TestEngine, type TestTable } from '../support/engine.ts';

let meter: Meter;
let client: DocumentClient;
const tableName = 'metered';

beforeEach(() => {
  meter = new Meter();
  client = meter.client;
});

const key = { pk: 'p', sk: 's' };
const entry = { duePk: 'd', dueAt: 5 };
const filler = 'x'.repeat(5_000);
const put = (item: object) => new PutCommand({ TableName: tableName, Item: { ...key, ...item } });

/** Units that the work costs; work that is to fail names its error. */
async function cost(
  work: () => Promise<unknown>,
  failure?: string,
): Promise<{ write: number; indexWrite: number; read: number }> {
  const [, spent] = await meter.spend(async () => {
    if (failure === undefined) await work();
    else await expect(work()).rejects.toMatchObject({ name: failure });
  });
  const { write, indexWrite, read } = spent;
  return { write, indexWrite, read };
}

const writes = (write: number, indexWrite = 0) => ({ write, indexWrite, read: 0 });
const reads = (read: number) => ({ write: 0, indexWrite: 0, read });

describe('writes', () => {
  it('charges a put for the table and for each index entry it makes', async () => {
    expect(await cost(() => client.send(put({ ...entry, wakePk: 'w', wakeAt: 1 })))).toEqual(writes(3, 2));
  });

  it('charges an update that moves one index key two index writes', async () => {
    await client.send(put(entry));
    const update = new UpdateCommand({
      TableName: tableName,
      Key: key,
      UpdateExpression: 'SET dueAt = :six',
      ExpressionAttributeValues: { ':six': 6 },
    });
    expect(await cost(() => client.send(update))).toEqual(writes(3, 2));
  });

  it('charges an update by the larger of the item before and after', async () => {
    await client.send(put({ filler }));
    const update = new UpdateCommand({ TableName: tableName, Key: key, UpdateExpression: 'REMOVE filler' });
    expect(await cost(() => client.send(update))).toEqual(writes(5));
    expect(await cost(() => client.send(update))).toEqual(writes(1));
  });

  it('charges a delete for what stood there, and 1 for nothing', async () => {
    await client.send(put({ filler, ...entry }));
    const remove = new DeleteCommand({ TableName: tableName, Key: key });
    expect(await cost(() => client.send(remove))).toEqual(writes(6, 1));
    expect(await cost(() => client.send(remove))).toEqual(writes(1));
  });

  it('charges a failed condition for the item, and no index', async () => {
    const refusal = 'ConditionalCheckFailedException';
    const refused = (item: object) => () =>
      client.send(
        new PutCommand({ ...put({ ...item, ...entry }).input, ConditionExpression: 'attribute_exists(holder)' }),
      );
    expect(await cost(refused({}), refusal)).toEqual(writes(1));
    expect(await cost(refused({ filler }), refusal)).toEqual(writes(5));
    await client.send(put({ filler }));
    expect(await cost(refused({}), refusal)).toEqual(writes(5));
  });

  it('charges nothing for a request that is malformed', async () => {
    const wrong = new UpdateCommand({ TableName: tableName, Key: key, UpdateExpression: 'SET' });
    expect(await cost(() => client.send(wrong), 'ValidationException')).toEqual(writes(0));
  });

  it('charges each item of a batch by itself', async () => {
    const requests = [
      { ...key, sk: 'a', filler },
      { ...key, sk: 'b', ...entry },
    ].map((Item) => ({ PutRequest: { Item } }));
    expect(await cost(() => client.send(new BatchWriteCommand({ RequestItems: { [tableName]: requests } })))).toEqual(
      writes(7, 1),
    );
  });
});

describe('transactions', () => {
  const transact = (condition: string) =>
    new TransactWriteCommand({
      TransactItems: [
        { Put: { TableName: tableName, Item: { ...key, ...entry } } },
        {
          Update: {
            TableName: tableName,
            Key: { ...key, sk: 'count' },
            UpdateExpression: 'ADD used :one',
            ExpressionAttributeValues: { ':one': 1 },
          },
        },
        { ConditionCheck: { TableName: tableName, Key: { ...key, sk: 'check' }, ConditionExpression: condition } },
      ],
    });

  it('charges every item twice, index entries once', async () => {
    expect(await cost(() => client.send(transact('attribute_not_exists(pk)')))).toEqual(writes(7, 1));
  });

  it('charges every item twice when cancelled, and no index', async () => {
    const cancelled = () => client.send(transact('attribute_exists(pk)'));
    expect(await cost(cancelled, 'TransactionCanceledException')).toEqual(writes(6));
  });

  it('charges transactional reads twice', async () => {
    const get = new TransactGetCommand({ TransactItems: [{ Get: { TableName: tableName, Key: key } }] });
    expect(await cost(() => client.send(get))).toEqual(reads(2));
  });
});

describe('reads', () => {
  it('charges by consistency, by the whole item, and for an item that is not there', async () => {
    await client.send(put({ filler }));
    const get = (more: object) => () => client.send(new GetCommand({ TableName: tableName, Key: key, ...more }));
    expect(await cost(get({}))).toEqual(reads(1));
    expect(await cost(get({ ConsistentRead: true }))).toEqual(reads(2));
    expect(await cost(get({ ConsistentRead: true, ProjectionExpression: 'sk' }))).toEqual(reads(2));
    expect(await cost(get({ Key: { ...key, sk: 'none' } }))).toEqual(reads(0.5));
  });

  it('rounds each item of a batch up by itself', async () => {
    await client.send(put({ filler: 'x'.repeat(1_500) }));
    await client.send(new PutCommand({ TableName: tableName, Item: { ...key, sk: 'b', filler: 'x'.repeat(6_500) } }));
    const keys = [key, { ...key, sk: 'b' }];
    const get = new BatchGetCommand({ RequestItems: { [tableName]: { Keys: keys, ConsistentRead: true } } });
    expect(await cost(() => client.send(get))).toEqual(reads(3));
  });

  it('rounds a query up once, filters and projections aside, and an index by its entries', async () => {
    for (const sk of ['a', 'b', 'c', 'd'])
      await client.send(new PutCommand({ TableName: tableName, Item: { ...key, sk, filler, ...entry } }));
    const query = (more: object) => () =>
      client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: '#pk = :pk',
          ExpressionAttributeNames: { '#pk': 'pk' },
          ExpressionAttributeValues: { ':pk': 'p' },
          ...more,
        }),
      );
    expect(await cost(query({}))).toEqual(reads(2.5));
    expect(await cost(query({ ConsistentRead: true }))).toEqual(reads(5));
    expect(await cost(query({ Limit: 1 }))).toEqual(reads(1));
    const filtered = {
      FilterExpression: '#filler = :none',
      ExpressionAttributeNames: { '#pk': 'pk', '#filler': 'filler' },
      ExpressionAttributeValues: { ':pk': 'p', ':none': '' },
    };
    expect(await cost(query({ ...filtered, ProjectionExpression: 'sk' }))).toEqual(reads(2.5));
    const byDue = {
      IndexName: 'due',
      ExpressionAttributeNames: { '#pk': 'duePk' },
      ExpressionAttributeValues: { ':pk': 'd' },
    };
    expect(await cost(query(byDue))).toEqual(reads(0.5));
  });
});

describe('the books', () => {
  it('charge each of the requests that run at the same time with its own change', async () => {
    const work = () =>
      Promise.all([client.send(put({ filler })), client.send(put({})), client.send(put({ ...entry }))]);
    expect(await cost(work)).toEqual(writes(5 + 5 + 2, 1));
  });

  it('refuse what they do not know instead of calling it free', async () => {
    await expect(client.send(new ScanCommand({ TableName: tableName }))).rejects.toThrow('does not know ScanCommand');
    const unknown = { constructor: { name: 'ExecuteStatementCommand' }, input: {} };
    await expect(client.send(unknown as never)).rejects.toThrow('nobody sends');
  });

  it('leave out what another client does meanwhile', async () => {
    expect(await cost(() => meter.bareClient.send(put({})))).toEqual(writes(0));
  });
});

describe('on an engine that tells the units of the table itself', () => {
  let engine: TestEngine;
  let table: TestTable;
  beforeAll(async () => {
    engine = await startTestEngine();
    table = await createTestTable(engine.endpoint);
  });
  afterAll(() => engine.stop());

  it.each([1_023, 1_024, 1_025, 2_049])('an item of %i bytes costs as much', async (bytes) => {
    const item = { ...key, x: 'x'.repeat(bytes - 7) };
    const answer = await table.client.send(
      new PutCommand({ TableName: table.tableName, Item: item, ReturnConsumedCapacity: 'TOTAL' }),
    );
    const measured = await cost(() => client.send(put(item)));
    expect(measured.write).toBe(answer.ConsumedCapacity?.CapacityUnits);
    expect(measured.write).toBe(Math.ceil(bytes / 1_024));
  });
});
