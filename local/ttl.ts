// Does what DynamoDB does by itself and the local engine does not: removes items whose time to live is past, and tells
// of it as the table's stream would. Garbage collection only; nothing counts on when it happens.

import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { tableDefinition } from '../shared/config/table.ts';
import type { Clock } from '../shared/ports/common/clock.ts';
import type { Log } from '../shared/ports/common/log.ts';
import { realSchedule, type Schedule } from './schedule.ts';
import { buildTtlRemoval } from './ttl-removal.ts';

export interface TtlJanitorOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly everyMinutes: number;
  /** Stands for the function that reads the table's stream; records that it names as failed come again. */
  readonly onRemoved?: (event: DynamoDBStreamEvent) => Promise<DynamoDBBatchResponse>;
  readonly schedule?: Schedule;
}

export interface TtlJanitor {
  /** Resolves to the number of items removed. */
  runOnce(): Promise<number>;
  /** Resolves when a run that is under way has ended. */
  stop(): Promise<void>;
}

const { partitionKey, sortKey, timeToLive } = tableDefinition;
const recordsAtOnce = 100;
/** A stream keeps its records for a day; here so many wait for a function that fails. */
const recordsKept = 10_000;

/** Starts at once; its timer never keeps the process alive. */
export function startTtlJanitor(options: TtlJanitorOptions): TtlJanitor {
  const { client, tableName, clock, log, everyMinutes, schedule = realSchedule } = options;
  const names = { '#ttl': timeToLive };
  let untold: DynamoDBRecord[] = [];

  // Conditional on the time still being past: an item that was written again since the scan read it stays. Should the
  // process die in between, the item stays too, and the next run finds it.
  async function removeItem(key: Record<string, AttributeValue>, now: string): Promise<number> {
    try {
      await client.send(
        new DeleteItemCommand({
          TableName: tableName,
          Key: key,
          ConditionExpression: '#ttl < :now',
          ExpressionAttributeNames: names,
          ExpressionAttributeValues: { ':now': { N: now } },
        }),
      );
      if (options.onRemoved !== undefined) untold.push(buildTtlRemoval(key, clock.now()));
      return 1;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return 0;
      throw error;
    }
  }

  async function runOnce(): Promise<number> {
    const now = String(Math.floor(clock.now() / 1000));
    let removed = 0;
    let start: Record<string, AttributeValue> | undefined;
    do {
      const page = await client.send(
        new ScanCommand({
          TableName: tableName,
          ...(start === undefined ? {} : { ExclusiveStartKey: start }),
          ProjectionExpression: '#pk, #sk',
          FilterExpression: '#ttl < :now',
          ExpressionAttributeNames: { ...names, '#pk': partitionKey, '#sk': sortKey },
          ExpressionAttributeValues: { ':now': { N: now } },
        }),
      );
      for (const key of page.Items ?? []) removed += await removeItem(key, now);
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
    await tellRemoved();
    return removed;
  }

  /** What fails is kept, and told again after the next run. */
  async function tellRemoved(): Promise<void> {
    const records = untold;
    untold = [];
    for (let from = 0; from < records.length; from += recordsAtOnce) {
      const batch = records.slice(from, from + recordsAtOnce);
      const answer = await options.onRemoved?.({ Records: batch }).catch(() => undefined);
      const failed = new Set(answer?.batchItemFailures.map((failure) => failure.itemIdentifier));
      untold.push(
        ...batch.filter((record) => answer === undefined || failed.has(record.dynamodb?.SequenceNumber ?? '')),
      );
    }
    untold = untold.slice(-recordsKept);
  }

  let stopped = false;
  let running: Promise<void> = Promise.resolve();
  let cancel = (): void => undefined;
  const arm = (): void => {
    if (stopped) return;
    cancel = schedule(() => {
      running = runOnce()
        .then(
          (removed) => log.info('expired items removed', { removed }),
          (error: unknown) => log.warn('expired items not removed', { error: String(error) }),
        )
        .then(arm);
    }, everyMinutes * 60_000);
  };
  arm();

  return {
    runOnce,
    async stop() {
      stopped = true;
      cancel();
      await running;
    },
  };
}
