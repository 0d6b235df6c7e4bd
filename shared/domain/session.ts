// A session and what may happen to it. Pure: every function takes what is known and answers the next record.
//
// Two things are kept apart. `holding` is what has been proven: a new session that nobody has confirmed yet, a
// connection, a retained session, or nothing. An attempt (`leaseUntil` present) is what may come on top of it. While
// an attempt is pending nothing frees, and a failed attempt leaves what was there (S12).
//
// Whether a session is counted is not said here: a session counts if its place is in its username's roster.

import type { AttemptId, ClientId, DeploymentId, Place, Username } from './ids.ts';
import { addSeconds, later, type Ms, type Seconds, seconds } from './time.ts';

/** One connection as the broker numbers it. Versions reset: compare for equality only. */
export interface Pair {
  readonly sessionIdentifier: string;
  readonly versionNumber: number;
}

/** Who tells what becomes of the latest attempt: the front door, which knows attempts, or broker events only. */
export type Witness = 'door' | 'broker';

/** The end of a connection. */
export interface Ending {
  readonly at: Ms;
  readonly expirySeconds: Seconds;
}

export interface Session {
  readonly deploymentId: DeploymentId;
  readonly username: Username;
  readonly clientId: ClientId;
  /** Changes with each life of the session. */
  readonly place: Place;
  /** The latest attempt. */
  readonly attempt: AttemptId;
  readonly witness: Witness;
  readonly holding: 'new' | 'connected' | 'retained' | 'freed';
  /** Present while the latest attempt is pending. */
  readonly leaseUntil?: Ms;
  /** Until then it counts, whatever is heard or not heard. */
  readonly countsUntil: Ms;
  /** When somebody must look at it; never later than countsUntil. */
  readonly dueAt: Ms;
  /** Freed, but its place may still be in the roster. */
  readonly owes?: true;
  /** What countsUntil was before the pending attempt raised it. */
  readonly fallbackUntil?: Ms;
  /** How the connection that is `connected` ended while a newer attempt was pending. */
  readonly ended?: Ending;
  /** The attempt that `connected` speaks of, where the front door told. */
  readonly confirmedAttempt?: AttemptId;
  /** The attempt whose connection is known to be over. */
  readonly overAttempt?: AttemptId;
  /** The connection that `connected` speaks of, where a broker event told. */
  readonly pair?: Pair;
  /** The last few pairs known to be over. */
  readonly closedPairs: readonly Pair[];
  /**
   * Attempts have overlapped, so an event of one may be taken for another's: nothing is freed on an event alone, the
   * broker is asked.
   */
  readonly overlap: boolean;
  readonly expirySeconds: Seconds;
  /** The front door or the broker has told the expiry of this connection; otherwise the deployment's stands in. */
  readonly expiryTold?: true;
  /** The expiry that the pending attempt was admitted with. */
  readonly attemptExpirySeconds?: Seconds;
  /** The username that held this client id when a takeover was allowed (S9). */
  readonly supersedes?: Username;
  /** Counted again over the limit, because a connection nobody knew turned up. */
  readonly recounted: boolean;
  readonly admittedAt: Ms;
  readonly connectedAt?: Ms;
  readonly disconnectedAt?: Ms;
  readonly protocolVersion?: 3 | 4 | 5;
  readonly ipAddress?: string;
}

export interface Policy {
  readonly leaseSeconds: Seconds;
  /** The broker cuts a connection this long after its CONNECT. */
  readonly maxConnectionSeconds: Seconds;
}

export interface Admission {
  readonly attempt: AttemptId;
  readonly witness: Witness;
  readonly at: Ms;
  readonly expirySeconds: Seconds;
  readonly protocolVersion?: 3 | 4 | 5;
  readonly ipAddress?: string;
}

const closedPairsKept = 4;

/** A CONNECT reaches the broker at most this long after its admission: the authorizer's 5 s, or a ticket's 10. */
export const connectGraceSeconds = seconds(10);

/** Live: it may count. A time that has run out frees it, however late the database removes its item (S11). */
export function isLive(session: Session, now: Ms): boolean {
  return session.holding !== 'freed' && session.countsUntil > now;
}

