// The decision (S4): whether a session whose record is written is counted, or its username holds as many as it may. One
// conditional write of the store decides. What is around it here is for usernames with very many sessions: their count is
// in several items, so a place may have to lie elsewhere, and others may count by another limit at the same moment.

import { wideSleepSeconds } from '../../config/constants.ts';
import type { Session } from '../../domain/session/record.ts';
import { addSeconds, type Ms, seconds } from '../../domain/time.ts';
import { contended } from '../../ports/common/errors.ts';
import type { Random } from '../../ports/common/random.ts';
import type { Roster } from '../../ports/counter/counter.ts';
import type { Stored } from '../../ports/presence/sessions.ts';
import type { CommitPorts } from './commit.ts';

export interface NewcomerPorts extends CommitPorts {
  readonly random: Random;
}

export interface Newcomer {
  /** Its record, as it is written. */
  readonly stored: Stored<Session>;
  /** A record stood there before, whose attempt may have been confirmed and counted by now. */
  readonly isMet: boolean;
  readonly max: number;
  /** Throws where the CONNECT's time is over. */
  readonly checkTime: () => void;
  /** Others count by another limit: which is the limit by now? */
  readonly readLimit: (askedAt: Ms) => Promise<number | 'blocked'>;
  /** Frees what has expired of the username. True where there may be room again. */
  readonly reclaim: (seen: Roster) => Promise<boolean>;
}

/** `stored`: the record as it stands now; its place may be another one. */
export type NewcomerOutcome =
  | { readonly kind: 'counted'; readonly stored: Stored<Session>; readonly isNew: boolean }
  | { readonly kind: 'full'; readonly stored: Stored<Session> }
  | { readonly kind: 'blocked'; readonly stored: Stored<Session> }
  /** Somebody else wrote the record. */
  | { readonly kind: 'changed'; readonly current: Stored<Session> | undefined };

/** So often a place is chosen anew, or a limit read anew, where others have changed what was seen of a wide roster. */
const maxMoves = 12;

/** Throws StoreUnavailable where others keep changing what was seen, or the time is over. Safe to repeat. */
export async function countNewcomer(ports: NewcomerPorts, newcomer: Newcomer): Promise<NewcomerOutcome> {
  const { store, clock } = ports;
  const { deploymentId, username } = newcomer.stored.value;
  let { stored, max } = newcomer;
  let reclaimed = false;
  /** The limit has just been read: the roster is held against it from now on. */
  let isSure = false;
  // Confirmed meanwhile, it may be counted by a number already, and its place would count it a second time.
  let current: Stored<Session> | undefined;
  const recheck = async (): Promise<boolean> => {
    current = await store.readSession(stored.value);
    return current?.revision === stored.revision;
  };
  const rechecking = newcomer.isMet ? { recheck } : {};
  for (let moves = 0; moves <= maxMoves; ) {
    newcomer.checkTime();
    const askedAt = clock.now();
    const { place, dueAt } = stored.value;
    const how = { wakeBy: addSeconds(askedAt, seconds(wideSleepSeconds)), tellsDiffering: !isSure, ...rechecking };
    const added = await store.addPlace(deploymentId, username, place, max, dueAt, how);
    isSure = false;
    switch (added.kind) {
      case 'added':
        return { kind: 'counted', stored, isNew: true };
      case 'present':
        return { kind: 'counted', stored, isNew: false };
      case 'full':
        if (reclaimed || !(await newcomer.reclaim(added.roster))) return { kind: 'full', stored };
        reclaimed = true;
        continue;
      case 'differs': {
        const limit = await newcomer.readLimit(askedAt);
        if (limit === 'blocked') return { kind: 'blocked', stored };
        max = limit;
        isSure = true;
        break;
      }
      case 'outdated':
        return { kind: 'changed', current };
      case 'wide': {
        const put = await moveOn(ports, stored, added, max);
        if (put.kind === 'changed') return put;
        stored = put;
      }
    }
    moves++;
  }
  throw contended('others kept changing a wide roster');
}

/** The place has not been counted where it was to lie, and will not be, so another is chosen. */
function moveOn(
  { store, random }: NewcomerPorts,
  stored: Stored<Session>,
  { roster, lane }: { readonly roster: Roster; readonly lane?: number },
  max: number,
) {
  const place = store.placeFor(stored.value, random.place(), roster, max, lane);
  return store.putSession({ ...stored.value, place }, stored);
}

/** What is set aside for newcomers only the write tells that takes it. */
export function mayHaveRoom(seen: Roster, max: number): boolean {
  return seen.used < max || seen.open === true;
}
