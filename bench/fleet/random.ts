// The randomness of a run: all of it from its seed.

import type { AttemptId, Place } from '../../shared/domain/ids.ts';
import type { Random } from '../../shared/ports/common/random.ts';
import type { Chance } from './chance.ts';

export function createSeededRandom(chance: Chance): Random {
  const next = (bytes: number): string => {
    const drawn = Buffer.alloc(bytes);
    for (let at = 0; at < bytes; at += 2) drawn.writeUInt16LE(Math.floor(chance.uniform() * 65_536), at);
    return drawn.toString('base64url');
  };
  return {
    attemptId: () => next(16) as AttemptId,
    place: () => next(8) as Place,
    revision: () => next(6),
  };
}
