// When somebody is to be told that a username comes near its limit. Pure.

import type { EffectiveLimit } from './limit.ts';

/** `set`: the username has come near its limit. `clear`: it has moved away from it, or has no such limit any more. */
export type NoticeState = 'set' | 'clear';

/** Of the limit. Apart by so much that one client which comes and goes is not told of each time. */
const setPercent = 80;
const clearPercent = 70;

/**
 * What is to be told, where `notified` says whether the last word was `set`; undefined: nothing new. Only a limit that is
 * a number can be come near to: a username without one, or one that is blocked, is far from it.
 */
export function decideNotice(used: number, limit: EffectiveLimit, notified: boolean): NoticeState | undefined {
  if (limit.kind !== 'number') return notified ? 'clear' : undefined;
  // In hundredths, so that nothing is rounded.
  const hundredths = used * 100;
  if (!notified) return hundredths >= setPercent * limit.max ? 'set' : undefined;
  return hundredths <= clearPercent * limit.max ? 'clear' : undefined;
}
