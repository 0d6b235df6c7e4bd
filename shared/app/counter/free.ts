// Freeing: always the session first, its place in the roster second, so that what dies in between counts too many.

import type { DeploymentId, Username } from '../../domain/ids.ts';
import { isWide } from '../../domain/place.ts';
import { freeSession, isLive, postponeDue, type Session, settleSession } from '../../domain/session.ts';
import type { Clock } from '../../ports/common/clock.ts';
import type { Roster, SessionStore, Stored } from '../../ports/counter/sessions.ts';

export interface FreePorts {
  readonly store: SessionStore;
  readonly clock: Clock;
}

/**
 * Takes the place of a freed session that owes out of the roster and marks it settled. Answers the record as it stands
 * then, undefined if somebody else wrote meanwhile. Safe to repeat.
 */
export async function settleFreed(
  ports: FreePorts,
  freed: Stored<Session>,
  usedSeen: number,
): Promise<Stored<Session> | undefined> {
  const { deploymentId, username, place } = freed.value;
  await ports.store.removePlace(deploymentId, username, place, usedSeen <= 1);
  const settled = settleSession(freed.value);
  const put = await ports.store.putSession(settled, freed);
  return put.kind === 'done' ? { value: settled, revision: put.revision } : undefined;
}

/**
 * Takes the place of a freed session out of the count, wherever it lies, if it is in. A reading is cheaper than a write
 * that is refused. `seen`: a reading of the roster, which may lag: it proves that a place is in, never that it is out.
 */
export async function uncount(store: SessionStore, freed: Session, seen?: Roster): Promise<void> {
  const { deploymentId, username, place } = freed;
  if (isWide(place)) {
    if (await store.holds(freed)) await store.removePlace(deploymentId, username, place, false);
    return;
  }
  const roster = seen?.places.has(place) === true ? seen : await store.readRoster(deploymentId, username);
  if (roster.places.has(place)) await store.removePlace(deploymentId, username, place, roster.used <= 1);
}

/**
 * Uncounts a session that is over, before its record forgets the place (a new life begins on it) or its client id changes
 * hands: afterwards only a recount would find that place. Answers the record as it stands then; undefined where another
 * process wrote first, and the caller looks again.
 *
 * Invariant: I2, a place is in the count for no longer than its record names it.
 * Race: a session that comes back at the same moment has another revision, so its tombstone is refused; a second process
 * that uncounts the same place finds it gone.
 * On crash: too many, by one: the record still names the place, and the next call finishes the work.
 */
export async function uncountOver(
  ports: FreePorts,
  over: Stored<Session>,
  seen?: Roster,
): Promise<Stored<Session> | undefined> {
  if (over.value.holding === 'freed') {
    await uncount(ports.store, over.value, seen);
    return over;
  }
  const now = ports.clock.now();
  // One that has run out is found by when it was due; another by what is written here.
  const freed = freeSession(over.value, isLive(over.value, now) ? { owes: true, findAt: now } : { owes: true });
  const put = await ports.store.putSession(freed, over);
  if (put.kind === 'changed') return undefined;
  const tombstone = { value: freed, revision: put.revision };
  // A folded session was uncounted by the same write.
  return freed.owes === true ? settleFreed(ports, tombstone, seen?.used ?? 2) : tombstone;
}

/**
 * Frees a username's expired sessions, earliest first, at most `limit`, and moves entries of the due index that came
 * too early.
 */
export async function freeExpired(
  ports: FreePorts,
  deploymentId: DeploymentId,
  username: Username,
  options: { readonly limit: number; readonly wide: boolean },
): Promise<ExpiredPage> {
  const { store, clock } = ports;
  const due = await store.listDue(deploymentId, username, clock.now(), options.limit, options.wide);
  const freed = await Promise.all(
    due.map(async (clientId) => {
      const stored = await store.readSession({ deploymentId, username, clientId });
      return stored === undefined ? 'nothing' : freeIfExpired(ports, stored);
    }),
  );
  return {
    freed: freed.filter((one) => one === 'freed').length,
    // The index may lag: a page that changes nothing would come back as it is.
    more: due.length === options.limit && freed.some((one) => one !== 'nothing'),
  };
}

export interface ExpiredPage {
  /** Places freed. */
  readonly freed: number;
  /** More may be due. */
  readonly more: boolean;
}

/**
 * Conditional on the record as read: a session that came back in between has another revision and is left alone.
 * The tombstone keeps its index entry until the place is out of the roster.
 */
async function freeIfExpired(ports: FreePorts, stored: Stored<Session>): Promise<'freed' | 'moved' | 'nothing'> {
  const { store, clock } = ports;
  const session = stored.value;
  if (session.holding === 'freed') {
    if (session.owes === true) await settleFreed(ports, stored, 2);
    return session.owes === true ? 'freed' : 'nothing';
  }
  if (isLive(session, clock.now())) {
    const put = await store.putSession(postponeDue(session), stored);
    return put.kind === 'done' ? 'moved' : 'nothing';
  }
  const freed = freeSession(session, { owes: true });
  const put = await store.putSession(freed, stored);
  if (put.kind === 'changed') return 'nothing';
  if (freed.owes === true) await settleFreed(ports, { value: freed, revision: put.revision }, 2);
  return 'freed';
}

/**
 * Counts a live session that no roster holds, over the limit if need be. Whoever frees it in between finds no place to
 * take out, so that is looked at afterwards: a place never outlives its session. Safe to repeat.
 */
export async function countAgain(store: SessionStore, session: Session): Promise<'counted' | 'present' | 'gone'> {
  const { deploymentId, username, place, dueAt } = session;
  if (session.folded === true) return 'present';
  // A lane does not know when the roster wakes.
  if (isWide(place)) await store.lowerWake(deploymentId, username, dueAt);
  const outcome = await store.addPlace(deploymentId, username, place, Number.POSITIVE_INFINITY, dueAt, {
    forced: true,
  });
  if (outcome.kind !== 'added') return 'present';
  const now = await store.readSession(session);
  const live = now !== undefined && now.value.holding !== 'freed' && now.value.place === place;
  if (live && now.value.folded !== true) return 'counted';
  // Folded meanwhile, it was counted all the time.
  await store.removePlace(deploymentId, username, place, false);
  return live ? 'present' : 'gone';
}
