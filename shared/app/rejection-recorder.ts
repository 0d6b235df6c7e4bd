// Rejections for quota, summed up in memory and written at most once per 10 s and username, so that a storm of them
// costs the database next to nothing (S5). Whoever runs the process calls `flush` at least once a second.

import type { Ms } from '../domain/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Rejection, RejectionRecorder, RejectionStore, RejectionSum } from '../ports/rejections.ts';

export interface FlushingRecorder extends RejectionRecorder {
  /** Writes what is due; `all`: everything, as before the process ends. Never throws: what fails is tried again. */
  flush(options?: { readonly all: boolean }): Promise<void>;
}

/** A record is at most 10 s late (S5); a second is left for the write itself. */
const intervalMs = 9_000;
const maxUsernames = 10_000;

interface Entry {
  sum: RejectionSum;
  writtenAt: Ms | undefined;
}

export function createRejectionRecorder(store: RejectionStore, clock: Clock, log: Log): FlushingRecorder {
  const entries = new Map<string, Entry>();

  async function write(key: string, entry: Entry): Promise<void> {
    const { sum } = entry;
    entry.writtenAt = clock.now();
    entry.sum = { ...sum, count: 0 };
    try {
      await store.addRejections(sum);
    } catch (error) {
      log.warn('rejections were not recorded yet', { error: String(error) });
      // Whether it was written is unknown; counted again it would be told too often, so what is told is a lower bound.
      if (!entries.has(key)) entries.set(key, entry);
    }
  }

  return {
    record(rejection: Rejection) {
      const key = JSON.stringify([rejection.deploymentId, rejection.username]);
      const now = clock.now();
      const entry = entries.get(key);
      if (entry !== undefined) {
        entry.sum = { ...rejection, count: entry.sum.count + 1, lastAt: now };
        return;
      }
      if (entries.size >= maxUsernames) return;
      entries.set(key, { sum: { ...rejection, count: 1, lastAt: now }, writtenAt: undefined });
    },
    async flush(options) {
      const now = clock.now();
      const writes: Promise<void>[] = [];
      for (const [key, entry] of entries) {
        const due = entry.writtenAt === undefined || now - entry.writtenAt >= intervalMs || now < entry.writtenAt;
        if (!due && options?.all !== true) continue;
        if (entry.sum.count > 0) writes.push(write(key, entry));
        else entries.delete(key);
      }
      await Promise.all(writes);
    },
  };
}
