// Time and randomness of a run: both come from the run alone, so that a seed replays it to the letter.

import { createHash } from 'node:crypto';
import type { AttemptId, Place } from '../../shared/domain/ids.ts';
import { type Ms, ms } from '../../shared/domain/time.ts';
import type { Clock } from '../../shared/ports/common/clock.ts';
import type { Random } from '../../shared/ports/common/random.ts';

const start = 1_800_000_000_000;

export class ModelClock implements Clock {
  private nowMs = start;

  now(): Ms {
    return ms(this.nowMs);
  }

  advance(lengthMs: number): void {
    this.nowMs += lengthMs;
  }

  /** Milliseconds since the run began, for traces. */
  elapsed(): number {
    return this.nowMs - start;
  }
}

export function createModelRandom(): Random {
  let drawn = 0;
  const next = (bytes: number): string => {
    drawn++;
    return createHash('sha256').update(String(drawn)).digest().subarray(0, bytes).toString('base64url');
  };
  return {
    attemptId: () => next(16) as AttemptId,
    place: () => next(8) as Place,
    revision: () => next(6),
  };
}
