// The unit meter: counts what a client's requests would cost on AWS, from the items themselves. It exists because the
// local engine's own ConsumedCapacity leaves index writes out, and they are half of what an admission costs.
//
// It reads each item through another client before and after the write. So it is exact while requests on one item do
// not run at the same time; where they do, each may be charged with the other's change. It makes every request slower:
// never time and meter in one run.
//
// Index writes inside a transaction are counted once: AWS says they follow after the transaction has completed, and
// names only the two writes of "every item in the transaction". That is read from the documentation, not measured.

import { AsyncLocalStorage } from 'node:async_hooks';
import { BatchGetItemCommand, type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { type Key, type Touch, touchOf, wholeQuery } from './requests.ts';
import { itemBytes, type StoredItem } from './size.ts';
import { baseWriteUnits, indexWriteUnits, type MeteredTable, readUnits } from './units.ts';

export interface Units {
  /** Write units in all. */
  readonly write: number;
  /** Of them, those of indexes. */
  readonly indexWrite: number;
  readonly read: number;
  /** Tries of requests, the SDK's own repetitions included. */
  readonly requests: number;
}

export interface Meter {
  units(): { readonly total: Units; readonly labels: Readonly<Record<string, Units>> };
  /** Everything sent inside `work`, however deep, goes under the label. */
  label<T>(name: string, work: () => Promise<T>): Promise<T>;
  reset(): void;
  /** Takes the meter off the client. */
  detach(): void;
}

export interface MeterOptions {
  readonly tableDefinition: MeteredTable;
  readonly tableName: string;
  /** Not the metered one: what it reads is not charged. */
  readonly rawClient: DynamoDBClient;
}

const none: Units = { write: 0, indexWrite: 0, read: 0, requests: 0 };

/** Refusals that AWS does not charge. A failed condition and a cancelled transaction are charged. */
const uncharged: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ResourceNotFoundException',
  'ThrottlingException',
  'ValidationException',
]);

export function meter(client: DynamoDBDocumentClient, options: MeterOptions): Meter {
  const { tableDefinition: table, tableName, rawClient } = options;
  // A document client shares its stack with the client it was made from: the meter would meter itself, for ever.
  if (Object.is(client.middlewareStack, rawClient.middlewareStack))
    throw new Error('the raw client must be another client');
  const labels = new AsyncLocalStorage<string>();
  const committed = new Set<string>();
  const totals = new Map<string, Units>();
  let total = none;

  function charge(units: Partial<Units>): void {
    const label = labels.getStore();
    total = plus(total, units);
    if (label !== undefined) totals.set(label, plus(totals.get(label) ?? none, units));
  }

  async function images(keys: readonly Key[]): Promise<readonly (StoredItem | undefined)[]> {
    const request = { RequestItems: { [tableName]: { Keys: [...keys], ConsistentRead: true } } };
    const answer = await rawClient.send(new BatchGetItemCommand(request));
    if (Object.keys(answer.UnprocessedKeys ?? {}).length > 0) throw new Error('the meter could not read every item');
    const items = answer.Responses?.[tableName] ?? [];
    return keys.map((key) => items.find((item) => sameKey(item, key)));
  }

  const sameKey = (item: StoredItem, key: Key): boolean =>
    [table.partitionKey, table.sortKey].every((name) => item[name]?.S === key[name]?.S);

  async function write<T>(touch: Touch & { kind: 'write' }, send: () => Promise<T>): Promise<T> {
    const keys = touch.writes.map(({ key }) => key);
    const before = await images(keys);
    const replay = touch.token !== undefined && committed.has(touch.token);
    const settle = async (refused: boolean): Promise<void> => {
      const after = await images(keys);
      for (const [place, { proposed }] of touch.writes.entries()) {
        if (replay) {
          // The token is known: AWS reads what it wrote, and charges that.
          charge({ read: readUnits(bytesOf(after[place]), 'transactional') });
          continue;
        }
        const base = baseWriteUnits(before[place], refused ? (proposed ?? after[place]) : after[place]);
        const moved = table.indexes.reduce(
          (sum, index) => sum + indexWriteUnits(table, index, before[place], after[place]),
          0,
        );
        charge({ write: (touch.transaction ? 2 : 1) * base + moved, indexWrite: moved });
      }
    };
    try {
      const answer = await send();
      await settle(false);
      if (touch.token !== undefined) committed.add(touch.token);
      return answer;
    } catch (error) {
      if (!(error instanceof Error && uncharged.has(error.name))) await settle(true);
      throw error;
    }
  }

  async function read<T>(touch: Touch & { kind: 'get' }, send: () => Promise<T>): Promise<T> {
    const answer = await send();
    const found = await images(touch.keys);
    for (const item of found) charge({ read: readUnits(bytesOf(item), touch.consistency) });
    return answer;
  }

  async function query<T>(touch: Touch & { kind: 'query' }, send: () => Promise<T>): Promise<T> {
    const answer = await send();
    const whole = await rawClient.send(new QueryCommand(wholeQuery(touch.input)));
    const bytes = (whole.Items ?? []).reduce((sum, item) => sum + itemBytes(item), 0);
    charge({ read: readUnits(bytes, touch.input.ConsistentRead === true ? 'consistent' : 'eventual') });
    return answer;
  }

  // After the SDK's retry: each try is charged, as AWS does.
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const touch = touchOf(String(context.commandName), args.input, tableName, table);
      charge({ requests: 1 });
      switch (touch.kind) {
        case 'write':
          return write(touch, () => next(args));
        case 'get':
          return read(touch, () => next(args));
        case 'query':
          return query(touch, () => next(args));
        case 'free':
          return next(args);
      }
    },
    { step: 'finalizeRequest', priority: 'low', name: 'unitMeter' },
  );

  return {
    units: () => ({ total, labels: Object.fromEntries(totals) }),
    label: (name, work) => labels.run(name, work),
    reset() {
      total = none;
      totals.clear();
    },
    detach: () => void client.middlewareStack.remove('unitMeter'),
  };
}

function plus(a: Units, b: Partial<Units>): Units {
  return {
    write: a.write + (b.write ?? 0),
    indexWrite: a.indexWrite + (b.indexWrite ?? 0),
    read: a.read + (b.read ?? 0),
    requests: a.requests + (b.requests ?? 0),
  };
}

const bytesOf = (item: StoredItem | undefined): number => (item === undefined ? 0 : itemBytes(item));
