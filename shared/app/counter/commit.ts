// A session's record and its place in the count, moved together. This folder alone moves the count: here, a newcomer's
// decision (count-newcomer.ts), what has expired many at a time (free-due.ts), and the recount. It must not know why a
// record becomes another one.
//
// The order is what keeps it right. Counting more comes after the record, so that a place never is without a session; and
// counting less comes after it too, so that what dies in between counts too many (I2, I7).

import { wideSleepSeconds } from '../../config/constants.ts';
import { isFolded, isSamePlace, isWide } from '../../domain/place.ts';
import { freeSession, settleSession } from '../../domain/session/outcome.ts';
import { isLive, owesPlace, type Session } from '../../domain/session/record.ts';
import { addSeconds, seconds } from '../../domain/time.ts';
import type { Clock } from '../../ports/common/clock.ts';
import type { SessionStore } from '../../ports/common/session-store.ts';
import type { Roster } from '../../ports/counter/counter.ts';
import type { Stored } from '../../ports/presence/sessions.ts';

export interface CommitPorts {
  readonly store: SessionStore;
  readonly clock: Clock;
}

export type Committed =
  /** `stored`: the record as it stands now; undefined where somebody has written since. */
  | { readonly kind: 'done'; readonly stored: Stored<Session> | undefined }
  /** Somebody wrote the record first. */
  | { readonly kind: 'changed'; readonly current: Stored<Session> | undefined };

export interface CommitOptions {
  /** The broker knows the session: it counts, whatever became of its admission; and no message comes again for it. */
  readonly proven?: boolean;
  /** A reading of the username's count, which may lag. */
  readonly seen?: Roster;
}

/** Twice as long as a wide roster sleeps, for clocks that differ. */
const wideMarginSeconds = seconds(2 * wideSleepSeconds);

/**
 * Writes `after` over `before`, and moves the count by what differs between the two.
 *
 * Invariant: I2, I3: a place is in the count for no longer than a record names it, and a live record's place is in.
 * Race: the write is refused if anybody wrote since `before` was read; whoever uncounts the same place finds it gone.
 * On crash: a tombstone that owes, or a record whose place differs, leads the sweeper or the next message here.
 */
export async function commit(
  ports: CommitPorts,
  before: Stored<Session>,
  after: Session,
  options: CommitOptions = {},
): Promise<Committed> {
  const { store } = ports;
  const { proven = false, seen } = options;
  // Before the write, where no message would come again: a roster that wakes too early does no harm.
  if (proven && after.dueAt < before.value.dueAt)
    await store.lowerWake(after.deploymentId, after.username, after.dueAt);
  // A new life on a tombstone: its old place goes first, because the new record forgets it.
  const isNewPlace = !isSamePlace(after.place, before.value.place);
  if (isNewPlace) await uncount(store, before.value, { seen });
  const put = await store.putSession(after, before);
  if (put.kind === 'changed') return put;
  const stored = { value: put.value, revision: put.revision };
  if (put.uncounted === true) return { kind: 'done', stored };
  if (put.value.phase.kind === 'ended') {
    const wasLive = before.value.phase.kind !== 'ended';
    return { kind: 'done', stored: await uncountTombstone(ports, stored, { seen, isLikelyIn: wasLive }) };
  }
  await wakeInTime(ports, before.value, put.value);
  const isNewlyKnown = proven && before.value.phase.kind === 'new';
  if (isNewlyKnown || isNewPlace) await countAgain(store, put.value);
  return { kind: 'done', stored };
}

/** The roster must not sleep past the end of a session that became shorter. A wide one never sleeps for so long. */
async function wakeInTime({ store, clock }: CommitPorts, before: Session, after: Session): Promise<void> {
  const soon = !isWide(after.place) || after.dueAt < addSeconds(clock.now(), wideMarginSeconds);
  if (soon && after.dueAt < before.dueAt) await store.lowerWake(after.deploymentId, after.username, after.dueAt);
}

/** Nothing is to change, but whoever wrote the record may have died between it and the count. Safe to repeat. */
export async function complete(ports: CommitPorts, stored: Stored<Session>): Promise<void> {
  const { store } = ports;
  const session = stored.value;
  if (session.phase.kind === 'ended') {
    // This is where every late event ends.
    await uncountTombstone(ports, stored);
    return;
  }
  if (session.recounted) await countAgain(store, session);
  if (session.phase.kind === 'retained') await store.lowerWake(session.deploymentId, session.username, session.dueAt);
}

/**
 * Frees and uncounts a session that is over or has been ended at the broker, before its record forgets the place (a new
 * life begins on it) or its client id changes hands: afterwards only a recount would find that place. Answers the record
 * as it stands then; undefined where another process wrote first, and the caller looks again.
 */
