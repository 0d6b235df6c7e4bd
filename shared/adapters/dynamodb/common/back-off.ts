// Waiting before a request is sent again that met others: at most so long, by full jitter, because those that met once
// must not meet again.

import { setTimeout as pause } from 'node:timers/promises';

/** `mostMs`: the longest it may wait. */
export type BackOff = (mostMs: number) => Promise<void>;

export const backOffAtRandom: BackOff = (mostMs) => pause(Math.random() * mostMs);
