// Where items lie in the requests and the answers of DynamoDB: those are converted, everything else is sent as it is.

import type { Operation } from './commands.ts';

/** This is an item, or in these fields, `*` for each of a list or record. */
export type Places = 'item' | { readonly [field: string]: Places };

const keyed = { Key: 'item', ExpressionAttributeValues: 'item' } as const;
const asked = { ExclusiveStartKey: 'item', ExpressionAttributeValues: 'item' } as const;
const found = { Items: { '*': 'item' }, LastEvaluatedKey: 'item' } as const;
const put = { Item: 'item', ExpressionAttributeValues: 'item' } as const;
const changed = { Attributes: 'item' } as const;
const manyKeys = { '*': { Keys: { '*': 'item' } } } as const;
const manyWrites = { '*': { '*': { PutRequest: { Item: 'item' }, DeleteRequest: { Key: 'item' } } } } as const;
const transactWrite = { Put: put, Update: keyed, Delete: keyed, ConditionCheck: keyed } as const;

export const itemPlaces: Readonly<Record<Operation, { readonly input: Places; readonly output: Places }>> = {
  BatchGetItem: {
    input: { RequestItems: manyKeys },
    output: { Responses: { '*': { '*': 'item' } }, UnprocessedKeys: manyKeys },
  },
  BatchWriteItem: { input: { RequestItems: manyWrites }, output: { UnprocessedItems: manyWrites } },
  DeleteItem: { input: keyed, output: changed },
  GetItem: { input: keyed, output: { Item: 'item' } },
  PutItem: { input: put, output: changed },
  Query: { input: asked, output: found },
  Scan: { input: asked, output: found },
  TransactGetItems: {
    input: { TransactItems: { '*': { Get: { Key: 'item' } } } },
    output: { Responses: { '*': { Item: 'item' } } },
  },
  TransactWriteItems: { input: { TransactItems: { '*': transactWrite } }, output: {} },
  UpdateItem: { input: keyed, output: changed },
};

export type Fields = Record<string, unknown>;

/** A copy in which the items are converted; everything else is as it was. */
export function convertItems(value: unknown, places: Places, convert: (item: Fields) => Fields): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (places === 'item') return convert(value as Fields);
  const each = places['*'];
  if (each !== undefined) {
    if (Array.isArray(value)) return value.map((one) => convertItems(one, each, convert));
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, convertItems(one, each, convert)]));
  }
  const copy: Fields = { ...value };
  for (const name in places) {
    const inside = places[name];
    if (inside !== undefined && copy[name] !== undefined) copy[name] = convertItems(copy[name], inside, convert);
  }
  return copy;
}