export async function uncountOver(
  ports: CommitPorts,
  over: Stored<Session>,
  seen?: Roster,
): Promise<Stored<Session> | undefined> {
  if (over.value.phase.kind === 'ended') {
    await uncount(ports.store, over.value, { seen });
    return over;
  }
  const now = ports.clock.now();
  // One that has run out is found by when it was due; another by what is written here.
  const freed = freeSession(over.value, isLive(over.value, now) ? { owes: true, findAt: now } : { owes: true });
  const committed = await commit(ports, over, freed, seen === undefined ? {} : { seen });
  return committed.kind === 'done' ? committed.stored : undefined;
}

/** Answers the tombstone as it stands then; undefined where somebody wrote meanwhile. */
async function uncountTombstone(
  { store }: CommitPorts,
  tombstone: Stored<Session>,
  hints: Hints = {},
): Promise<Stored<Session> | undefined> {
  await uncount(store, tombstone.value, hints);
  if (!owesPlace(tombstone.value)) return tombstone;
  const put = await store.putSession(settleSession(tombstone.value), tombstone);
  return put.kind === 'done' ? { value: put.value, revision: put.revision } : undefined;
}

interface Hints {
  /** It proves that a place is in, never that it is out. */
  readonly seen?: Roster | undefined;
  /** The session was freed right now. */
  readonly isLikelyIn?: boolean;
}

/**
 * Takes the place of a freed session out of the count, wherever it lies, if it is in. Where it is likely to be out, a
 * reading is cheaper than a write that is refused.
 */
async function uncount(store: SessionStore, freed: Session, { seen, isLikelyIn = false }: Hints = {}): Promise<void> {
  const { deploymentId, username, place } = freed;
  if (isWide(place)) {
    // One that owes is in, unless somebody died right behind taking it out.
    if (owesPlace(freed) || (await store.holds(freed))) await store.removePlace(deploymentId, username, place, false);
    return;
  }
  const isSeen = seen?.places.has(place) === true;
  if (!isSeen && isLikelyIn) {
    await store.removePlace(deploymentId, username, place);
    return;
  }
  const roster = isSeen ? seen : await store.readRoster(deploymentId, username);
  if (roster.places.has(place)) await store.removePlace(deploymentId, username, place, roster.used <= 1);
}

/**
 * Counts a live session that is not counted, over the limit if need be. Safe to repeat.
 *
 * Invariant: I2: a place never outlives its session.
 * Race: whoever frees it in between finds no place to take out, so the record is looked at once more afterwards. A place
 * of the same life stays counted, in whatever form: whoever has counted it by a number since has seen this very place. One
 * that is counted by a number before its place is added keeps that place out (`recheck`).
 * On crash: the place is in, and its record or its tombstone leads whoever comes next to it.
 */
export async function countAgain(store: SessionStore, session: Session): Promise<'counted' | 'present' | 'gone'> {
  const { deploymentId, username, place, dueAt } = session;
  const readAgain = async (): Promise<Session | undefined> => {
    const now = (await store.readSession(session))?.value;
    return now !== undefined && now.phase.kind !== 'ended' && isSamePlace(now.place, place) ? now : undefined;
  };
  const outcome = await store.addPlace(deploymentId, username, place, Number.POSITIVE_INFINITY, dueAt, {
    forced: true,
    recheck: async () => {
      const now = await readAgain();
      return now !== undefined && !isFolded(now.place);
    },
  });
  if (outcome.kind === 'present') return 'present';
  const isThere = (await readAgain()) !== undefined;
  if (outcome.kind === 'outdated') return isThere ? 'present' : 'gone';
  if (isThere) return 'counted';
  await store.removePlace(deploymentId, username, place, false);
  return 'gone';
}

/**
 * Counts a record that no limit holds for, while a CONNECT may be deciding about it by one. Safe to repeat.
 *
 * Invariant: I2, I3: a record that is not confirmed names the place that is counted for it.
 * Race: a CONNECT that met the record may be about to move it to another place of a wide roster. This writes the record once
 * more after the count: the database refuses that CONNECT's write, or this one, which then takes its place out again.
 * On crash: counted, and the message is delivered again.
 */
export async function countForced({ store }: CommitPorts, stored: Stored<Session>): Promise<'counted' | 'changed'> {
  if ((await countAgain(store, stored.value)) === 'gone') return 'changed';
  if (stored.value.phase.kind !== 'new') return 'counted';
  const put = await store.putSession(stored.value, stored);
  if (put.kind === 'done') return 'counted';
  const now = put.current?.value.place;
  if (now === undefined || !isSamePlace(now, stored.value.place)) await uncount(store, stored.value);
  return 'changed';
}

/** What a reading shows of it; it may lag, and proves that a session is counted, never that it is not. */
export function isSeenCounted(seen: Roster, session: Session): boolean {
  return seen.places.has(session.place);
}

/** As above, asked anew where a reading of the username does not show it. */
export async function isCounted(store: SessionStore, seen: Roster, session: Session): Promise<boolean> {
  return isSeenCounted(seen, session) || (isWide(session.place) && (await store.holds(session)));
}
