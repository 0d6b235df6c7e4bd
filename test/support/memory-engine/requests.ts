// What a command of the document client asks for, whatever it is called.

import type { Item } from '../../../shared/adapters/dynamodb/presence/session-item.ts';
import { checkRequest } from './rules/requests.ts';
import { checkStored } from './rules/values.ts';
import { applyUpdate } from './updates.ts';

/** As the document client sends it; read by its name, because the code makes them by name. */
export interface Command {
  readonly constructor: { readonly name: string };
  readonly input: object;
}

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

interface Expressions {
  readonly ConditionExpression?: string;
  readonly UpdateExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Readonly<Record<string, unknown>>;
  readonly ReturnValues?: string;
  readonly ReturnValuesOnConditionCheckFailure?: string;
}

/** One item to be written, or only to be looked at. */
export interface ItemWrite extends Expressions {
  readonly key: Key;
  /** A put's whole item: what it would have written where its condition failed. */
  readonly proposed?: Item;
  /** What stands there afterwards. Throws where that would be no item. */
  readonly after: (before: Item | undefined) => Item | undefined;
}

export interface QueryInput extends Expressions {
  readonly IndexName?: string;
  readonly KeyConditionExpression?: string;
  readonly FilterExpression?: string;
  readonly ProjectionExpression?: string;
  readonly ConsistentRead?: boolean;
  readonly Limit?: number;
  readonly ScanIndexForward?: boolean;
  readonly ExclusiveStartKey?: Item;
}

export type Request =
  | { readonly kind: 'get'; readonly keys: readonly Key[]; readonly consistent: boolean; readonly batchOf?: string }
  | { readonly kind: 'transaction get'; readonly keys: readonly Key[] }
  | { readonly kind: 'query'; readonly query: QueryInput }
  | { readonly kind: 'scan' }
  | { readonly kind: 'write'; readonly write: ItemWrite }
  | { readonly kind: 'batch write'; readonly writes: readonly ItemWrite[] }
  | { readonly kind: 'transaction'; readonly writes: readonly ItemWrite[]; readonly token?: string };

type WriteInput = Expressions & { readonly Item?: Item; readonly Key?: Item };

/** Throws what DynamoDB would answer to a request that it never carries out. */
export function readRequest(command: Command): Request {
  const { input } = command;
  checkRequest(command.constructor.name, input);
  switch (command.constructor.name) {
    case 'GetCommand': {
      const { Key, ConsistentRead } = input as { Key: Item; ConsistentRead?: boolean };
      return { kind: 'get', keys: [keyOf(Key)], consistent: ConsistentRead === true };
    }
    case 'BatchGetCommand': {
      const { RequestItems } = input as {
        RequestItems: Record<string, { Keys: readonly Item[]; ConsistentRead?: boolean }>;
      };
      const [table, wanted] = only(RequestItems);
      return { kind: 'get', keys: wanted.Keys.map(keyOf), consistent: wanted.ConsistentRead === true, batchOf: table };
    }
    case 'TransactGetCommand': {
      const { TransactItems } = input as { TransactItems: readonly { Get: { Key: Item } }[] };
      return { kind: 'transaction get', keys: TransactItems.map(({ Get }) => keyOf(Get.Key)) };
    }
    case 'QueryCommand':
      return { kind: 'query', query: input };
    case 'ScanCommand':
      return { kind: 'scan' };
    case 'PutCommand':
      return { kind: 'write', write: put(input) };
    case 'UpdateCommand':
      return { kind: 'write', write: update(input) };
    case 'DeleteCommand':
      return { kind: 'write', write: remove(input) };
    case 'BatchWriteCommand': {
      const { RequestItems } = input as {
        RequestItems: Record<string, readonly { PutRequest?: WriteInput; DeleteRequest?: WriteInput }[]>;
      };
      const [, requests] = only(RequestItems);
      const writes = requests.map((each) =>
        each.PutRequest === undefined ? remove(each.DeleteRequest ?? {}) : put(each.PutRequest),
      );
      return { kind: 'batch write', writes };
    }
    case 'TransactWriteCommand': {
      const { TransactItems, ClientRequestToken: token } = input as {
        TransactItems: readonly Partial<Record<'Put' | 'Update' | 'Delete' | 'ConditionCheck', WriteInput>>[];
        ClientRequestToken?: string;
      };
      const writes = TransactItems.map((each) => {
        if (each.Put !== undefined) return put(each.Put);
        if (each.Update !== undefined) return update(each.Update);
        if (each.Delete !== undefined) return remove(each.Delete);
        const check = each.ConditionCheck ?? {};
        return { ...check, key: keyOf(check.Key), after: (before: Item | undefined) => before };
      });
      return { kind: 'transaction', writes, ...(token === undefined ? {} : { token }) };
    }
    default:
      throw new Error(`nobody sends ${command.constructor.name} here`);
  }
}

function put(input: WriteInput): ItemWrite {
  const item = defined(input.Item ?? {});
  return { ...input, key: keyOf(item), proposed: item, after: () => item };
}

function update(input: WriteInput): ItemWrite {
  const key = keyOf(input.Key);
  const { UpdateExpression = '', ExpressionAttributeNames: names, ExpressionAttributeValues: values } = input;
  return {
    ...input,
    key,
    after(before) {
      const item = applyUpdate(UpdateExpression, before ?? { ...key }, { names, values });
      checkStored(item);
      return item;
    },
  };
}

function remove(input: WriteInput): ItemWrite {
  return { ...input, key: keyOf(input.Key), after: () => undefined };
}

function keyOf(item: Item | undefined): Key {
  if (typeof item?.pk !== 'string' || typeof item.sk !== 'string') throw new Error('a key is pk and sk');
  return { pk: item.pk, sk: item.sk };
}

/** Who sends asks for no value: the client leaves such attributes out. */
function defined(item: Item): Item {
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined));
}

function only<T>(all: Readonly<Record<string, T>>): readonly [string, T] {
  const [first, second] = Object.entries(all);
  if (first === undefined || second !== undefined) throw new Error('one table at a time');
  return first;
}
