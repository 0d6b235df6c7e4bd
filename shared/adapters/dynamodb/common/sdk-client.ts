// The same commands through the SDK's client, for the API, operations and all that walks the table: what no client at a
// broker waits for. Its chain of middleware is made once for each operation: to make it anew takes a quarter of a request.

import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactGetItemsCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { type DynamoErrorShape, measureFailure, measureTries } from './answering.ts';
import type { ClientOptions } from './client.ts';
import type { Command, DocumentClient, Operation } from './commands.ts';
import { convertItems, type Fields, itemPlaces } from './item-places.ts';

type Handler = (command: object) => Promise<{ readonly output: Fields & DynamoErrorShape }>;
interface Sendable {
  resolveMiddleware(...from: [DynamoDBClient['middlewareStack'], DynamoDBClient['config'], object?]): Handler;
}
type Make = (input: unknown) => Sendable;

function make<I>(SdkCommand: new (input: I) => object): Make {
  // The converted input is what the SDK's own document client would make of it; no type says so of either.
  return (converted) => new SdkCommand(converted as I) as Sendable;
}

const commands: Readonly<Record<Operation, Make>> = {
  BatchGetItem: make(BatchGetItemCommand),
  BatchWriteItem: make(BatchWriteItemCommand),
  DeleteItem: make(DeleteItemCommand),
  GetItem: make(GetItemCommand),
  PutItem: make(PutItemCommand),
  Query: make(QueryCommand),
  Scan: make(ScanCommand),
  TransactGetItems: make(TransactGetItemsCommand),
  TransactWriteItems: make(TransactWriteItemsCommand),
  UpdateItem: make(UpdateItemCommand),
};

const toItem = (item: Fields): Fields => marshall(item, { removeUndefinedValues: true });
const fromItem = (item: Fields): Fields => unmarshall(item as Parameters<typeof unmarshall>[0]);

export interface SdkClient extends DocumentClient {
  /** For what manages tables. */
  readonly plain: DynamoDBClient;
  destroy(): void;
}

export function createSdkClient(options: ClientOptions): SdkClient {
  const { measure } = options;
  const plain = createPlainClient(options);
  // It makes a copy of every request and answer without what is secret, also where nobody logs.
  plain.middlewareStack.remove('loggerMiddleware');
  const handlers = new Map<Operation, Handler>();

  async function send<Output>({ operation, input }: Command<object, Output>): Promise<Output> {
    const places = itemPlaces[operation];
    const command = commands[operation](convertItems(input, places.input, toItem));
    let handler = handlers.get(operation);
    if (handler === undefined) {
      handler = command.resolveMiddleware(plain.middlewareStack, plain.config);
      handlers.set(operation, handler);
    }
    try {
      const { output } = await handler(command);
      measureTries(measure, output.$metadata?.attempts);
      return convertItems(output, places.output, fromItem) as Output;
    } catch (error) {
      measureFailure(measure, error);
      throw error;
    }
  }
  return { plain, send, destroy: () => plain.destroy() };
}

function createPlainClient(options: ClientOptions): DynamoDBClient {
  const agent = { keepAlive: true, maxSockets: options.maxSockets ?? 64 };
  return new DynamoDBClient({
    maxAttempts: options.maxAttempts ?? 2,
    requestHandler: {
      // On one machine a burst waits for processor time, not for a network that may be gone.
      connectionTimeout:
        options.endpoint === undefined ? Math.min(1_000, options.requestTimeoutMs) : options.requestTimeoutMs,
      requestTimeout: options.requestTimeoutMs,
      // Without it the SDK only logs that a call takes too long, and goes on waiting.
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    },
    ...(options.region === undefined ? {} : { region: options.region }),
    // A local engine takes any signature, but the SDK signs only with something.
    ...(options.endpoint === undefined
      ? {}
      : {
          endpoint: options.endpoint,
          region: options.region ?? 'local',
          credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
        }),
  });
}
