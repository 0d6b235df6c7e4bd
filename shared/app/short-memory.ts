// What the connect path reads for every CONNECT and may know a few seconds late, held that long, so that a storm of
// CONNECTs reads it once (S1: a change holds at most 5 s later). Bounded: the oldest entry goes.

import { settingsCacheMs } from '../config/constants.ts';
import type { Ms } from '../domain/time.ts';
import type { Clock } from '../ports/clock.ts';

const maxEntries = 2_000;

/** `keepAbsent`: whether it is held as well that there is nothing. */
export function remember<Value>(
  clock: Clock,
  read: (key: string) => Promise<Value | undefined>,
  keepAbsent: boolean,
): (key: string) => Promise<Value | undefined> {
  const entries = new Map<string, { readonly readAt: Ms; readonly answer: Promise<Value | undefined> }>();
  return (key) => {
    const now = clock.now();
    const known = entries.get(key);
    // A clock that stepped back makes an entry look young; it is read again.
    if (known !== undefined && now >= known.readAt && now - known.readAt < settingsCacheMs) return known.answer;
    const answer = read(key);
    entries.delete(key);
    entries.set(key, { readAt: now, answer });
    const forget = (): void => {
      if (entries.get(key)?.answer === answer) entries.delete(key);
    };
    answer.then((value) => {
      if (value === undefined && !keepAbsent) forget();
    }, forget);
    const [oldest] = entries.keys();
    if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest);
    return answer;
  };
}
