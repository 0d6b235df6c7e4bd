// DynamoDB in memory, as far as this product asks it: what each request means, and nothing of how long it takes; what it
// costs say charges.ts and the table. It is believed only because the contracts of the stores hold on it as on the real engines.

import {
  type CancellationReason,
  ConditionalCheckFailedException,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { Item } from '../../../shared/adapters/dynamodb/presence/session-item.ts';
import { holds } from './conditions.ts';
import { type Command, type ItemWrite, type QueryInput, readRequest } from './requests.ts';
import { type Page, Table } from './table.ts';

export class MemoryEngine {
  readonly table = new Table();

  send(command: Command): Promise<unknown> {
    return new Promise((resolve) => resolve(this.carryOut(command)));
  }

  private carryOut(command: Command): unknown {
    const { table } = this;
    const request = readRequest(command);
    switch (request.kind) {
      case 'get': {
        const found = request.keys.map((key) => table.find(key));
        return request.batchOf === undefined ? { Item: found[0] } : batchAnswer(request.batchOf, found, []);
      }
      case 'transaction get':
        return { Responses: request.keys.map((key) => ({ Item: table.find(key) })) };
      case 'query':
        return queryAnswer(request.query, table.query(request.query));
      case 'scan':
        return { Items: [...table.items()] };
      case 'write': {
        const { write } = request;
        if (!table.allows(write)) throw refusal(write, table.find(write.key));
        const after = this.outcome(write);
        table.store(write.key, after);
        return writeAnswer(write, after);
      }
      case 'batch write':
        for (const write of request.writes) table.store(write.key, this.outcome(write));
        return {};
      case 'transaction': {
        const reasons = request.writes.map((write) => reasonOf(write, table));
        if (reasons.some(({ Code }) => Code !== 'None')) throw cancellation(reasons);
        // All of them or none: nothing is stored before all are known to fit.
        const afters = request.writes.map((write) => this.outcome(write));
        for (const [n, write] of request.writes.entries()) table.store(write.key, afters[n]);
        return {};
      }
    }
  }

  private outcome(write: ItemWrite): Item | undefined {
    return write.after(this.table.find(write.key));
  }
}

export function batchAnswer(
  table: string,
  found: readonly (Item | undefined)[],
  unread: readonly { readonly pk: string; readonly sk: string }[],
): unknown {
  return {
    Responses: { [table]: found.filter((item) => item !== undefined) },
    UnprocessedKeys: unread.length === 0 ? {} : { [table]: { Keys: unread } },
  };
}

/** A filter leaves out of what was read, and a projection shows less of it; a page ends where it would end without. */
export function queryAnswer(query: QueryInput, page: Page): unknown {
  const given = { names: query.ExpressionAttributeNames, values: query.ExpressionAttributeValues };
  const { FilterExpression: filter } = query;
  const items = filter === undefined ? page.items : page.items.filter((item) => holds(filter, item, given));
  return { Items: items, LastEvaluatedKey: page.last };
}

export function writeAnswer(write: ItemWrite, after: Item | undefined): unknown {
  return write.ReturnValues === 'ALL_NEW' ? { Attributes: after } : {};
}

export function refusal(write: ItemWrite, found: Item | undefined): Error {
  return new ConditionalCheckFailedException({
    $metadata: {},
    message: 'The conditional request failed',
    ...shownItem(write, found),
  });
}

function shownItem(write: ItemWrite, found: Item | undefined): Pick<CancellationReason, 'Item'> {
  return write.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' && found !== undefined
    ? { Item: marshall(found) }
    : {};
}

/** What a transaction is told of one of its writes: `None`, or that its condition failed, and by which item. */
export function reasonOf(write: ItemWrite, table: Table): CancellationReason {
  if (table.allows(write)) return { Code: 'None' };
  return { Code: 'ConditionalCheckFailed', ...shownItem(write, table.find(write.key)) };
}

export function cancellation(reasons: readonly CancellationReason[]): Error {
  return new TransactionCanceledException({
    $metadata: {},
    message: `Transaction cancelled [${reasons.map(({ Code }) => Code).join(', ')}]`,
    CancellationReasons: [...reasons],
  });
}
