// DynamoDB in memory, as far as this product asks it: what each request means, and nothing of what it costs or how long
// it takes. It is believed only because the contracts of the stores hold on it as on the real engines.

import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { Item } from '../../shared/adapters/dynamodb/session-item.ts';
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
      case 'query':
        return queryAnswer(request.query, table.query(request.query));
      case 'scan':
        return { Items: [...table.items()] };
      case 'write':
        if (!table.allows(request.write)) throw refusal(request.write, table.find(request.write.key));
        return writeAnswer(request.write, this.apply(request.write));
      case 'batch write':
        for (const write of request.writes) this.apply(write);
        return {};
      case 'transaction': {
        const allowed = request.writes.map((write) => table.allows(write));
        if (allowed.includes(false))
          throw cancellation(allowed.map((each) => (each ? 'None' : 'ConditionalCheckFailed')));
        for (const write of request.writes) this.apply(write);
        return {};
      }
    }
  }

  private apply(write: ItemWrite): Item | undefined {
    const after = write.after(this.table.find(write.key));
    this.table.store(write.key, after);
    return after;
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
  const shown =
    write.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' && found !== undefined ? { Item: marshall(found) } : {};
  return new ConditionalCheckFailedException({ $metadata: {}, message: 'The conditional request failed', ...shown });
}

export function cancellation(codes: readonly string[]): Error {
  return new TransactionCanceledException({
    $metadata: {},
    message: `Transaction cancelled [${codes.join(', ')}]`,
    CancellationReasons: codes.map((Code) => ({ Code })),
  });
}