/**
 * The latest a connection made by an attempt of `at` can count, whatever is lost (S13). The broker's day begins when the
 * CONNECT reaches it, not when it was admitted.
 */
function upperBound(at: Ms, expirySeconds: Seconds, policy: Policy): Ms {
  return addSeconds(addSeconds(addSeconds(at, connectGraceSeconds), policy.maxConnectionSeconds), expirySeconds);
}

/**
 * An attempt may still be on its way to the broker: that nothing is there yet proves nothing. Of attempts that
 * overlapped the latest was admitted last, so the others have arrived when it must have.
 */
export function isOnItsWay(session: Session, now: Ms): boolean {
  if (session.leaseUntil !== undefined && session.leaseUntil > now) return true;
  return session.overlap && addSeconds(session.admittedAt, connectGraceSeconds) > now;
}

export function samePair(a: Pair | undefined, b: Pair): boolean {
  return a !== undefined && a.sessionIdentifier === b.sessionIdentifier && a.versionNumber === b.versionNumber;
}

function traits(admission: Admission): Pick<Session, 'protocolVersion' | 'ipAddress'> {
  return {
    ...(admission.protocolVersion === undefined ? {} : { protocolVersion: admission.protocolVersion }),
    ...(admission.ipAddress === undefined ? {} : { ipAddress: admission.ipAddress }),
  };
}

/** A session that did not live before. `before` is its tombstone or its expired record, whose closed pairs stay known. */
export function startSession(
  names: { readonly deploymentId: DeploymentId; readonly username: Username; readonly clientId: ClientId },
  place: Place,
  admission: Admission,
  policy: Policy,
  before: Session | undefined,
  hands: { readonly changed: boolean; readonly supersedes?: Username | undefined },
): Session {
  const countsUntil = upperBound(admission.at, admission.expirySeconds, policy);
  const closed = before === undefined ? [] : closedWith(before, before.pair);
  return {
    deploymentId: names.deploymentId,
    username: names.username,
    clientId: names.clientId,
    place,
    attempt: admission.attempt,
    witness: admission.witness,
    holding: 'new',
    leaseUntil: addSeconds(admission.at, policy.leaseSeconds),
    countsUntil,
    // As if it kept nothing: when its expiry is told, shorter or longer, no index entry has to move.
    dueAt: upperBound(admission.at, seconds(0), policy),
    closedPairs: closed,
    // Of the username that had the client id before, no pair is known here: its events can be mistaken too.
    overlap:
      (hands.changed && admission.witness === 'broker') || (before !== undefined && mayBeMistaken(before, admission)),
    expirySeconds: admission.expirySeconds,
    ...(hands.supersedes === undefined ? {} : { supersedes: hands.supersedes }),
    recounted: false,
    admittedAt: admission.at,
    ...traits(admission),
  };
}

/** Events this old are settled by asking the broker only: a replayed dead-letter queue. */
export const staleEventSeconds = seconds(3_600);

/** Events of the connections before can still come, and be taken for those of the attempt that comes now. */
function mayBeMistaken(before: Session, admission: Admission): boolean {
  const lastHeard = later(before.admittedAt, before.disconnectedAt ?? before.admittedAt);
  if (addSeconds(lastHeard, staleEventSeconds) < admission.at) return false;
  return before.overlap || (before.witness === 'door' && admission.witness === 'broker');
}

/** Its life is over, but not all of its events have come: the front door's name their attempt, the broker's do not. */
function hasEventsToCome(session: Session): boolean {
  if (session.witness === 'door') return false;
  if (session.overlap || session.leaseUntil !== undefined) return true;
  return session.holding === 'connected' && session.pair === undefined;
}

/**
 * A CONNECT over a live session (S3). It shortens nothing: the time that counts only grows, and what was there stays
 * to fall back on. `dueAt` stays too, so that a reconnect moves no index entry but its lease.
 */
