// What the connect path reads for every CONNECT and may know a few seconds late, held that long, so that a storm of
// CONNECTs reads it once (S1: a change holds at most 5 s later). What was read last is kept for longer, for the time in
// which the database does not answer (S17). Bounded, by their number and their bytes: the oldest entry goes.

import { outageMemorySeconds, settingsCacheMs } from '../../config/constants.ts';
import type { Ms } from '../../domain/time.ts';
import type { Clock } from '../../ports/common/clock.ts';

const maxEntries = 2_000;
const maxRecalled = 10_000;
/** Bytes of what was read last, whatever tenants write into it. */
const maxRecalledBytes = 64_000_000;

export interface ShortMemory<Value> {
  get(key: string): Promise<Value | undefined>;
  /** Whether `get` would answer without asking. */
  isHeld(key: string): boolean;
  /** For whom was given `than` and found out after `since` that it may have changed: what has been read since. */
  getNewer(key: string, than: Value, since: Ms): Promise<Value | undefined>;
  /** Asks, whatever is held. */
  reread(key: string): Promise<Value | undefined>;
  /** What was there when it was read last, at most 15 min ago. */
  recall(key: string): Value | undefined;
}

/** `keepAbsent`: whether it is held as well that there is nothing. `bytesOf`: about what a value takes; 1 KB unless told. */
export function remember<Value>(
  clock: Clock,
  read: (key: string) => Promise<Value | undefined>,
  keepAbsent: boolean,
  bytesOf: (value: Value) => number = () => 1_000,
): ShortMemory<Value> {
  const entries = new Map<string, { readonly readAt: Ms; readonly answer: Promise<Value | undefined> }>();
  const last = createRecent<Value>(clock, outageMemorySeconds * 1_000, maxRecalled, { bytesOf, max: maxRecalledBytes });

  function held(key: string): Promise<Value | undefined> | undefined {
    const known = entries.get(key);
    const now = clock.now();
    // A clock that stepped back makes an entry look young; it is read again.
    return known !== undefined && now >= known.readAt && now - known.readAt < settingsCacheMs
      ? known.answer
      : undefined;
  }

  function reread(key: string): Promise<Value | undefined> {
    const answer = read(key);
    entries.delete(key);
    entries.set(key, { readAt: clock.now(), answer });
    const forget = (): void => {
      if (entries.get(key)?.answer === answer) entries.delete(key);
    };
    answer.then((value) => {
      if (value === undefined) last.forget(key);
      else last.keep(key, value);
      if (value === undefined && !keepAbsent) forget();
    }, forget);
    const [oldest] = entries.keys();
    if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest);
    return answer;
  }

  return {
    get: (key) => held(key) ?? reread(key),
    isHeld: (key) => held(key) !== undefined,
    async getNewer(key, than, since) {
      // Of many who come at the same time one asks.
      const known = entries.get(key);
      const value = known !== undefined && known.readAt >= since ? await known.answer : undefined;
      return value !== undefined && value !== than ? value : reread(key);
    },
    reread,
    recall: (key) => last.get(key),
  };
}

export interface Recent<Value> {
  keep(key: string, value: Value): void;
  get(key: string): Value | undefined;
  forget(key: string): void;
}

/** Values of at most that age, the latest so many, and of those the latest that fit into so many bytes. */
export function createRecent<Value>(
  clock: Clock,
  maxAgeMs: number,
  maxKept: number,
  size: { readonly bytesOf: (value: Value) => number; readonly max: number } = { bytesOf: () => 0, max: 0 },
): Recent<Value> {
  const kept = new Map<string, { readonly at: Ms; readonly value: Value; readonly bytes: number }>();
  let bytes = 0;

  function forget(key: string): void {
    bytes -= kept.get(key)?.bytes ?? 0;
    kept.delete(key);
  }

  return {
    keep(key, value) {
      forget(key);
      const own = size.bytesOf(value);
      kept.set(key, { at: clock.now(), value, bytes: own });
      bytes += own;
      for (const oldest of kept.keys()) {
        if (kept.size <= maxKept && bytes <= size.max) break;
        forget(oldest);
      }
    },
    get(key) {
      const found = kept.get(key);
      const age = clock.now() - (found?.at ?? 0);
      return found !== undefined && age >= 0 && age < maxAgeMs ? found.value : undefined;
    },
    forget,
  };
}
