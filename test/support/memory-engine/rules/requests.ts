// What DynamoDB refuses of a request before it looks at any item: an engine in memory that took more would let tests pass
// over what fails for good on AWS. Each rule is held against the real engines in test/contract/requests.test.ts.
// [AWS: API reference of each operation; Service quotas]

import { tableDefinition } from '../../../../shared/config/table.ts';
import { checkExpressions, readExpression } from './expressions.ts';
import { invalid, require } from './invalid.ts';
import { checkItem, checkKey, definedEntries, isFields } from './values.ts';

type Fields = Readonly<Record<string, unknown>>;

const transactionMax = 100;
const batchReadMax = 100;
const batchWriteMax = 25;
const tokenLengthMax = 36;

const checks: Readonly<Record<string, (input: Fields) => void>> = {
  GetCommand: checkGet,
  PutCommand: (input) => checkWrite('Put', input),
  UpdateCommand: (input) => checkWrite('Update', input),
  DeleteCommand: (input) => checkWrite('Delete', input),
  QueryCommand: checkQuery,
  ScanCommand: checkScan,
  BatchGetCommand: checkBatchGet,
  BatchWriteCommand: checkBatchWrite,
  TransactWriteCommand: checkTransaction,
  TransactGetCommand: checkTransactGet,
};

/** `input`: as the document client takes it. Throws a ValidationException; of other commands than items' it says nothing. */
export function checkRequest(name: string, input: object): void {
  checks[name]?.(input as Fields);
}

const outcomes: Readonly<Record<'Put' | 'Update' | 'Delete', readonly string[]>> = {
  Put: ['NONE', 'ALL_OLD'],
  Delete: ['NONE', 'ALL_OLD'],
  Update: ['NONE', 'ALL_OLD', 'UPDATED_OLD', 'ALL_NEW', 'UPDATED_NEW'],
};

function checkTable({ TableName }: Fields): void {
  require(typeof TableName === 'string' && TableName.length > 0, 'TableName must not be empty');
}

function checkOneOf(what: string, value: unknown, allowed: readonly string[]): void {
  require(value === undefined || allowed.includes(String(value)), `${what} must be one of ${allowed.join(', ')}`);
}

function checkGet(input: Fields): void {
  checkTable(input);
  checkKey(input.Key);
  checkExpressions(input, ['ProjectionExpression']);
}

function checkWrite(kind: 'Put' | 'Update' | 'Delete', input: Fields): void {
  checkTable(input);
  if (kind === 'Put') checkItem(input.Item);
  else checkKey(input.Key);
  checkOneOf('ReturnValues', input.ReturnValues, outcomes[kind]);
  checkOneOf('ReturnValuesOnConditionCheckFailure', input.ReturnValuesOnConditionCheckFailure, ['NONE', 'ALL_OLD']);
  checkExpressions(input, ['ConditionExpression', ...(kind === 'Update' ? ['UpdateExpression'] : [])]);
}

function keyNamesOf({ IndexName }: Fields): readonly string[] {
  if (IndexName === undefined) return [tableDefinition.partitionKey, tableDefinition.sortKey];
  const index = tableDefinition.indexes.find(({ name }) => name === IndexName);
  return index === undefined
    ? invalid(`The table does not have the specified index: ${String(IndexName)}`)
    : [index.partitionKey, index.sortKey];
}

function checkReading(input: Fields, keyNames: readonly string[]): void {
  checkTable(input);
  const ofIndex = input.IndexName !== undefined;
  require(!(
    ofIndex && input.ConsistentRead === true
  ), 'Consistent reads are not supported on global secondary indexes');
  const { Limit: limit, Select: select, ProjectionExpression: projection, ExclusiveStartKey: start } = input;
  const isWhole = limit === undefined || (Number.isInteger(limit) && Number(limit) >= 1);
  require(isWhole, 'Limit must be a whole number of at least 1');
  checkOneOf('Select', select, ['ALL_ATTRIBUTES', 'ALL_PROJECTED_ATTRIBUTES', 'SPECIFIC_ATTRIBUTES', 'COUNT']);
  // None of the table's indexes copies everything.
  require(!(ofIndex && select === 'ALL_ATTRIBUTES'), 'Select type ALL_ATTRIBUTES is not supported for this index');
  require(ofIndex || select !== 'ALL_PROJECTED_ATTRIBUTES', 'ALL_PROJECTED_ATTRIBUTES can be used only with an index');
  const isSpecific = select === undefined || select === 'SPECIFIC_ATTRIBUTES';
  require(projection === undefined ||
    isSpecific, `Cannot specify the ProjectionExpression when choosing to get ${String(select)}`);
  require(projection !== undefined ||
    select !== 'SPECIFIC_ATTRIBUTES', 'Must specify the ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES');
  if (start !== undefined) checkStart(start, keyNames);
}