export function meetSession(session: Session, admission: Admission, policy: Policy, supersedes?: Username): Session {
  const pendingBefore = session.leaseUntil !== undefined;
  return {
    ...session,
    attempt: admission.attempt,
    witness: admission.witness,
    leaseUntil: addSeconds(admission.at, policy.leaseSeconds),
    countsUntil: later(session.countsUntil, upperBound(admission.at, admission.expirySeconds, policy)),
    fallbackUntil: session.fallbackUntil ?? session.countsUntil,
    // Two attempts on their way may reach the broker in the other order. To the front door a connection it knows of is
    // older than an attempt that comes after it; broker events do not name attempts and can be mistaken.
    overlap:
      pendingBefore ||
      (session.holding === 'connected' ? session.overlap : mayBeMistaken(session, admission)) ||
      (session.holding === 'connected' && admission.witness === 'broker'),
    attemptExpirySeconds: admission.expirySeconds,
    ...(supersedes === undefined ? {} : { supersedes }),
    admittedAt: admission.at,
    ...traits(admission),
  };
}

export interface Confirmation {
  readonly at: Ms;
  /** What the session will keep when it ends; undefined: as admitted. */
  readonly expirySeconds: Seconds | undefined;
  readonly attempt?: AttemptId;
  readonly pair?: Pair;
  readonly ipAddress?: string;
}

/** The latest attempt has become a connection. */
export function confirmSession(session: Session, told: Confirmation, policy: Policy): Session {
  const {
    leaseUntil: _l,
    fallbackUntil: _f,
    ended: _e,
    supersedes: _s,
    expiryTold: _t,
    attemptExpirySeconds,
    pair,
    confirmedAttempt: _a,
    disconnectedAt: _d,
    ...kept
  } = session;
  const expirySeconds = told.expirySeconds ?? attemptExpirySeconds ?? session.expirySeconds;
  const bound = upperBound(later(session.admittedAt, told.at), expirySeconds, policy);
  // The broker, when it is asked, tells no pair: it may be the one that is known.
  const now = told.pair ?? (told.attempt === undefined ? pair : undefined);
  // With overlap it may be another attempt that is told of: nothing is shortened.
  const countsUntil = session.overlap ? later(session.countsUntil, bound) : bound;
  return {
    ...kept,
    holding: 'connected',
    countsUntil,
    // An entry that lies too early costs one look; moving it here would cost every confirm two index writes.
    dueAt: session.dueAt < countsUntil ? session.dueAt : countsUntil,
    expirySeconds,
    ...(told.expirySeconds === undefined ? {} : { expiryTold: true as const }),
    connectedAt: told.at,
    ...(told.attempt === undefined ? {} : { confirmedAttempt: told.attempt }),
    ...(now === undefined ? {} : { pair: now }),
    ...(told.ipAddress === undefined ? {} : { ipAddress: told.ipAddress }),
    closedPairs: now !== undefined && samePair(pair, now) ? session.closedPairs : closedWith(session, pair),
  };
}

/** The connection is over: freed, or retained until its expiry (S10). */
export function endSession(session: Session, ending: Ending, now: Ms): Session {
  const {
    leaseUntil: _l,
    fallbackUntil: _f,
    ended: _e,
    attemptExpirySeconds: _x,
    pair,
    confirmedAttempt: _a,
    supersedes: _s,
    ...kept
  } = session;
  const countsUntil = addSeconds(ending.at, ending.expirySeconds);
  // Clocks differ by milliseconds between machines: an expiry of 0 is over at once by any clock.
  const over = ending.expirySeconds === 0 || countsUntil <= now;
  return {
    ...kept,
    holding: over ? 'freed' : 'retained',
    countsUntil,
    dueAt: countsUntil,
    expirySeconds: ending.expirySeconds,
    disconnectedAt: ending.at,
    overAttempt: session.attempt,
    closedPairs: closedWith(session, pair),
    overlap: hasEventsToCome(session),
  };
}

/**
 * Nothing of it is left: proven absent, expired, or ended by a kick. Stays as a tombstone. With `owes` it keeps the
 * index entry through which it was found until its place is out of the roster, so that a crash in between is found
 * again; `findAt` is for who found it otherwise. Without, whoever frees has a message that is delivered again.
 */
