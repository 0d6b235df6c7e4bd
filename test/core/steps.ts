// Several at work on one table, one request at a time, in the order that a test says: each has a client of its own whose
// requests wait until they are let through to the real engine.

import type { DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import type { Actor } from '../model/actor.ts';
import { Gates, settleMicrotasks } from '../model/gates.ts';
import { type Core, createCore } from './rig.ts';

export interface Worker {
  /** Lets its next request through; false when it has none and is done. */
  step(): Promise<boolean>;
  /** Lets all of them through. Throws what the work threw. */
  finish(): Promise<void>;
  /** The process is gone: what waits is never sent. */
  die(): void;
}

export class Steps {
  private readonly gates = new Gates();
  private readonly client: DocumentClient;
  private readonly tableName: string;
  private workers = 0;

  constructor(client: DocumentClient, tableName: string) {
    this.client = client;
    this.tableName = tableName;
  }

  /** Begins work on a core whose every request waits. */
  async begin(work: (core: Core, client: DocumentClient) => Promise<unknown>): Promise<Worker> {
    const actor = { id: ++this.workers, title: `worker ${this.workers}` } as unknown as Actor;
    const gated = this.gates.clientFor(actor);
    const state: { done: boolean; error?: unknown } = { done: false };
    void work(createCore(gated, this.tableName), gated)
      .catch((error: unknown) => {
        state.error = error;
      })
      .finally(() => {
        state.done = true;
      });
    await settleMicrotasks();
    const step = async (): Promise<boolean> => {
      const call = this.gates.waiting.find((one) => one.actor === actor);
      if (call === undefined) {
        if (!state.done) throw new Error('it waits for something that is no request');
        return false;
      }
      this.gates.take(call);
      if (call.to !== 'store') throw new Error('only the database is gated here');
      await this.client.send(call.command).then(call.answer, call.fail);
      await settleMicrotasks();
      return true;
    };
    return {
      step,
      async finish() {
        while (await step());
        if (state.error !== undefined) throw state.error;
      },
      die: () => this.gates.forget(actor),
    };
  }
}

/**
 * Every way of interrupting one by the other: `first` is stopped after each of its requests in turn, `second` after each
 * of its, then `first` ends, then `second`. Answers how many ways there were.
 */
export async function interruptEverywhere(
  scenario: (name: string) => Promise<{
    readonly steps: Steps;
    readonly first: (core: Core, client: DocumentClient) => Promise<unknown>;
    readonly second: (core: Core, client: DocumentClient) => Promise<unknown>;
    readonly check: (way: string) => Promise<void>;
  }>,
): Promise<number> {
  let ways = 0;
  for (let i = 0, firstGoesOn = true; firstGoesOn; i++) {
    for (let j = 0, secondGoesOn = true; secondGoesOn; j++) {
      const { steps, first, second, check } = await scenario(`${i}-${j}`);
      const one = await steps.begin(first);
      firstGoesOn = await stepTimes(one, i);
      const other = await steps.begin(second);
      secondGoesOn = await stepTimes(other, j);
      await one.finish();
      await other.finish();
      await check(`first stopped after ${i} requests, second after ${j}`);
      ways++;
    }
  }
  return ways;
}

/** False where it was done before. */
export async function stepTimes(worker: Worker, times: number): Promise<boolean> {
  for (let n = 0; n < times; n++) if (!(await worker.step())) return false;
  return true;
}
