// Work for clients without verified credentials: a bounded number at a time, the rest waits in a fair queue (S24). A client
// that leaves is out of the queue at once, and its work never begins.

import { FairQueue, type Share } from '../../domain/fair-queue.ts';

export interface FairTurns {
  /** Undefined, with nothing done, where there was no room, the client left, or the process is closing. */
  take<T>(share: Share, left: AbortSignal | undefined, work: () => Promise<T>): Promise<T | undefined>;
  /** The outcome of a password check moves the weight of its address. */
  note(share: Share, outcome: 'right' | 'wrong'): void;
  /** Refuses everything that waits and everything that comes. */
  close(): void;
}

export interface FairTurnsBounds {
  /** Works under way at the same time. */
  readonly maxRunning: number;
  /** Works that wait. */
  readonly maxWaiting: number;
}

/** The works of an address that are served in a turn, as long as its passwords are right. */
const fullWeight = 8;
const maxShrunk = 10_000;

export function createFairTurns({ maxRunning, maxWaiting }: FairTurnsBounds): FairTurns {
  const weights = createWeights();
  const queue = new FairQueue<(begins: boolean) => void>({ maxWaiting, weightOf: weights.of });
  let running = 0;
  let closed = false;

  /** True once its turn has come, with a place that the caller gives back. */
  function waitForTurn(share: Share, left: AbortSignal | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      const answer = (begins: boolean): void => {
        left?.removeEventListener('abort', leave);
        resolve(begins);
      };
      const leave = (): void => {
        if (queue.leave(share, answer)) answer(false);
      };
      left?.addEventListener('abort', leave);
      queue.enter(share, answer)?.(false);
    });
  }

  return {
    async take(share, left, work) {
      if (closed || left?.aborted === true) return undefined;
      if (running < maxRunning) running++;
      else if (!(await waitForTurn(share, left))) return undefined;
      try {
        return await work();
      } finally {
        const next = queue.next();
        // The place passes on without ever being free: a newcomer cannot take it in between.
        if (next === undefined) running--;
        else next(true);
      }
    },
    note(share, outcome) {
      if (outcome === 'right') weights.restore(share);
      else if (queue.size > 0) weights.shrink(share);
    },
    close() {
      closed = true;
      for (const refuse of queue.clear()) refuse(false);
    },
  };
}

/**
 * Wrong passwords halve the weight of an address, but only while work waits; one right password restores it. So a fleet
 * behind one address keeps its full weight beside guesses, and without contention no weight matters.
 */
function createWeights() {
  const shrunk = new Map<string, number>();
  const keyOf = ({ deployment, address }: Share): string => `${deployment}|${address}`;
  const of = (share: Share): number => shrunk.get(keyOf(share)) ?? fullWeight;
  return {
    of,
    restore: (share: Share) => void shrunk.delete(keyOf(share)),
    shrink(share: Share): void {
      const weight = Math.max(1, of(share) / 2);
      shrunk.delete(keyOf(share));
      shrunk.set(keyOf(share), weight);
      const [oldest] = shrunk.keys();
      if (shrunk.size > maxShrunk && oldest !== undefined) shrunk.delete(oldest);
    },
  };
}
