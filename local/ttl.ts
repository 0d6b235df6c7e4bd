// Does what DynamoDB does by itself and the local engine does not: removes items whose time to live is past. Garbage
// collection only; nothing counts on when it happens.

import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { tableDefinition } from '../shared/config/table.ts';
import type { Clock } from '../shared/ports/common/clock.ts';
import type { Log } from '../shared/ports/common/log.ts';
import { realSchedule, type Schedule } from './schedule.ts';

export interface TtlJanitorOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly everyMinutes: number;
  readonly schedule?: Schedule;
}

export interface TtlJanitor {
  /** Resolves to the number of items removed. */
  runOnce(): Promise<number>;
  /** Resolves when a run that is under way has ended. */
  stop(): Promise<void>;
}

const { partitionKey, sortKey, timeToLive } = tableDefinition;

/** Starts at once; its timer never keeps the process alive. */
export function startTtlJanitor(options: TtlJanitorOptions): TtlJanitor {
  const { client, tableName, clock, log, everyMinutes, schedule = realSchedule } = options;
  const names = { '#ttl': timeToLive };

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
    return removed;
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
