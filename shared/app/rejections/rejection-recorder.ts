// Refusals after valid credentials, summed up in memory and written at most once per 10 s and username, so that a storm
// of them costs the database next to nothing (S5). Whoever runs the process calls `flush` at least once a second; where a process
// sleeps between its calls, with each call.

import type { Refusal } from '../../domain/refusal.ts';
import { type Ms, ms } from '../../domain/time.ts';
import type { Clock } from '../../ports/common/clock.ts';
import type { Log } from '../../ports/common/log.ts';
import type { Random } from '../../ports/common/random.ts';
import {
  type RejectionRecorder,
  type RejectionStore,
  type RejectionSum,
  rejectionsKept,
} from '../../ports/rejections/rejections.ts';

export interface FlushingRecorder extends RejectionRecorder {
  /** Writes what is due; `all`: everything, as before the process ends. Never throws: what fails is tried again. */
  flush(options?: { readonly all: boolean }): Promise<void>;
}

export interface RecorderPorts {
  readonly store: RejectionStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Pick<Random, 'attemptId'>;
}

/** A record is at most 10 s late (S5); a second is left for the write itself. */
const intervalMs = 9_000;
const retryMs = 1_000;
/** The store tells a repetition from a new sum for 10 min. */
const repeatableMs = 9 * 60_000;
const hourMs = 3_600_000;
/** Far above what one process turns away in 10 s; beyond it memory comes first. */
const maxUsernames = 100_000;
/**
 * A suspended deployment refuses its whole fleet, at each try to reconnect. Of so many usernames that is recorded within
 * 10 s, so that a suspension costs the database no more than the fleet did before.
 */
const maxSuspended = 256;
/** Writes under way at the same time: admissions share the way to the database with them. */
const width = 16;

/** What has been rejected since the last write. */
type Open = Omit<RejectionSum, 'sumId'>;

interface Entry {
  /** It began with a suspension. */
  readonly suspended: boolean;
  open: Open | undefined;
  /** Tried, and perhaps written: it stays as it is, so that another try adds nothing twice. */
  unsure: { readonly sum: RejectionSum; readonly since: Ms } | undefined;
  nextAt: Ms | undefined;
  busy: boolean;
}

function addTo(open: Open | undefined, { deploymentId, username, clientId, reason }: Refusal, now: Ms): Open {
  const { hours = [], reasons = [], last = [] } = open ?? {};
  const hour = ms(now - (now % hourMs));
  const ofHour = hours.find((one) => one.hour === hour);
  const ofReason = reasons.find((one) => one.reason === reason);
  // A clock that stepped back makes nothing older.
  const at = ms(Math.max(now, last.at(-1)?.at ?? now));
  return {
    deploymentId,
    username,
    hours:
      reason === 'quota'
        ? [...hours.filter((one) => one !== ofHour), { hour, count: (ofHour?.count ?? 0) + 1 }]
        : hours,
    reasons: [
      ...reasons.filter((one) => one !== ofReason),
      { reason, count: (ofReason?.count ?? 0) + 1, lastAt: at, clientId },
    ],
    last: [...last, { at, clientId, reason }].slice(-rejectionsKept),
  };
}

export function createRejectionRecorder({ store, clock, log, random }: RecorderPorts): FlushingRecorder {
  const entries = new Map<string, Entry>();

  async function write(entry: Entry): Promise<void> {
    const now = clock.now();
    let { unsure } = entry;
    if (unsure === undefined && entry.open !== undefined) {
      unsure = { sum: { ...entry.open, sumId: random.attemptId() }, since: now };
      entry.open = undefined;
    }
    if (unsure === undefined) return;
    entry.unsure = unsure;
    entry.nextAt = ms(now + intervalMs);
    try {
      await store.addRejections(unsure.sum);
      entry.unsure = undefined;
    } catch (error) {
      entry.nextAt = ms(clock.now() + retryMs);
      const lost = clock.now() - unsure.since > repeatableMs;
      // From now on another try could add it twice, and what is told is never more than there was.
      if (lost) entry.unsure = undefined;
      log.warn(lost ? 'rejections may not have been recorded' : 'rejections were not recorded yet', {
        deploymentId: unsure.sum.deploymentId,
        count: unsure.sum.reasons.reduce((sum, { count }) => sum + count, 0),
        error: String(error),
      });
    }
  }

  let ofSuspended = 0;
  function enter(key: string, suspended: boolean): Entry | undefined {
    if (entries.size >= maxUsernames || (suspended && ofSuspended >= maxSuspended)) return undefined;
    if (suspended) ofSuspended++;
    const entry: Entry = { suspended, open: undefined, unsure: undefined, nextAt: undefined, busy: false };
    entries.set(key, entry);
    return entry;
  }

  return {
    record(refusal) {
      const key = keyOf(refusal);
      const entry = entries.get(key) ?? enter(key, refusal.reason === 'suspended');
      if (entry !== undefined) entry.open = addTo(entry.open, refusal, clock.now());
    },

    async flush(options) {
      const now = clock.now();
      const due: Entry[] = [];
      for (const [key, entry] of entries) {
        // A clock that stepped back must not hold anything up.
        const waits = entry.nextAt !== undefined && entry.nextAt > now && entry.nextAt - now <= intervalMs;
        if (entry.busy || (waits && options?.all !== true)) continue;
        if (entry.open === undefined && entry.unsure === undefined) {
          entries.delete(key);
          if (entry.suspended) ofSuspended--;
          continue;
        }
        entry.busy = true;
        due.push(entry);
      }
      const settle = async (entry: Entry): Promise<void> => {
        await write(entry);
        // The last chance: what came in behind a sum that was unsure goes as well.
        if (options?.all === true && entry.unsure === undefined) await write(entry);
        entry.busy = false;
      };
      const worker = async (): Promise<void> => {
        for (let entry = due.pop(); entry !== undefined; entry = due.pop()) await settle(entry);
      };
      await Promise.all(Array.from({ length: Math.min(width, due.length) }, worker));
    },
  };
}

function keyOf({ deploymentId, username }: Refusal): string {
  return JSON.stringify([deploymentId, username]);
}
