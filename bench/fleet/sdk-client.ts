// The SDK's part between the code and the database: tries, pauses between them, time-outs. What it does is read from the
// SDK (test/bench/fleet-client.test.ts asks the real one); how often it tries is what the product tells it.

import type { DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import type { Command } from '../../test/support/memory-engine/requests.ts';
import type { Chance } from './chance.ts';
import type { Answer, SimulatedDynamo } from './dynamo.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface ClientPolicy {
  /** The first try included. */
  readonly maxAttempts: number;
  /** One try. */
  readonly requestTimeoutMs: number;
  /** Requests that travel at the same time; the rest queue inside the process. */
  readonly maxSockets: number;
  /** The n-th pause is uniform between 0 and the base × 2^n, at most 20 s. */
  readonly throttledBaseMs: number;
  readonly failedBaseMs: number;
}

/** What a client has for its repetitions; each costs some of it, and success brings it back. */
const retryCapacity = 500;
const retryCost = { throttled: 5, failed: 14 } as const;
const pauseMaxMs = 20_000;

const throttles: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'TransactionInProgressException',
]);
const failures: ReadonlySet<string> = new Set(['TimeoutError']);

export interface SimulatedWay {
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly dynamo: SimulatedDynamo;
}

/** The client of one process. It has `send` and nothing else. */
export function createSimulatedClient(way: SimulatedWay, policy: ClientPolicy): DocumentClient {
  const { time, chance } = way;
  const sockets = createSockets(way.dynamo, policy.maxSockets);
  let capacity = retryCapacity;

  async function send(command: Command): Promise<unknown> {
    let cost = 1;
    for (let tries = 0; ; tries++) {
      const answer = await tryOnce(time, sockets, command, policy.requestTimeoutMs);
      if (answer.ok) {
        capacity = Math.min(retryCapacity, capacity + cost);
        return answer.value;
      }
      const kind = throttles.has(answer.error.name)
        ? 'throttled'
        : failures.has(answer.error.name)
          ? 'failed'
          : 'final';
      if (kind === 'final' || tries + 1 >= policy.maxAttempts || capacity < retryCost[kind]) throw answer.error;
      cost = retryCost[kind];
      capacity -= cost;
      const base = kind === 'throttled' ? policy.throttledBaseMs : policy.failedBaseMs;
      await time.pause(Math.floor(chance.uniform() * Math.min(base * 2 ** tries, pauseMaxMs)));
    }
  }

  return { send } as unknown as DocumentClient;
}

type Send = (command: Command, answer: (answer: Answer) => void) => void;

/** A request holds its socket until it is answered, also where nobody waits for it any more. */
function createSockets(dynamo: SimulatedDynamo, maxSockets: number): Send {
  const line: (() => void)[] = [];
  let free = maxSockets;
  return (command, answer) => {
    const begin = (): void => {
      free--;
      dynamo.request(command, (value) => {
        free++;
        line.shift()?.();
        answer(value);
      });
    };
    if (free > 0) begin();
    else line.push(begin);
  };
}

/** A try that takes too long, the wait for a socket included, is given up; it takes effect all the same. */
function tryOnce(time: VirtualTime, send: Send, command: Command, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const giveUp = time.schedule(() => resolve({ ok: false, error: tookTooLong() }), timeoutMs);
    send(command, (answer) => {
      giveUp();
      time.wake();
      resolve(answer);
    });
  });
}

/** As the SDK throws it. */
function tookTooLong(): Error {
  return Object.assign(new Error('the request took too long'), { name: 'TimeoutError' });
}
