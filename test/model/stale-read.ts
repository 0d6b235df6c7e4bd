// Eventually consistent reads, answered from the table as it stood some writes ago: the engine here is always up to
// date, DynamoDB is not. Each key of a batch may lag by its own measure, and so may an index.

import type { Item } from '../../shared/adapters/dynamodb/presence/session-item.ts';
import type { StoreCall } from './gates.ts';
import { type TableView, viewOf } from './table-view.ts';

type Keys = readonly { readonly pk: string; readonly sk: string }[];

/** `history`: earlier states of the table, the latest last. `draw` says how far back each part of the answer lies. */
export function answerStale(call: StoreCall, history: readonly TableView[], draw: number): unknown {
  const { input } = call.command;
  const lag = (part: number): TableView =>
    history[history.length - 1 - (Math.floor(draw / (part + 1)) % history.length)] ?? viewOf([]);
  if ('RequestItems' in input) {
    const asked = input.RequestItems as Readonly<Record<string, { readonly Keys: Keys }>>;
    const [table, { Keys: keys }] = Object.entries(asked)[0] ?? ['', { Keys: [] }];
    const found = keys
      .map(({ pk, sk }, part) => lag(part).items.get(`${pk}\n${sk}`))
      .filter((item) => item !== undefined);
    return { Responses: { [table]: found }, UnprocessedKeys: {} };
  }
  if ('IndexName' in input && 'Limit' in input) return { Items: queryIndex(input, lag(0)) };
  throw new Error(`${call.name} has no stale answer here`);
}

/** A look into the wake index that finds nothing. */
export function findsNoWake({ command }: StoreCall, view: TableView): boolean {
  const { input } = command;
  return 'IndexName' in input && input.IndexName === 'wake' && queryIndex(input, view).length === 0;
}

function queryIndex(input: object, view: TableView): Item[] {
  const query = input as {
    IndexName: 'wake' | 'due';
    Limit: number;
    ExpressionAttributeValues: Readonly<Record<string, unknown>>;
  };
  const [pk, sk] = query.IndexName === 'wake' ? (['wakePk', 'wakeAt'] as const) : (['duePk', 'dueAt'] as const);
  const until = Number(query.ExpressionAttributeValues[':until'] ?? Number.POSITIVE_INFINITY);
  return [...view.items.values()]
    .filter((item) => item[pk] === query.ExpressionAttributeValues[':pk'] && Number(item[sk]) <= until)
    .sort((a, b) => Number(a[sk]) - Number(b[sk]))
    .slice(0, query.Limit);
}
