// A standard queue of SQS between whoever tells of sessions and the presence function: batches of ten, so many processes
// at once, what fails comes back after the visibility time-out, and is given up after five deliveries. How soon Lambda
// has all of those processes at work is left out: they are there from the start.

import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { VirtualTime } from './virtual-time.ts';

export interface QueueOptions {
  readonly batchSize: number;
  readonly visibilityMs: number;
  readonly maxReceives: number;
}

interface Message {
  readonly body: string;
  /** Nobody waits for it to be done with. */
  readonly aside: boolean;
  receives: number;
}

export type Consumer = (event: SQSEvent) => Promise<SQSBatchResponse>;

export class SimulatedQueue {
  readonly counts = { givenUp: 0 };
  private readonly visible: Message[] = [];
  private taken = 0;
  private free: Consumer[] = [];
  private waiting = 0;
  private readonly time: VirtualTime;
  private readonly options: QueueOptions;

  constructor(time: VirtualTime, options: QueueOptions) {
    this.time = time;
    this.options = options;
  }

  /** One process of the function for each consumer. */
  serve(consumers: readonly Consumer[]): void {
    this.free = [...consumers];
    this.deliver();
  }

  send(body: string, delayMs: number, aside = false): void {
    if (!aside) this.waiting++;
    this.time.later(delayMs, () => {
      this.visible.push({ body, aside, receives: 0 });
      this.deliver();
    });
  }

  /** Messages that are not done with, and those on their way. */
  get size(): number {
    return this.waiting;
  }

  private deliver(): void {
    while (this.free.length > 0 && this.taken < this.visible.length) {
      const consumer = this.free.pop();
      const batch = this.visible.slice(this.taken, this.taken + this.options.batchSize);
      this.taken += batch.length;
      if (consumer !== undefined) void this.handle(consumer, batch);
    }
    if (this.taken < 10_000) return;
    this.visible.splice(0, this.taken);
    this.taken = 0;
  }

  private async handle(consumer: Consumer, batch: readonly Message[]): Promise<void> {
    for (const message of batch) message.receives++;
    this.time.wake();
    const answer = await consumer({ Records: batch.map(toRecord) });
    const failed = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => Number(itemIdentifier)));
    for (const [place, message] of batch.entries()) {
      const givenUp = message.receives >= this.options.maxReceives;
      if (!failed.has(place) || givenUp) {
        if (failed.has(place)) this.counts.givenUp++;
        if (message.aside) continue;
        this.waiting--;
      } else {
        this.time.later(this.options.visibilityMs, () => {
          this.visible.push(message);
          this.deliver();
        });
      }
    }
    this.free.push(consumer);
    this.deliver();
  }
}

function toRecord(message: Message, place: number): SQSRecord {
  return {
    messageId: String(place),
    body: message.body,
    attributes: { SentTimestamp: '0', ApproximateReceiveCount: String(message.receives) },
  } as SQSRecord;
}