export function freeSession(session: Session, options?: { readonly owes: true; readonly findAt?: Ms }): Session {
  const {
    leaseUntil,
    fallbackUntil: _f,
    ended: _e,
    pair,
    confirmedAttempt: _a,
    attemptExpirySeconds: _x,
    ...kept
  } = session;
  return {
    ...kept,
    holding: 'freed',
    closedPairs: closedWith(session, pair),
    overlap: hasEventsToCome(session),
    ...(options === undefined ? {} : { owes: options.owes }),
    ...(options === undefined || (leaseUntil ?? options.findAt) === undefined
      ? {}
      : { leaseUntil: leaseUntil ?? options.findAt }),
  };
}

/** The pending attempt came to nothing: what was there before it is there again. */
export function abandonAttempt(session: Session, now: Ms): Session {
  if (session.holding === 'new') return freeSession(session);
  if (session.ended !== undefined) {
    // The newcomer never came, so the other username's session still stands.
    const { supersedes } = session;
    return { ...endSession(session, session.ended, now), ...(supersedes === undefined ? {} : { supersedes }) };
  }
  const { leaseUntil: _l, fallbackUntil, attemptExpirySeconds: _x, ...kept } = session;
  const countsUntil = fallbackUntil ?? session.countsUntil;
  // A look that was put off for the attempt's sake is due again when it was.
  const dueAt = session.dueAt < countsUntil ? session.dueAt : countsUntil;
  return { ...kept, countsUntil, dueAt, overAttempt: session.attempt };
}

/** The lease is over and nobody can say what became of the attempt: it goes on counting, and is checked again. */
export function extendLease(session: Session, until: Ms): Session {
  return { ...session, leaseUntil: until };
}

/** Something makes the pending attempt doubtful: its lease is checked as soon as its CONNECT cannot be on its way. */
export function hastenLease(session: Session, graceSeconds: Seconds): Session {
  const until = addSeconds(session.admittedAt, graceSeconds);
  return session.leaseUntil === undefined || session.leaseUntil <= until ? session : { ...session, leaseUntil: until };
}

/** The pending attempt is over, but one that it overlapped may be a connection: the lease is checked soon. */
export function doubtAttempt(session: Session): Session {
  return { ...hastenLease(session, connectGraceSeconds), overAttempt: session.attempt };
}

/** An entry of the due index that came too early: the next look is when the session stops counting. */
export function postponeDue(session: Session): Session {
  return { ...session, dueAt: session.countsUntil };
}

/** The freed session's place is out of the roster. */
export function settleSession(session: Session): Session {
  const { owes: _o, leaseUntil: _l, ...kept } = session;
  return kept;
}

/** Remembers that a pair is over. */
export function closePair(session: Session, pair: Pair): Session {
  return { ...session, closedPairs: closedWith(session, pair) };
}

/** The confirmed connection ended while a newer attempt is pending: only noted, nothing frees. */
export function noteEnding(session: Session, ending: Ending, pair: Pair | undefined): Session {
  return { ...session, ended: ending, closedPairs: closedWith(session, pair) };
}

/** A connection turned up for a freed session: it counts again, in a new place, over the limit if need be. */
export function recountSession(session: Session, place: Place, told: Confirmation, policy: Policy): Session {
  const countsUntil = upperBound(told.at, told.expirySeconds ?? session.expirySeconds, policy);
  return {
    ...confirmSession({ ...settleSession(session), place, admittedAt: told.at, dueAt: countsUntil }, told, policy),
    countsUntil,
    dueAt: countsUntil,
    overlap: true,
    recounted: true,
  };
}

export function isClosed(session: Session, pair: Pair): boolean {
  return session.closedPairs.some((closed) => samePair(closed, pair));
}

function closedWith(session: Session, pair: Pair | undefined): readonly Pair[] {
  if (pair === undefined || isClosed(session, pair)) return session.closedPairs;
  return [...session.closedPairs, pair].slice(-closedPairsKept);
}
