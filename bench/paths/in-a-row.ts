// How many requests a piece of work sends one after another: what it waits for, apart from how long each of them takes.

import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

export interface Trips {
  /** The longest chain of requests none of which began before the one before it had ended. */
  readonly inARow: number;
  /** The same of writes alone. */
  readonly writesInARow: number;
}

interface Interval {
  readonly begun: number;
  ended: number;
  readonly writes: boolean;
}

const writing = /^(Put|Update|Delete|BatchWrite|TransactWrite)/;

export interface TripWatch {
  trips(): Trips;
  detach(): void;
}

/** Order is all that matters, so events are numbered, not timed. */
export function watchTrips(client: DynamoDBDocumentClient): TripWatch {
  const intervals: Interval[] = [];
  let events = 0;
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const begun = ++events;
      const interval: Interval = { begun, ended: begun, writes: writing.test(String(context.commandName)) };
      intervals.push(interval);
      try {
        return await next(args);
      } finally {
        interval.ended = ++events;
      }
    },
    { step: 'initialize', priority: 'high', name: 'tripWatch' },
  );
  return {
    trips: () => ({
      inARow: longestChain(intervals),
      writesInARow: longestChain(intervals.filter(({ writes }) => writes)),
    }),
    detach: () => void client.middlewareStack.remove('tripWatch'),
  };
}

/** Whichever ends first is always part of a longest chain. */
function longestChain(intervals: readonly Interval[]): number {
  let chain = 0;
  let free = 0;
  for (const { begun, ended } of [...intervals].sort((a, b) => a.ended - b.ended)) {
    if (begun <= free) continue;
    chain += 1;
    free = ended;
  }
  return chain;
}
