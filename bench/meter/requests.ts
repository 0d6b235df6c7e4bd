// What a request touches, read from its low-level input: the items it writes, the items it reads. A request that the
// meter does not know is an error, never free.

import type {
  AttributeValue,
  BatchGetItemCommandInput,
  BatchWriteItemCommandInput,
  DeleteItemCommandInput,
  GetItemCommandInput,
  PutItemCommandInput,
  QueryCommandInput,
  TransactGetItemsCommandInput,
  TransactWriteItemsCommandInput,
  UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import type { StoredItem } from './size.ts';
import type { Consistency, MeteredTable } from './units.ts';

export type Key = Record<string, AttributeValue>;

export interface ItemWrite {
  readonly key: Key;
  /** A put's whole item: what it would have written where its condition failed. */
  readonly proposed?: StoredItem;
}

export type Touch =
  | {
      readonly kind: 'write';
      readonly writes: readonly ItemWrite[];
      readonly transaction: boolean;
      readonly token?: string;
    }
  | { readonly kind: 'get'; readonly keys: readonly Key[]; readonly consistency: Consistency }
  | { readonly kind: 'query'; readonly input: QueryCommandInput }
  | { readonly kind: 'free' };

const controlPlane: ReadonlySet<string> = new Set([
  'CreateTableCommand',
  'DeleteTableCommand',
  'DescribeTableCommand',
  'DescribeTimeToLiveCommand',
  'ListTablesCommand',
  'UpdateTimeToLiveCommand',
]);

export function touchOf(command: string, input: unknown, tableName: string, table: MeteredTable): Touch {
  const put = (item: StoredItem | undefined): ItemWrite => ({ key: keyOf(item ?? {}, table), proposed: item ?? {} });
  const at = (key: Key | undefined): ItemWrite => ({ key: key ?? {} });
  const single = (write: ItemWrite): Touch => ({ kind: 'write', writes: [write], transaction: false });
  const consistencyOf = (consistent: boolean | undefined): Consistency =>
    consistent === true ? 'consistent' : 'eventual';

  switch (command) {
    case 'PutItemCommand':
      return single(put((input as PutItemCommandInput).Item));
    case 'UpdateItemCommand':
      return single(at((input as UpdateItemCommandInput).Key));
    case 'DeleteItemCommand':
      return single(at((input as DeleteItemCommandInput).Key));
    case 'BatchWriteItemCommand': {
      const requests = (input as BatchWriteItemCommandInput).RequestItems?.[tableName] ?? [];
      const writes = requests.map((each) =>
        each.PutRequest === undefined ? at(each.DeleteRequest?.Key) : put(each.PutRequest.Item),
      );
      return { kind: 'write', writes, transaction: false };
    }
    case 'TransactWriteItemsCommand': {
      const { TransactItems = [], ClientRequestToken: token } = input as TransactWriteItemsCommandInput;
      const writes = TransactItems.map((each) =>
        each.Put === undefined ? at((each.Update ?? each.Delete ?? each.ConditionCheck)?.Key) : put(each.Put.Item),
      );
      return { kind: 'write', writes, transaction: true, ...(token === undefined ? {} : { token }) };
    }
    case 'GetItemCommand': {
      const { Key, ConsistentRead } = input as GetItemCommandInput;
      return { kind: 'get', keys: [Key ?? {}], consistency: consistencyOf(ConsistentRead) };
    }
    case 'BatchGetItemCommand': {
      const wanted = (input as BatchGetItemCommandInput).RequestItems?.[tableName];
      return { kind: 'get', keys: wanted?.Keys ?? [], consistency: consistencyOf(wanted?.ConsistentRead) };
    }
    case 'TransactGetItemsCommand': {
      const { TransactItems = [] } = input as TransactGetItemsCommandInput;
      return { kind: 'get', keys: TransactItems.map((each) => each.Get?.Key ?? {}), consistency: 'transactional' };
    }
    case 'QueryCommand':
      return { kind: 'query', input: input as QueryCommandInput };
    default:
      if (controlPlane.has(command)) return { kind: 'free' };
      throw new Error(`the unit meter does not know ${command}`);
  }
}

function keyOf(item: StoredItem, table: MeteredTable): Key {
  const names = [table.partitionKey, table.sortKey];
  return Object.fromEntries(Object.entries(item).filter(([name]) => names.includes(name)));
}

/** The same query for whole items: filters and projections change what is answered, not what is charged. */
export function wholeQuery(input: QueryCommandInput): QueryCommandInput {
  const {
    FilterExpression: _f,
    ProjectionExpression: _p,
    Select: _s,
    ExpressionAttributeNames,
    ExpressionAttributeValues,
    ...kept
  } = input;
  const used = new Set((input.KeyConditionExpression ?? '').match(/[#:][A-Za-z0-9_]+/g));
  const only = <T>(all: Record<string, T> | undefined): Record<string, T> =>
    Object.fromEntries(Object.entries(all ?? {}).filter(([name]) => used.has(name)));
  const names = only(ExpressionAttributeNames);
  const values = only(ExpressionAttributeValues);
  return {
    ...kept,
    ...(Object.keys(names).length === 0 ? {} : { ExpressionAttributeNames: names }),
    ...(Object.keys(values).length === 0 ? {} : { ExpressionAttributeValues: values }),
  };
}
