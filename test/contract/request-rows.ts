// Requests that DynamoDB takes and requests that it refuses, whatever the table holds. [AWS: API reference; Service quotas;
// Expressions in DynamoDB]

import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '../../shared/adapters/dynamodb/common/commands.ts';
import type { engineName } from '../support/engine.ts';

export interface Row {
  readonly what: string;
  readonly build: (TableName: string) => { readonly input: object };
  /** Engines that take it although AWS does not, each with how far it goes. One that does not take it any more fails. */
  readonly lax?: Partial<Record<typeof engineName, string>>;
}

let serial = 0;
const key = (sk = `row ${serial++}`) => ({ pk: 'p', sk });
const bytes = (text: string) => Buffer.from(text);
const long = (length: number) => 'x'.repeat(length);
const list = <T>(length: number, make: (n: number) => T): T[] => Array.from({ length }, (_, n) => make(n));
const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

type More = Record<string, unknown>;
const get =
  (more: More = {}) =>
  (TableName: string) =>
    new GetCommand({ TableName, Key: key(), ...more });
const put =
  (item: More = {}, more: More = {}) =>
  (TableName: string) =>
    new PutCommand({ TableName, Item: { ...key(), ...item }, ...more });
const update =
  (UpdateExpression: string | undefined, values?: More, more: More = {}) =>
  (TableName: string) =>
    new UpdateCommand({
      TableName,
      Key: key(),
      ...(UpdateExpression === undefined ? {} : { UpdateExpression }),
      ...(values === undefined ? {} : { ExpressionAttributeValues: values }),
      ...more,
    });
const remove =
  (more: More = {}) =>
  (TableName: string) =>
    new DeleteCommand({ TableName, Key: key(), ...more });
const query =
  (more: More = {}, values: More = { ':pk': 'p' }) =>
  (TableName: string) =>
    new QueryCommand({
      TableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: values,
      ...more,
    });
const byWake = { IndexName: 'wake', KeyConditionExpression: 'wakePk = :pk' };
const scan =
  (more: More = {}) =>
  (TableName: string) =>
    new ScanCommand({ TableName, ...more });
const batchGet =
  (keys: readonly More[], more: More = {}) =>
  (TableName: string) =>
    new BatchGetCommand({ RequestItems: { [TableName]: { Keys: [...keys], ...more } } });
const batchWrite = (requests: readonly object[]) => (TableName: string) =>
  new BatchWriteCommand({ RequestItems: { [TableName]: [...requests] } });
const transact =
  (build: (TableName: string) => readonly object[], more: More = {}) =>
  (TableName: string) =>
    new TransactWriteCommand({ TransactItems: [...build(TableName)], ...more });
const transactedPut = (sk?: string) => (TableName: string) => ({ Put: { TableName, Item: key(sk) } });
const counted = 'ADD used :one';
const one = { ':one': 1 };

