// Stands for an SQS standard queue, its event source mapping and its dead-letter queue: at least once, unordered,
// batches of up to ten, partial batch answers. As durable as its journal: what was sent and not yet handled when the
// process ended, however it ended, is delivered by the next one.

import { createHash, randomUUID } from 'node:crypto';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { Clock } from '../shared/ports/common/clock.ts';
import { type Faults, withFaults } from './faults.ts';
import { type Journal, noJournal } from './journal.ts';
import { realSchedule, type Schedule } from './schedule.ts';

export interface LocalQueueOptions {
  readonly handler: (event: SQSEvent) => Promise<SQSBatchResponse>;
  readonly clock: Clock;
  readonly schedule?: Schedule;
  /** A queue loses nothing: there is no `drop`. */
  readonly faults?: Omit<Faults, 'drop'>;
  /** How long a message that failed is hidden before it comes again; default 1,000. */
  readonly visibilityMs?: number;
  /** Where messages are kept until they are handled; without one they end with the process. */
  readonly journal?: Journal<Kept>;
}

/** A message as the journal keeps it. */
export interface Kept {
  readonly body: string;
  readonly sentAt: number;
}

/** Undefined for what is not one. */
export function parseKept(raw: unknown): Kept | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  const { body, sentAt } = raw as Readonly<Record<string, unknown>>;
  return typeof body === 'string' && typeof sentAt === 'number' ? { body, sentAt } : undefined;
}

export interface LocalQueue {
  /** Resolves when the message is in the queue, and in its journal. `message` becomes the body as JSON. */
  send(message: object, options?: { readonly delaySeconds?: number }): Promise<void>;
  /** The same at once. `handled` resolves when the message is handled, or after `withinMs`. */
  post(message: object, withinMs: number): { readonly handled: Promise<void> };
  /** Resolves when nothing is queued, in flight or delayed. */
  idle(): Promise<void>;
  /** Bodies of the messages that failed five times, oldest first. */
  deadLetters(): readonly string[];
  /**
   * Delivers what the journal held when it was opened, also what was to come later, and resolves when all of it has been
   * handled, or has failed for the last time. Nothing of it is delivered before this is called.
   */
  resume(): Promise<void>;
  /** Stops delivering and resolves when no handler is at work any more. What is queued is left to the journal. */
  close(): Promise<void>;
}

const batchMax = 10;
const batchesAtOnceMax = 8;
const receivesMax = 5;
/** What another process left has been received before: nobody is left who would tell what it still waits for. */
const receivesBefore = 2;

interface Message {
  readonly id: string;
  readonly body: string;
  readonly sentAt: number;
  firstReceivedAt: number | undefined;
  receives: number;
}

function buildRecord(message: Message): SQSRecord {
  return {
    messageId: message.id,
    receiptHandle: randomUUID(),
    body: message.body,
    attributes: {
      ApproximateReceiveCount: String(message.receives),
      SentTimestamp: String(message.sentAt),
      SenderId: 'local',
      ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
    },
    messageAttributes: {},
    md5OfBody: createHash('md5').update(message.body).digest('hex'),
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:local:000000000000:presence',
    awsRegion: 'local',
  };
}

/** An answer that names what was not in the batch fails the whole batch [AWS: reporting batch item failures]. */
function decideFailed(batch: readonly Message[], answer: SQSBatchResponse): readonly Message[] {
  const known = new Set(batch.map((message) => message.id));
  const named = new Set(answer.batchItemFailures.map((failure) => failure.itemIdentifier));
  return [...named].every((id) => known.has(id)) ? batch.filter((message) => named.has(message.id)) : batch;
}

