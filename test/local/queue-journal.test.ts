// What is in the queue when its process ends is delivered by the next one.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openJournal } from '../../local/journal.ts';
import { createLocalQueue, type LocalQueue, type LocalQueueOptions, parseKept } from '../../local/queue.ts';
import { until } from '../support/until.ts';
import { createManualTime, type ManualTime } from './manual-time.ts';

let folder: string;
let time: ManualTime;
const closing: (() => void)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headcount-queue-'));
  time = createManualTime();
});
afterEach(() => {
  for (const close of closing.splice(0)) close();
  rmSync(folder, { recursive: true, force: true });
});

const allGood: SQSBatchResponse = { batchItemFailures: [] };
const never = (): Promise<SQSBatchResponse> => new Promise(() => undefined);

interface Run {
  readonly queue: LocalQueue;
  readonly received: string[];
  readonly receives: string[];
}

/** The next process: whoever had the queue before has gone without a word. */
function startQueue(handler: LocalQueueOptions['handler']): Run {
  const received: string[] = [];
  const receives: string[] = [];
  const journal = openJournal(join(folder, 'queue.journal'), parseKept);
  closing.push(() => journal.close());
  const queue = createLocalQueue({
    clock: time.clock,
    schedule: time.schedule,
    journal,
    handler(event: SQSEvent) {
      for (const record of event.Records) {
        received.push(JSON.parse(record.body).name);
        receives.push(record.attributes.ApproximateReceiveCount);
      }
      return handler(event);
    },
  });
  return { queue, received, receives };
}

describe('a queue whose process is gone', () => {
  test('is gone on with: what was sent and not handled comes again, and nothing else', async () => {
    const first = startQueue(async () => allGood);
    await first.queue.send({ name: 'handled' });
    await first.queue.idle();
    const second = startQueue(never);
    await second.queue.send({ name: 'at work' });
    await until(() => expect(second.received).toEqual(['at work']));
    await second.queue.send({ name: 'waiting' });
    await second.queue.send({ name: 'delayed' }, { delaySeconds: 60 });

    const third = startQueue(async () => allGood);
    await third.queue.resume();
    // Also what was to come later: what follows a restart must know of it.
    expect(third.received).toEqual(['at work', 'waiting', 'delayed']);
    // Nobody is left of whom more could be heard: the handlers are told that it has been received before.
    expect(third.receives).toEqual(['3', '3', '3']);
    const fourth = startQueue(async () => allGood);
    await fourth.queue.resume();
    expect(fourth.received).toEqual([]);
  });

  test('hands out nothing before it is told to', async () => {
    await startQueue(never).queue.send({ name: 'left' });
    const next = startQueue(async () => allGood);
    await next.queue.idle();
    expect(next.received).toEqual([]);
    await next.queue.resume();
    expect(next.received).toEqual(['left']);
  });

  test('has been gone on with when all that was left is handled, or has failed for the last time', async () => {
    const first = startQueue(never);
    await first.queue.send({ name: 'good' });
    await first.queue.send({ name: 'bad' });
    let over = false;
    const next = startQueue(async ({ Records }) => ({
      batchItemFailures: Records.filter((record) => record.body.includes('bad')).map(({ messageId }) => ({
        itemIdentifier: messageId,
      })),
    }));
    const resumed = next.queue.resume().then(() => {
      over = true;
    });
    for (const receives of [2, 3]) {
      await until(() => expect(time.pending()).toBe(1));
      expect([over, next.received.length]).toEqual([false, receives]);
      time.advance(1_000);
    }
    await resumed;
    expect(next.queue.deadLetters()).toEqual(['{"name":"bad"}']);
    const later = startQueue(async () => allGood);
    await later.queue.resume();
    expect(later.received).toEqual([]);
  });

  test('that was closed in order keeps what it had not handed out', async () => {
    const first = startQueue(async () => allGood);
    await first.queue.send({ name: 'left' }, { delaySeconds: 5 });
    await first.queue.close();
    const next = startQueue(async () => allGood);
    await next.queue.resume();
    expect([first.received, next.received]).toEqual([[], ['left']]);
  });

  test('has not taken what its journal has not', async () => {
    const { queue } = startQueue(async () => allGood);
    closing.pop()?.();
    await expect(queue.send({ name: 'lost' })).rejects.toThrow('closed');
    const next = startQueue(async () => allGood);
    await next.queue.resume();
    expect(next.received).toEqual([]);
  });
});
