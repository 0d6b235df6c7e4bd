// The document client's `send`, for less of the processor's time: a CONNECT is some requests, and each of them is mostly
// the SDK's own work. The document client makes the chain of middleware anew for every request, because its commands bring
// middleware of their own, and refuses `cacheMiddleware` for that. Here its commands are turned into the ones they stand
// for, values converted by the SDK's own converters, and those have one chain each, made once.

import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand as QueryItemsCommand,
  ScanCommand as ScanItemsCommand,
  TransactGetItemsCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactGetCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';

/** Where values lie in a request or an answer: this is an item, or in these fields, `*` for each of a list or record. */
type Where = 'item' | { readonly [field: string]: Where };
type Handler = (command: object) => Promise<{ readonly output: unknown }>;
interface Sendable {
  resolveMiddleware(...from: [DynamoDBClient['middlewareStack'], DynamoDBClient['config'], object?]): Handler;
}
interface Kind {
  readonly create: (input: unknown) => Sendable;
  readonly input: Where;
  readonly output: Where;
}

const keyed = { Key: 'item', ExpressionAttributeValues: 'item' } as const;
const asked = { ExclusiveStartKey: 'item', ExpressionAttributeValues: 'item' } as const;
const found = { Items: { '*': 'item' }, LastEvaluatedKey: 'item' } as const;
const put = { Item: 'item', ExpressionAttributeValues: 'item' } as const;
const manyKeys = { '*': { Keys: { '*': 'item' } } } as const;
const manyWrites = { '*': { '*': { PutRequest: { Item: 'item' }, DeleteRequest: { Key: 'item' } } } } as const;
const transactWrite = { Put: put, Update: keyed, Delete: keyed, ConditionCheck: keyed } as const;

function kind<I>(Command: new (input: I) => object, input: Where, output: Where): Kind {
  // The converted input is what the SDK's own document client would make of it; no type says so of either.
  return { create: (converted) => new Command(converted as I) as Sendable, input, output };
}

const kinds: ReadonlyMap<unknown, Kind> = new Map<unknown, Kind>([
  [GetCommand, kind(GetItemCommand, keyed, { Item: 'item' })],
  [PutCommand, kind(PutItemCommand, put, { Attributes: 'item' })],
  [UpdateCommand, kind(UpdateItemCommand, keyed, { Attributes: 'item' })],
  [DeleteCommand, kind(DeleteItemCommand, keyed, { Attributes: 'item' })],
  [QueryCommand, kind(QueryItemsCommand, asked, found)],
  [ScanCommand, kind(ScanItemsCommand, asked, found)],
  [
    BatchGetCommand,
    kind(
      BatchGetItemCommand,
      { RequestItems: manyKeys },
      { Responses: { '*': { '*': 'item' } }, UnprocessedKeys: manyKeys },
    ),
  ],
  [BatchWriteCommand, kind(BatchWriteItemCommand, { RequestItems: manyWrites }, { UnprocessedItems: manyWrites })],
  [
    TransactGetCommand,
    kind(
      TransactGetItemsCommand,
      { TransactItems: { '*': { Get: { Key: 'item' } } } },
      { Responses: { '*': { Item: 'item' } } },
    ),
  ],
  [TransactWriteCommand, kind(TransactWriteItemsCommand, { TransactItems: { '*': transactWrite } }, {})],
]);

type Fields = Record<string, unknown>;

/** A copy in which the items are converted; everything else is as it was. */
function convert(value: unknown, where: Where, ofItem: (item: Fields) => Fields): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (where === 'item') return ofItem(value as Fields);
  const { '*': each, ...fields } = where;
  if (each !== undefined) {
    if (Array.isArray(value)) return value.map((one) => convert(one, each, ofItem));
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, convert(one, each, ofItem)]));
  }
  const copy: Fields = { ...value };
  for (const [name, inside] of Object.entries(fields))
    if (copy[name] !== undefined) copy[name] = convert(copy[name], inside, ofItem);
  return copy;
}

const toItem = (item: Fields): Fields => marshall(item, { removeUndefinedValues: true });
const fromItem = (item: Fields): Fields => unmarshall(item as Parameters<typeof unmarshall>[0]);

/** Gives `document`, made of `client`, a quicker `send` for the commands above; all others go the way they went. */
export function sendQuickly(document: DynamoDBDocumentClient, client: DynamoDBClient): void {
  const { middlewareStack: stack } = client;
  const handlers = new Map<unknown, Handler>();
  // Whoever listens in later is heard all the same.
  for (const name of ['add', 'addRelativeTo', 'use', 'remove', 'removeByTag'] as const)
    Reflect.set(
      stack,
      name,
      new Proxy(stack[name], {
        apply(change, self, args) {
          handlers.clear();
          return Reflect.apply(change, self, args);
        },
      }),
    );
  const usual = document.send.bind(document);
  async function send(command: { readonly constructor: unknown; readonly input: unknown }, ...more: unknown[]) {
    const known = kinds.get(command.constructor);
    if (known === undefined || more.length > 0) return Reflect.apply(usual, document, [command, ...more]);
    const made = known.create(convert(command.input, known.input, toItem));
    let handler = handlers.get(command.constructor);
    if (handler === undefined) {
      handler = made.resolveMiddleware(stack, client.config);
      handlers.set(command.constructor, handler);
    }
    return handler(made).then(({ output }) => convert(output, known.output, fromItem));
  }
  Reflect.set(document, 'send', send);
}