export function createLocalQueue(options: LocalQueueOptions): LocalQueue {
  const { handler, clock, schedule = realSchedule, faults, visibilityMs = 1_000, journal = noJournal } = options;
  const ready: Message[] = [];
  const dead: string[] = [];
  let waiting = 0;
  let atWork = 0;
  let pumping = false;
  let closed = false;
  let whenQuiet: (() => void)[] = [];
  const whenHandled = new Map<string, () => void>();

  const arrive = (message: Message): void => {
    ready.push(message);
    wake();
  };
  // Everything that is on its way but not in `ready` is in `waiting`, so that idle() cannot overlook it.
  const arriveLater = (message: Message, delayMs: number): void => {
    waiting += 1;
    schedule(() => {
      waiting -= 1;
      arrive(message);
    }, delayMs);
  };
  // Each delivery is received by itself, though a duplicate has the same message id.
  const deliver = withFaults<Message>(
    (message) => arrive({ ...message }),
    faults,
    (callback, delayMs) => {
      waiting += 1;
      let counted = true;
      const uncount = (): void => {
        if (counted) waiting -= 1;
        counted = false;
      };
      const cancel = schedule(() => {
        uncount();
        callback();
      }, delayMs);
      return () => {
        uncount();
        cancel();
      };
    },
  );

  async function work(batch: readonly Message[]): Promise<void> {
    for (const message of batch) {
      message.receives += 1;
      message.firstReceivedAt ??= clock.now();
    }
    let failed = batch;
    try {
      failed = decideFailed(batch, await handler({ Records: batch.map(buildRecord) }));
    } catch {
      // A handler that throws fails its whole batch.
    }
    for (const message of batch) {
      if (failed.includes(message) && message.receives < receivesMax) arriveLater(message, visibilityMs);
      else {
        if (failed.includes(message)) dead.push(message.body);
        // If this line is lost, the message comes once more, as any may.
        forget(message.id);
      }
    }
  }

  function forget(id: string): void {
    try {
      journal.remove(id);
    } catch {
      // It stays in the journal and is delivered again at the next start: at least once.
    }
    whenHandled.get(id)?.();
    whenHandled.delete(id);
  }

  // Once per turn of the event loop, so that what is sent in one turn shares a batch.
  function wake(): void {
    if (pumping) return;
    pumping = true;
    setImmediate(() => {
      pumping = false;
      while (!closed && ready.length > 0 && atWork < batchesAtOnceMax) {
        atWork += 1;
        void work(ready.splice(0, batchMax)).then(() => {
          atWork -= 1;
          wake();
        });
      }
      if (atWork > 0 || (!closed && (ready.length > 0 || waiting > 0))) return;
      const callbacks = whenQuiet;
      whenQuiet = [];
      for (const callback of callbacks) callback();
    });
  }

  const quiet = (): Promise<void> =>
    new Promise((resolve) => {
      whenQuiet.push(resolve);
      wake();
    });

  const handled = (id: string): Promise<void> =>
    new Promise((resolve) => {
      whenHandled.set(id, resolve);
    });

  function accept(message: object, delaySeconds: number): string {
    if (closed) throw new Error('the queue is closed');
    const id = randomUUID();
    const body = JSON.stringify(message);
    const sentAt = clock.now();
    journal.put(id, { body, sentAt });
    const queued = { id, body, sentAt, firstReceivedAt: undefined, receives: 0 };
    if (delaySeconds > 0) arriveLater(queued, delaySeconds * 1000);
    else deliver(queued);
    return id;
  }

  return {
    async send(message, { delaySeconds = 0 } = {}) {
      accept(message, delaySeconds);
    },
    post(message, withinMs) {
      const id = accept(message, 0);
      let cancel = (): void => undefined;
      const tooLate = new Promise<void>((resolve) => {
        cancel = schedule(resolve, withinMs);
      });
      const over = (): void => {
        cancel();
        whenHandled.delete(id);
      };
      return { handled: Promise.race([handled(id), tooLate]).then(over) };
    },
    idle: quiet,
    async resume() {
      const due: Promise<void>[] = [];
      for (const [id, { body, sentAt }] of journal.found ?? []) {
        due.push(handled(id));
        arrive({ id, body, sentAt, firstReceivedAt: undefined, receives: receivesBefore });
      }
      await Promise.all(due);
    },
    deadLetters: () => [...dead],
    async close() {
      closed = true;
      await quiet();
    },
  };
}
