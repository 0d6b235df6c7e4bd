// The few requests that the core sends, carried out in memory: some hundred times as fast as an engine behind HTTP, so
// that many more schedules can be tried. It is believed only because the same schedules leave the same trace on the
// real engine, request by request (engines.test.ts).

import {
  type AttributeValue,
  ConditionalCheckFailedException,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { Item } from '../../shared/adapters/dynamodb/session-item.ts';
import { applyUpdate, holds } from './expressions.ts';
import type { Command } from './gates.ts';
import { itemKey } from './table-view.ts';

type Values = Readonly<Record<string, unknown>>;

interface Input {
  readonly Key?: Item;
  readonly Item?: Item;
  readonly IndexName?: 'wake' | 'due';
  readonly KeyConditionExpression?: string;
  readonly ConditionExpression?: string;
  readonly UpdateExpression?: string;
  readonly ExpressionAttributeValues?: Values;
  readonly ReturnValuesOnConditionCheckFailure?: string;
  readonly Limit?: number;
  readonly ExclusiveStartKey?: Item;
  readonly RequestItems?: Readonly<Record<string, unknown>>;
  readonly TransactItems?: readonly Readonly<Record<string, Input>>[];
}

export class MemoryEngine {
  private readonly items = new Map<string, Item>();

  send(command: Command): Promise<unknown> {
    return new Promise((resolve) => resolve(this.carryOut(command.constructor.name, command.input as Input)));
  }

  private carryOut(name: string, input: Input): unknown {
    switch (name) {
      case 'GetCommand':
        return { Item: this.find(input.Key) };
      case 'BatchGetCommand':
        return this.batchGet(input);
      case 'BatchWriteCommand':
        return this.batchDelete(input);
      case 'ScanCommand':
        return { Items: [...this.items.values()] };
      case 'QueryCommand':
        return this.query(input);
      case 'PutCommand':
      case 'DeleteCommand':
      case 'UpdateCommand':
        return this.write(name, input);
      case 'TransactWriteCommand':
        return this.transact(input);
      default:
        throw new Error(`nobody sends ${name} here`);
    }
  }

  private find(key: Item | undefined): Item | undefined {
    return key === undefined ? undefined : this.items.get(itemKey(key));
  }

  /** All of them or none. Nobody else can be at work meanwhile, so no transaction meets another here. */
  private transact({ TransactItems = [] }: Input): unknown {
    const writes = TransactItems.flatMap((item) => Object.entries(item));
    const refusals = writes.map(([, input]) => this.refusal(input));
    if (refusals.some((refusal) => refusal !== undefined))
      throw new TransactionCanceledException({
        $metadata: {},
        message: 'Transaction cancelled',
        CancellationReasons: refusals.map((shown) =>
          shown === undefined ? { Code: 'None' } : { Code: 'ConditionalCheckFailed', ...shown },
        ),
      });
    for (const [kind, input] of writes) this.write(`${kind}Command`, input);
    return {};
  }

  /** What a refused write is answered with. */
  private refusal(input: Input): { readonly Item?: Record<string, AttributeValue> } | undefined {
    const old = this.find(input.Key ?? { pk: input.Item?.pk, sk: input.Item?.sk });
    const values = input.ExpressionAttributeValues ?? {};
    if (input.ConditionExpression === undefined || holds(input.ConditionExpression, old, values)) return undefined;
    return input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' && old !== undefined ? { Item: marshall(old) } : {};
  }

  private write(name: string, input: Input): unknown {
    const key = input.Key ?? { pk: input.Item?.pk, sk: input.Item?.sk };
    const old = this.find(key);
    const values = input.ExpressionAttributeValues ?? {};
    const shown = this.refusal(input);
    if (shown !== undefined)
      throw new ConditionalCheckFailedException({ $metadata: {}, message: 'The conditional request failed', ...shown });
    if (name === 'DeleteCommand') {
      this.items.delete(itemKey(key));
      return {};
    }
    const next =
      name === 'PutCommand'
        ? defined(input.Item ?? {})
        : applyUpdate(input.UpdateExpression ?? '', { ...key, ...old }, values);
    this.items.set(itemKey(key), next);
    return name === 'UpdateCommand' ? { Attributes: next } : {};
  }

  private query({
    IndexName,
    KeyConditionExpression = '',
    ExpressionAttributeValues = {},
    Limit = Number.POSITIVE_INFINITY,
    ExclusiveStartKey: start,
  }: Input): unknown {
    const sortKey = IndexName === 'wake' ? 'wakeAt' : IndexName === 'due' ? 'dueAt' : 'sk';
    const order = (a: Item, b: Item): number => compare(a[sortKey], b[sortKey]) || compare(itemKey(a), itemKey(b));
    const found = [...this.items.values()]
      .filter((item) => holds(KeyConditionExpression, item, ExpressionAttributeValues))
      // What it begins behind need not be there any more.
      .filter((item) => start === undefined || order(item, start) > 0)
      .sort(order);
    const page = found.slice(0, Limit);
    return { Items: page, LastEvaluatedKey: found.length > page.length ? page.at(-1) : undefined };
  }

  private batchGet({ RequestItems = {} }: Input): unknown {
    const [[table, request] = ['', {}]] = Object.entries(RequestItems);
    const { Keys } = request as { readonly Keys: readonly Item[] };
    return {
      Responses: { [table]: Keys.map((key) => this.find(key)).filter((item) => item !== undefined) },
      UnprocessedKeys: {},
    };
  }

  private batchDelete({ RequestItems = {} }: Input): unknown {
    const [requests = []] = Object.values(RequestItems) as { readonly DeleteRequest: { readonly Key: Item } }[][];
    for (const { DeleteRequest } of requests) this.items.delete(itemKey(DeleteRequest.Key));
    return {};
  }
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}

function defined(item: Item): Item {
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined));
}