export const goodRows: readonly Row[] = [
  { what: 'get: a key', build: get() },
  {
    what: 'get: a projection with a name',
    build: get({ ProjectionExpression: 'sk, #r', ExpressionAttributeNames: { '#r': 'rank' } }),
  },
  {
    what: 'put: every type of value, empty text and bytes among them',
    build: put({
      s: '',
      b: bytes(''),
      n: -1.5,
      t: true,
      o: null,
      l: [1, 'a'],
      m: { k: [] },
      ss: new Set(['a', 'b']),
      ns: new Set([1, 2]),
      bs: new Set([bytes('a'), bytes('b')]),
    }),
  },
  { what: 'put: an item of just below 400 KB', build: put({ filler: long(400 * 1_024 - 200) }) },
  {
    what: 'put: keys as long as they may be',
    build: (TableName) => new PutCommand({ TableName, Item: { pk: long(2_048), sk: long(1_024) } }),
  },
  { what: 'put: 31 lists inside each other', build: put({ deep: nested(31) }) },
  { what: 'put: a number of 38 digits', build: put({ n: 12_345_678_901_234_567_890_123_456_789_012_345_678n }) },
  { what: 'update: no expression', build: update(undefined) },
  {
    what: 'update: all four clauses',
    build: update('SET a = :one, c = if_not_exists(d, :one) + :one REMOVE e ADD used :one DELETE places :set', {
      ...one,
      ':set': new Set([bytes('a')]),
    }),
  },
  {
    what: 'update: a set of distinct bytes',
    build: update('ADD places :set', { ':set': new Set([bytes('a'), bytes('b')]) }),
  },
  {
    what: 'update: one value in condition and update',
    build: update(counted, one, { ConditionExpression: 'attribute_not_exists(used) OR used < :one' }),
  },
  {
    what: 'update: two paths in one map',
    build: update('SET #m = :map', { ':map': { a: 1 } }, { ExpressionAttributeNames: { '#m': 'm' } }),
  },
  { what: 'delete: with a condition', build: remove({ ConditionExpression: 'attribute_not_exists(pk)' }) },
  { what: 'query: a partition', build: query({ ConsistentRead: true, Limit: 1 }) },
  {
    what: 'query: a prefix',
    build: query({ KeyConditionExpression: 'pk = :pk AND begins_with(sk, :p)' }, { ':pk': 'p', ':p': 'row' }),
  },
  {
    what: 'query: a range',
    build: query({ KeyConditionExpression: 'pk = :pk AND sk BETWEEN :a AND :b' }, { ':pk': 'p', ':a': 'a', ':b': 'b' }),
  },
  {
    what: 'query: an index by number',
    build: query({ ...byWake, KeyConditionExpression: 'wakePk = :pk AND wakeAt <= :n' }, { ':pk': 'p', ':n': 1 }),
  },
  {
    what: 'query: a filter on what is no key',
    build: query({ FilterExpression: 'used > :one' }, { ':pk': 'p', ...one }),
  },
  { what: 'query: a count', build: query({ Select: 'COUNT' }) },
  { what: 'query: behind a key', build: query({ ExclusiveStartKey: key('x') }) },
  { what: 'scan: a segment', build: scan({ Segment: 0, TotalSegments: 2, Limit: 1 }) },
  { what: 'batch of readings: 100 keys', build: batchGet(list(100, (n) => key(`batch ${n}`))) },
  { what: 'batch of writes: 25', build: batchWrite(list(25, (n) => ({ PutRequest: { Item: key(`batch ${n}`) } }))) },
  { what: 'transaction: 100 items', build: transact((table) => list(100, (n) => transactedPut(`of 100 ${n}`)(table))) },
  {
    what: 'transaction: a token of 36 characters',
    build: transact((table) => [transactedPut()(table)], { ClientRequestToken: long(36) }),
  },
];

