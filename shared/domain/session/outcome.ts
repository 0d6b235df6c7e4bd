// What a session becomes when something is known of it: a connection, retained, freed, or counted again. Pure: each
// function takes what is known and answers the next record.

import type { AttemptId, Place } from '../ids.ts';
import { addSeconds, later, type Ms, type Seconds } from '../time.ts';
import { upperBound } from './bounds.ts';
import { closedWith, type Ending, type Pair, type Policy, type Session, samePair } from './record.ts';

/** What let in the connection that is known now. Where attempts have overlapped, it may be any of them. */
function confirmedVouchers({ signedBy, overlap }: Session): Pick<Session, 'signedBy'> {
  if (signedBy === undefined) return {};
  const latest = signedBy.at(-1);
  if (overlap || latest === undefined) return { signedBy };
  return latest === 'password' ? {} : { signedBy: [latest] };
}

/** Its life is over, but not all of its events have come: the front door's name their attempt, the broker's do not. */
function hasEventsToCome(session: Session): boolean {
  if (session.witness === 'door') return false;
  if (session.overlap || session.leaseUntil !== undefined) return true;
  return session.holding === 'connected' && session.pair === undefined;
}

export interface Confirmation {
  readonly at: Ms;
  /** `at` may be minutes off. */
  readonly unsure?: true;
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
    expiryTold: _t,
    attemptExpirySeconds,
    pair,
    confirmedAttempt: _a,
    disconnectedAt: _d,
    connectedAtUnsure: _c,
    endHeard: _h,
    signedBy: _s,
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
    ...confirmedVouchers(session),
    holding: 'connected',
    countsUntil,
    // An entry that lies too early costs one look; moving it here would cost every confirm two index writes.
    dueAt: session.dueAt < countsUntil ? session.dueAt : countsUntil,
    expirySeconds,
    ...(told.expirySeconds === undefined ? {} : { expiryTold: true as const }),
    connectedAt: told.at,
    ...(told.unsure === undefined ? {} : { connectedAtUnsure: told.unsure }),
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
    endHeard: _h,
    underway: _u,
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
 * Nothing of it is left: proven absent, expired, ended by a kick or a takeover, or never admitted. Stays as a tombstone. With `owes` it keeps the
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
    endHeard: _h,
    underway: _u,
    ...kept
  } = session;
  const findAt = leaseUntil ?? options?.findAt;
  const owes = options !== undefined;
  return {
    ...kept,
    holding: 'freed',
    closedPairs: closedWith(session, pair),
    overlap: hasEventsToCome(session),
    ...(owes ? { owes } : {}),
    ...(owes && findAt !== undefined ? { leaseUntil: findAt } : {}),
  };
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
  return { ...outlive(session, ending), ended: ending, closedPairs: closedWith(session, pair) };
}

/**
 * The connection is known to be over, and the broker is to be asked for how long it keeps the session: until it answers,
 * the session counts for at least as long as that may be (S10).
 */
export function awaitProof(session: Session, ending: Ending): Session {
  return { ...outlive(session, ending), ended: { ...ending, unproven: true } };
}

/** A DISCONNECT may have asked for a longer expiry than the CONNECT: it counts for at least as long. */
export function outlive(session: Session, ending: Ending): Session {
  const until = addSeconds(ending.at, ending.expirySeconds);
  return until <= session.countsUntil ? session : { ...session, countsUntil: until };
}

/** A connection that was made at `at` counts for as long as it may last. */
export function outlast(session: Session, at: Ms, expirySeconds: Seconds, policy: Policy): Session {
  const until = upperBound(at, expirySeconds, policy);
  return until <= session.countsUntil ? session : { ...session, countsUntil: until };
}

/** A connection turned up for a freed session: it counts again, in a new place, over the limit if need be. */
export function recountSession(session: Session, place: Place, told: Confirmation, policy: Policy): Session {
  const countsUntil = upperBound(told.at, told.expirySeconds ?? session.expirySeconds, policy);
  return {
    ...confirmSession({ ...settleSession(session), place, admittedAt: told.at, dueAt: countsUntil }, told, policy),
    ...(session.signedBy === undefined ? {} : { signedBy: session.signedBy }),
    countsUntil,
    dueAt: countsUntil,
    overlap: true,
    recounted: true,
  };
}