/** The item's own key, and that of its entry in the index. */
function checkStart(start: unknown, keyNames: readonly string[]): void {
  const problem = 'The provided starting key is invalid';
  require(isFields(start), problem);
  const wanted = new Set(['pk', 'sk', ...keyNames]);
  const names = definedEntries(start).map(([name]) => name);
  require(names.length === wanted.size && names.every((name) => wanted.has(name)), problem);
  checkKey({ pk: start.pk, sk: start.sk });
}

function checkQuery(input: Fields): void {
  const keyNames = keyNamesOf(input);
  checkReading(input, keyNames);
  require(input.KeyConditionExpression !==
    undefined, 'Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.');
  checkExpressions({ ...input, keyNames }, ['KeyConditionExpression', 'FilterExpression', 'ProjectionExpression']);
  checkKeyCondition(input, keyNames);
}

const keyCondition =
  /^\s*([#\w]+)\s*=\s*(:\w+)(?:\s+AND\s+(?:([#\w]+)\s*(=|<=|>=|<|>)\s*(:\w+)|([#\w]+)\s+BETWEEN\s+(:\w+)\s+AND\s+(:\w+)|begins_with\s*\(\s*([#\w]+)\s*,\s*(:\w+)\s*\)))?\s*$/;

/** The partition key is compared with one value; the sort key, where it is named, once. */
function checkKeyCondition(input: Fields, [partitionKey = '', sortKey = '']: readonly string[]): void {
  const found = keyCondition.exec(String(input.KeyConditionExpression));
  require(found !== null, 'Invalid operator used in KeyConditionExpression');
  const [, partition = '', equal = '', one, , oneValue, two, low, high, three, prefix] = found;
  const names = isFields(input.ExpressionAttributeNames) ? input.ExpressionAttributeNames : {};
  const values = isFields(input.ExpressionAttributeValues) ? input.ExpressionAttributeValues : {};
  const nameOf = (part: string): unknown => (part.startsWith('#') ? names[part] : part);
  require(nameOf(partition) === partitionKey, `Query condition missed key schema element: ${partitionKey}`);
  require(values[equal] !== '' &&
    typeof values[equal] ===
      'string', 'One or more parameter values were invalid: Condition parameter type does not match schema type');
  const sort = one ?? two ?? three;
  if (sort === undefined) return;
  require(nameOf(sort) === sortKey, `Query condition missed key schema element: ${sortKey}`);
  const index = tableDefinition.indexes.find(({ name }) => name === input.IndexName);
  const type = index?.sortKeyType ?? 'string';
  for (const value of [oneValue, low, high, prefix].flatMap((name) => (name === undefined ? [] : [values[name]])))
    require(typeof value === type &&
      value !== '', 'One or more parameter values were invalid: Condition parameter type does not match schema type');
  require(prefix === undefined || type === 'string', 'begins_with is not supported for this type');
  if (low === undefined || high === undefined) return;
  const ordered = compare(values[low], values[high]) <= 0;
  require(ordered, 'The BETWEEN operator requires upper bound to be greater than or equal to lower bound');
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number') return a - Number(b);
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}

function checkScan(input: Fields): void {
  checkReading(input, keyNamesOf(input));
  const { Segment: segment, TotalSegments: total } = input;
  const isPair = segment === undefined ? total === undefined : Number(segment) >= 0 && Number(segment) < Number(total);
  require(isPair, 'Segment is at least 0 and less than TotalSegments, and neither stands alone');
  checkExpressions(input, ['FilterExpression', 'ProjectionExpression']);
}

/** No item twice, in whatever way it is named. */
function checkDistinct(keys: readonly { readonly table: string; readonly key: unknown }[], problem: string): void {
  const texts = keys.map(({ table, key }) => {
    const { pk, sk } = key as Fields;
    return JSON.stringify([table, pk, sk]);
  });
  require(new Set(texts).size === texts.length, problem);
}

function tablesOf(input: Fields): readonly (readonly [string, unknown])[] {
  require(isFields(input.RequestItems), 'RequestItems must be a map');
  const tables = definedEntries(input.RequestItems);
  require(tables.length > 0, 'The requestItems parameter is required and must not be empty');
  return tables;
}

function checkBatchGet(input: Fields): void {
  const keys = tablesOf(input).flatMap(([table, wanted]) => {
    require(isFields(wanted) && Array.isArray(wanted.Keys) && wanted.Keys.length > 0, 'Keys must not be empty');
    checkExpressions(wanted, ['ProjectionExpression']);
    for (const key of wanted.Keys) checkKey(key);
    return wanted.Keys.map((key: unknown) => ({ table, key }));
  });
  require(keys.length <= batchReadMax, 'Too many items requested for the BatchGetItem call');
  checkDistinct(keys, 'Provided list of item keys contains duplicates');
}

function checkBatchWrite(input: Fields): void {
  const keys = tablesOf(input).flatMap(([table, requests]) => {
    require(Array.isArray(requests) && requests.length > 0, 'a batch of writes must not be empty');
    return requests.map((request: unknown) => ({ table, key: checkBatched(request) }));
  });
  require(keys.length <= batchWriteMax, `Too many items in the BatchWriteItem call: at most ${batchWriteMax}`);
  checkDistinct(keys, 'Provided list of item keys contains duplicates');
}

function checkBatched(request: unknown): unknown {
  const [[kind, write] = ['', undefined], second] = isFields(request) ? definedEntries(request) : [];
  require(second === undefined &&
    isFields(write), 'Supplied request must contain exactly one of PutRequest, DeleteRequest');
  if (kind === 'PutRequest') checkItem(write.Item);
  else if (kind === 'DeleteRequest') checkKey(write.Key);
  else invalid(`${kind} is no request of a batch`);
  return write.Item ?? write.Key;
}

function checkTransaction({ TransactItems: items, ClientRequestToken: token }: Fields): void {
  require(Array.isArray(items) && items.length > 0, 'TransactItems must have at least one member');
  require(items.length <= transactionMax, `TransactItems must have at most ${transactionMax} members`);
  const isToken =
    token === undefined || (typeof token === 'string' && token.length > 0 && token.length <= tokenLengthMax);
  require(isToken, `ClientRequestToken must have 1 to ${tokenLengthMax} characters`);
  checkDistinct(items.map(checkAction), 'Transaction request cannot include multiple operations on one item');
}

function checkAction(action: unknown): { readonly table: string; readonly key: unknown } {
  const [[kind, write] = ['', undefined], second] = isFields(action) ? definedEntries(action) : [];
  require(second === undefined &&
    isFields(write), 'TransactItems can only contain one of Check, Put, Update or Delete');
  if (kind === 'ConditionCheck') {
    checkTable(write);
    checkKey(write.Key);
    readExpression('ConditionExpression', write.ConditionExpression);
    checkExpressions(write, ['ConditionExpression']);
  } else if (kind === 'Put' || kind === 'Update' || kind === 'Delete') {
    require(write.ReturnValues === undefined, 'a write of a transaction has no ReturnValues');
    if (kind === 'Update') readExpression('UpdateExpression', write.UpdateExpression);
    checkWrite(kind, write);
  } else invalid(`${kind} is no part of a transaction`);
  return { table: String(write.TableName), key: write.Item ?? write.Key };
}

function checkTransactGet({ TransactItems: items }: Fields): void {
  require(Array.isArray(items) && items.length > 0, 'TransactItems must have at least one member');
  require(items.length <= transactionMax, `TransactItems must have at most ${transactionMax} members`);
  const keys = items.map((item: unknown) => {
    const get = isFields(item) ? item.Get : undefined;
    require(isFields(get), 'TransactItems can only contain Get');
    checkGet(get);
    return { table: String(get.TableName), key: get.Key };
  });
  checkDistinct(keys, 'Transaction request cannot include multiple operations on one item');
}