export const badRows: readonly Row[] = [
  // Sets and values.
  { what: 'put: a set of bytes with a member twice', build: put({ places: new Set([bytes('a'), bytes('a')]) }) },
  {
    what: 'update: a set of bytes with a member twice',
    build: update('ADD places :set', { ':set': new Set([bytes('a'), bytes('a')]) }),
  },
  {
    what: 'update: taking a member out twice',
    build: update('DELETE places :set', { ':set': new Set([bytes('a'), bytes('a')]) }),
  },
  { what: 'update: an empty set', build: update('ADD places :set', { ':set': new Set() }) },
  {
    what: 'put: a set of two types',
    build: put({ mixed: new Set<unknown>(['a', 1]) }),
    lax: { 'the embedded engine': 'the number becomes text', 'DynamoDB Local': 'the number becomes text' },
  },
  { what: 'put: 32 lists inside each other', build: put({ deep: nested(32) }) },
  { what: 'put: a number of 39 digits', build: put({ n: 123_456_789_012_345_678_901_234_567_890_123_456_789n }) },
  { what: 'put: a number that is too large', build: put({ n: 10n ** 126n }) },
  { what: 'put: a number that is too small', build: put({ n: 1e-131 }) },
  { what: 'put: not a number', build: put({ n: Number.NaN }) },
  { what: 'put: an item of more than 400 KB', build: put({ filler: long(400 * 1_024) }) },
  // Keys.
  { what: 'get: an empty sort key', build: get({ Key: { pk: 'p', sk: '' } }) },
  { what: 'put: an empty partition key', build: put({ pk: '' }) },
  { what: 'get: half a key', build: get({ Key: { pk: 'p' } }) },
  { what: 'get: more than a key', build: get({ Key: { ...key(), more: 1 } }) },
  { what: 'put: no sort key', build: put({ sk: undefined }) },
  { what: 'put: a key that is a number', build: put({ sk: 1 }) },
  { what: 'put: a partition key of 2,049 bytes', build: put({ pk: long(2_049) }) },
  { what: 'put: a sort key of 1,025 bytes', build: put({ sk: long(1_025) }) },
  { what: 'put: a key of an index that is of another type', build: put({ wakePk: 'w', wakeAt: 'text' }) },
  { what: 'put: an empty key of an index', build: put({ wakePk: '', wakeAt: 1 }) },
  {
    what: 'update: a key of an index becomes another type',
    build: update('SET wakePk = :pk, wakeAt = :at', { ':pk': 'w', ':at': 'text' }),
  },
  { what: 'update: the key itself', build: update('SET sk = :sk', { ':sk': 'x' }) },
  { what: 'update: the key, removed', build: update('REMOVE pk') },
  // Names and values of expressions.
  { what: 'update: a value that is not there', build: update('ADD used :two', one) },
  { what: 'update: a value that nothing uses', build: update(counted, { ...one, ':two': 2 }) },
  { what: 'update: a value that is undefined', build: update(counted, { ':one': undefined }) },
  { what: 'update: a name that is not there', build: update('SET #a = :one', one) },
  {
    what: 'update: a name that nothing uses',
    build: update(counted, one, { ExpressionAttributeNames: { '#a': 'a' } }),
  },
  { what: 'put: values without an expression', build: put({}, { ExpressionAttributeValues: one }) },
  { what: 'get: names without an expression', build: get({ ExpressionAttributeNames: { '#a': 'a' } }) },
  { what: 'update: no values at all', build: update(counted, {}) },
  { what: 'update: a placeholder without its sign', build: update('SET a = one', { one: 1 }) },
  { what: 'update: a reserved word', build: update('SET rank = :one', one) },
  {
    what: 'put: a reserved word in a condition',
    build: put({}, { ConditionExpression: 'attribute_not_exists(Count)' }),
  },
  // Expressions.
  { what: 'update: an empty expression', build: update('') },
  { what: 'put: an empty condition', build: put({}, { ConditionExpression: '' }) },
  { what: 'put: a condition that is none', build: put({}, { ConditionExpression: 'attribute_exists(pk' }) },
  {
    what: 'put: a condition of more than 4 KB',
    build: put({}, { ConditionExpression: list(140, (n) => `attribute_not_exists(${long(20)}${n})`).join(' AND ') }),
  },
  {
    what: 'put: a condition of more than 300 operators',
    build: put(
      {},
      { ConditionExpression: list(110, (n) => `NOT a${n} = :o`).join(' AND '), ExpressionAttributeValues: { ':o': 1 } },
    ),
    lax: { 'the embedded engine': 'counts none' },
  },
  { what: 'update: a clause twice', build: update('SET a = :one SET b = :one', one) },
  { what: 'update: one attribute twice', build: update('SET a = :one REMOVE a', one) },
  { what: 'update: an attribute and what is in it', build: update('SET a = :one, a.b = :one', one) },
  { what: 'update: adding text', build: update('ADD a :text', { ':text': 'text' }) },
  { what: 'update: taking a number out of a set', build: update('DELETE a :one', one) },
  { what: 'get: an attribute twice in a projection', build: get({ ProjectionExpression: 'a, a' }) },
  { what: 'get: an empty projection', build: get({ ProjectionExpression: '' }) },
  { what: 'put: an outcome that only an update has', build: put({}, { ReturnValues: 'ALL_NEW' }) },
  // Queries and scans.
  { what: 'query: no condition', build: query({ KeyConditionExpression: undefined }) },
  { what: 'query: no partition', build: query({ KeyConditionExpression: 'sk = :pk' }) },
  { what: 'query: a range of partitions', build: query({ KeyConditionExpression: 'pk > :pk' }) },
  {
    what: 'query: an attribute that is no key',
    build: query({ KeyConditionExpression: 'pk = :pk AND used = :one' }, { ':pk': 'p', ...one }),
  },
  {
    what: 'query: a range the wrong way round',
    build: query({ KeyConditionExpression: 'pk = :pk AND sk BETWEEN :b AND :a' }, { ':pk': 'p', ':a': 'a', ':b': 'b' }),
  },
  {
    what: 'query: a key of another type',
    build: query({}, { ':pk': 1 }),
    lax: { 'the embedded engine': 'finds nothing' },
  },
  { what: 'query: an empty key', build: query({}, { ':pk': '' }), lax: { 'the embedded engine': 'finds nothing' } },
  {
    what: 'query: a number that is text',
    build: query({ ...byWake, KeyConditionExpression: 'wakePk = :pk AND wakeAt <= :n' }, { ':pk': 'p', ':n': '1' }),
    lax: { 'the embedded engine': 'finds nothing' },
  },
  { what: 'query: an index that is not there', build: query({ IndexName: 'none' }) },
  { what: 'query: an index, consistently', build: query({ ...byWake, ConsistentRead: true }) },
  {
    what: 'query: everything of an index that does not copy it',
    build: query({ ...byWake, Select: 'ALL_ATTRIBUTES' }),
  },
  { what: 'query: the projected attributes of no index', build: query({ Select: 'ALL_PROJECTED_ATTRIBUTES' }) },
  { what: 'query: a count with a projection', build: query({ Select: 'COUNT', ProjectionExpression: 'a' }) },
  { what: 'query: specific attributes, without saying which', build: query({ Select: 'SPECIFIC_ATTRIBUTES' }) },
  { what: 'query: a filter on the key', build: query({ FilterExpression: 'sk > :pk' }) },
  { what: 'query: no item at most', build: query({ Limit: 0 }) },
  { what: 'query: behind half a key', build: query({ ExclusiveStartKey: { pk: 'p' } }) },
  {
    what: 'query: an index, behind an item without its entry',
    build: query({ ...byWake, ExclusiveStartKey: key('x') }),
  },
  { what: 'scan: a segment of none', build: scan({ Segment: 0 }) },
  { what: 'scan: a segment beyond the last', build: scan({ Segment: 2, TotalSegments: 2 }) },
  { what: 'scan: an index, consistently', build: scan({ IndexName: 'wake', ConsistentRead: true }) },
  // Batches.
  { what: 'batch of readings: 101 keys', build: batchGet(list(101, (n) => key(`batch ${n}`))) },
  { what: 'batch of readings: a key twice', build: batchGet([key('twice'), key('twice')]) },
  { what: 'batch of readings: no key', build: batchGet([]) },
  { what: 'batch of readings: no table', build: () => new BatchGetCommand({ RequestItems: {} }) },
  { what: 'batch of writes: 26', build: batchWrite(list(26, (n) => ({ PutRequest: { Item: key(`batch ${n}`) } }))) },
  {
    what: 'batch of writes: an item twice',
    build: batchWrite([{ PutRequest: { Item: key('twice') } }, { DeleteRequest: { Key: key('twice') } }]),
  },
  { what: 'batch of writes: none', build: batchWrite([]) },
  {
    what: 'batch of writes: one that is two',
    build: batchWrite([{ PutRequest: { Item: key('a') }, DeleteRequest: { Key: key('b') } }]),
    lax: { 'the embedded engine': 'carries out one of them' },
  },
  // Transactions.
  { what: 'transaction: none', build: transact(() => []) },
  { what: 'transaction: 101 items', build: transact((table) => list(101, (n) => transactedPut(`of 101 ${n}`)(table))) },
  {
    what: 'transaction: an item twice',
    build: transact((table) => [transactedPut('twice')(table), { Delete: { TableName: table, Key: key('twice') } }]),
  },
  {
    what: 'transaction: an item that is checked and written',
    build: transact((TableName) => [
      transactedPut('twice')(TableName),
      { ConditionCheck: { TableName, Key: key('twice'), ConditionExpression: 'attribute_exists(pk)' } },
    ]),
  },
  {
    what: 'transaction: a check without a condition',
    build: transact((TableName) => [{ ConditionCheck: { TableName, Key: key() } }]),
  },
  {
    what: 'transaction: an update without an expression',
    build: transact((TableName) => [{ Update: { TableName, Key: key() } }]),
    lax: { 'DynamoDB Local': 'writes the key alone' },
  },
  {
    what: 'transaction: two writes in one',
    build: transact((TableName) => [{ ...transactedPut()(TableName), Delete: { TableName, Key: key() } }]),
    lax: { 'the embedded engine': 'carries out one of them' },
  },
  {
    what: 'transaction: a set of bytes with a member twice',
    build: transact((TableName) => [
      {
        Update: {
          TableName,
          Key: key(),
          UpdateExpression: 'DELETE places :set',
          ExpressionAttributeValues: { ':set': new Set([bytes('a'), bytes('a')]) },
        },
      },
    ]),
    lax: { 'the embedded engine': 'looks at sets of single writes only' },
  },
  {
    what: 'transaction: a value that nothing uses',
    build: transact((TableName) => [
      {
        Update: { TableName, Key: key(), UpdateExpression: counted, ExpressionAttributeValues: { ...one, ':two': 2 } },
      },
    ]),
  },
  {
    what: 'transaction: a token of 37 characters',
    build: transact((table) => [transactedPut()(table)], { ClientRequestToken: long(37) }),
  },
  {
    what: 'transaction: an empty token',
    build: transact((table) => [transactedPut()(table)], { ClientRequestToken: '' }),
    lax: { 'the embedded engine': 'takes it for none', 'DynamoDB Local': 'takes it for none' },
  },
];
