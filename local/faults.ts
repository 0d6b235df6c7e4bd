// Trouble on request: presence events and queues promise neither order nor "once" nor, for rule actions, arrival at
// all [AWS: presence events unordered, might be duplicated]. Tests turn that on; the local run leaves it off.

import type { Schedule } from './schedule.ts';

export interface Faults {
  /** 0 to below 1; seeded, so that a failing run can be repeated. */
  readonly random: () => number;
  /** Probability that something is delivered twice. */
  readonly duplicate?: number;
  /** Delay of each delivery, drawn evenly from this range. */
  readonly delayMs?: readonly [min: number, max: number];
  /** Probability that something is never delivered. */
  readonly drop?: number;
  /** Probability that something waits until after what comes next, or for `shuffleWaitMs` where nothing comes. */
  readonly shuffle?: number;
}

/** How long something that waits for its successor waits at most. */
const shuffleWaitMs = 50;

/** The mulberry32 generator: small, fast, and the same numbers for the same seed everywhere. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A way to `deliver` that has the faults asked for; without any it is `deliver` itself. */
export function withFaults<T>(
  deliver: (item: T) => void,
  faults: Faults | undefined,
  schedule: Schedule,
): (item: T) => void {
  if (faults === undefined) return deliver;
  const { random, duplicate = 0, delayMs, drop = 0, shuffle = 0 } = faults;
  let held: { readonly item: T; readonly cancel: () => void } | undefined;

  const later = (item: T): void => {
    if (delayMs === undefined) deliver(item);
    else schedule(() => deliver(item), delayMs[0] + random() * (delayMs[1] - delayMs[0]));
  };
  const pass = (item: T): void => {
    later(item);
    if (random() < duplicate) later(item);
  };
  const release = (): void => {
    if (held === undefined) return;
    const { item, cancel } = held;
    held = undefined;
    cancel();
    pass(item);
  };

  return (item) => {
    if (random() < drop) return;
    if (held === undefined && random() < shuffle) {
      held = { item, cancel: schedule(release, shuffleWaitMs) };
      return;
    }
    pass(item);
    release();
  };
}
