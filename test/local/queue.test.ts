import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../local/faults.ts';
import { createLocalQueue, type LocalQueueOptions } from '../../local/queue.ts';
import { until } from '../support/until.ts';
import { createManualTime } from './manual-time.ts';

const allGood: SQSBatchResponse = { batchItemFailures: [] };
const namesOf = (event: SQSEvent): string[] => event.Records.map((record) => JSON.parse(record.body).name);

function start(handler: LocalQueueOptions['handler'], options: Partial<LocalQueueOptions> = {}) {
  const time = createManualTime();
  const events: SQSEvent[] = [];
  const queue = createLocalQueue({
    clock: time.clock,
    schedule: time.schedule,
    ...options,
    handler(event) {
      events.push(event);
      return handler(event);
    },
  });
  const sendAll = (count: number) =>
    Promise.all(Array.from({ length: count }, (_, n) => queue.send({ name: `m${n}` })));
  return { time, events, queue, sendAll, received: () => events.flatMap(namesOf) };
}

describe('the local queue', () => {
  test('hands a message on in an event of the shape that SQS has', async () => {
    const { queue, events, time } = start(async () => allGood);
    await queue.send({ name: 'a' });
    await queue.idle();
    const now = String(time.clock.now());
    expect(events).toEqual([
      {
        Records: [
          {
            messageId: expect.any(String),
            receiptHandle: expect.any(String),
            body: '{"name":"a"}',
            attributes: {
              ApproximateReceiveCount: '1',
              SentTimestamp: now,
              SenderId: 'local',
              ApproximateFirstReceiveTimestamp: now,
            },
            messageAttributes: {},
            md5OfBody: '88148e411b9b424a2e0ddf108cb02baa',
            eventSource: 'aws:sqs',
            eventSourceARN: 'arn:aws:sqs:local:000000000000:presence',
            awsRegion: 'local',
          },
        ],
      },
    ]);
  });

  test('makes batches of at most 10, and works on 8 of them at once', async () => {
    const gates: (() => void)[] = [];
    const { queue, events, sendAll, received } = start(
      () => new Promise((resolve) => gates.push(() => resolve(allGood))),
    );
    await sendAll(100);
    await until(() => expect(events).toHaveLength(8));
    expect(events.every((event) => event.Records.length === 10)).toBe(true);
    gates[0]?.();
    await until(() => expect(events).toHaveLength(9));
    await until(() => {
      for (const open of gates) open();
      expect(events).toHaveLength(10);
    });
    for (const open of gates) open();
    await queue.idle();
    expect(new Set(received()).size).toBe(100);
  });

  test('brings again only what the answer names, after a second, counted', async () => {
    let failing = true;
    const { queue, events, sendAll, time } = start(async ({ Records }) => {
      const failed = Records.filter((record) => failing && record.body.includes('m1'));
      return { batchItemFailures: failed.map((record) => ({ itemIdentifier: record.messageId })) };
    });
    await sendAll(3);
    await until(() => expect(time.pending()).toBe(1));
    failing = false;
    time.advance(999);
    expect(events).toHaveLength(1);
    time.advance(1);
    await queue.idle();
    expect(events.map(namesOf)).toEqual([['m0', 'm1', 'm2'], ['m1']]);
    expect(events[1]?.Records[0]?.messageId).toBe(events[0]?.Records[1]?.messageId);
    expect(events[1]?.Records[0]?.attributes.ApproximateReceiveCount).toBe('2');
  });

  test.each([
    ['throws', () => Promise.reject(new Error('no'))],
    ['names a message that was not in it', async () => ({ batchItemFailures: [{ itemIdentifier: 'other' }] })],
    ['names nothing', async () => ({ batchItemFailures: [{ itemIdentifier: '' }] })],
  ])('brings a whole batch again whose handler %s, and after 5 receives puts it aside', async (_, handler) => {
    const { queue, events, sendAll, time } = start(handler);
    await sendAll(2);
    for (let receives = 1; receives < 5; receives += 1) {
      await until(() => expect(time.pending()).toBe(2));
      time.advance(1_000);
    }
    await queue.idle();
    expect(events.map(namesOf)).toEqual(Array(5).fill(['m0', 'm1']));
    expect(queue.deadLetters()).toEqual(['{"name":"m0"}', '{"name":"m1"}']);
  });

  test('idle waits for what is delayed', async () => {
    const { queue, received, time } = start(async () => allGood);
    await queue.send({ name: 'late' }, { delaySeconds: 5 });
    let idle = false;
    const waiting = queue.idle().then(() => {
      idle = true;
    });
    time.advance(4_999);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect([idle, received()]).toEqual([false, []]);
    time.advance(1);
    await waiting;
    expect(received()).toEqual(['late']);
  });

  test('a message can be waited for until it is handled, and no longer than asked', async () => {
    let failing = true;
    const { queue, events, time } = start(async ({ Records }) => ({
      batchItemFailures: failing ? Records.map(({ messageId }) => ({ itemIdentifier: messageId })) : [],
    }));
    const over: string[] = [];
    const short = queue.post({ name: 'short' }, 500).handled.then(() => over.push('short'));
    const long = queue.post({ name: 'long' }, 5_000).handled.then(() => over.push('long'));
    // Two that come again, two that are waited for.
    await until(() => expect(time.pending()).toBe(4));
    expect(over).toEqual([]);
    time.advance(500);
    await short;
    failing = false;
    time.advance(500);
    await long;
    expect(over).toEqual(['short', 'long']);
    expect(events).toHaveLength(2);
    expect(time.pending()).toBe(0);
  });

  test('can be asked for duplicates and another order, the same for the same seed', async () => {
    const run = async (seed: number): Promise<string[]> => {
      const faults = { random: seededRandom(seed), duplicate: 0.3, shuffle: 0.3, delayMs: [0, 500] as const };
      const { queue, sendAll, time, received } = start(async () => allGood, { faults });
      await sendAll(50);
      time.advance(1_000);
      await queue.idle();
      return received();
    };
    const first = await run(1);
    expect(new Set(first).size).toBe(50);
    expect(first.length).toBeGreaterThan(50);
    expect([...new Set(first)]).not.toEqual(Array.from({ length: 50 }, (_, n) => `m${n}`));
    expect(await run(1)).toEqual(first);
    expect(await run(2)).not.toEqual(first);
  });

  test('a duplicate in the batch of its original does not fail the batch', async () => {
    const faults = { random: seededRandom(1), duplicate: 1 };
    const { queue, events, time } = start(
      async ({ Records }) => ({
        batchItemFailures:
          events.length > 1 ? [] : Records.slice(0, 1).map((record) => ({ itemIdentifier: record.messageId })),
      }),
      { faults },
    );
    await queue.send({ name: 'a' });
    await queue.send({ name: 'b' });
    await until(() => expect(time.pending()).toBe(2));
    time.advance(1_000);
    await queue.idle();
    expect(events.map(namesOf)).toEqual([
      ['a', 'a', 'b', 'b'],
      ['a', 'a'],
    ]);
  });

  test('close waits for the handlers that are at work, and then takes nothing more', async () => {
    let finish = (): void => undefined;
    const { queue, sendAll, events } = start(
      () =>
        new Promise((resolve) => {
          finish = () => resolve(allGood);
        }),
    );
    await sendAll(1);
    await until(() => expect(events).toHaveLength(1));
    let closed = false;
    const closing = queue.close().then(() => {
      closed = true;
    });
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(closed).toBe(false);
    finish();
    await closing;
    await expect(queue.send({})).rejects.toThrow('closed');
  });
});
