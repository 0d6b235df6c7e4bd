// Most of the product's pauses come by a port. Those that do not (shared/adapters/dynamodb/common/read-items.ts waits before it
// asks again for what was left unread) are Node's own, and so is the chance in them. For as long as a run lasts both are
// the run's: the code that asks for them is as it is.

import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';

let borrowed = false;

/** Answers what gives them back. One run at a time. */
export function borrowTimers(pause: (milliseconds: number) => Promise<void>, random: () => number): () => void {
  if (borrowed) throw new Error('another run has the timers of this process');
  borrowed = true;
  const { setTimeout: realPause } = timers;
  const realRandom = Math.random;
  const paused = async <T>(milliseconds = 1, value?: T): Promise<T | undefined> => {
    await pause(milliseconds);
    return value;
  };
  Object.assign(timers, { setTimeout: paused });
  Math.random = random;
  syncBuiltinESMExports();
  return () => {
    Object.assign(timers, { setTimeout: realPause });
    Math.random = realRandom;
    syncBuiltinESMExports();
    borrowed = false;
  };
}
