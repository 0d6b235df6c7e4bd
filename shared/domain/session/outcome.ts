// What an outcome makes of a record: connected, retained, ended, or counted again. Pure: each function takes what is known
// and answers the next record.

import type { AttemptId, Place } from '../ids.ts';
import { addSeconds, later, type Ms, type Seconds } from '../time.ts';
import { confirmAttempt, landed, latestOver, mapStates, noneConfirmed } from './attempts.ts';
import { upperBound } from './bounds.ts';
import {
  closedWith,
  disconnectedAtOf,
  type Ending,
  endingOf,
  type Made,
  madeOf,
  type Pair,
  type Policy,
  pairOf,
  pendingOf,
  type Session,
  samePair,
  type UncountPending,
} from './record.ts';

/** The vouchers of the known connection. Where attempts have overlapped, it may be any of them. */
function confirmedVouchers({ signedBy, ambiguity }: Session): Pick<Session, 'signedBy'> {
  if (signedBy === undefined) return {};
  const latest = signedBy.at(-1);
  if (ambiguity !== 'none' || latest === undefined) return { signedBy };
  return latest === 'password' ? {} : { signedBy: [latest] };
}

/** A life is over: no attempt is on its way. Its messages may still come; only the front door's name their attempt. */
function lifeOver(session: Session): Session {
  const { phase, ambiguity, attempts } = session;
  const isUnnumbered = phase.kind === 'connected' && phase.pair === undefined;
  const isUnsure = ambiguity !== 'none' || pendingOf(session) !== undefined || isUnnumbered;
  const hasEventsToCome = attempts[0].source === 'broker' && isUnsure;
  const over = mapStates(noneConfirmed(session), landed);
  return {
    ...over,
    closedPairs: closedWith(session, pairOf(session)),
    ambiguity: hasEventsToCome ? 'unknown' : 'none',
  };
}

export interface Confirmation {
  readonly at: Ms;
  /** `at` may be minutes off. */
  readonly unsure?: true;
  /** How long the session is kept after its connection; undefined: as admitted. */
  readonly expirySeconds: Seconds | undefined;
  readonly attempt?: AttemptId;
  readonly pair?: Pair;
  readonly ipAddress?: string;
}

/** The latest attempt has become a connection. */
export function confirmSession(session: Session, told: Confirmation, policy: Policy): Session {
  const { expiryTold: _t, signedBy: _s, ...kept } = confirmAttempt(session, told.attempt);
  const [latest, ...earlier] = kept.attempts;
  const expirySeconds = told.expirySeconds ?? pendingOf(session)?.expirySeconds ?? session.expirySeconds;
  const bound = upperBound(later(latest.admittedAt, told.at), expirySeconds, policy);
  // An answer of the broker tells no pair: its connection may be the known one.
  const known = pairOf(session);
  const pair = told.pair ?? (told.attempt === undefined ? known : undefined);
  // With ambiguity the connection may be another attempt's, so nothing is shortened.
  const countsUntil = session.ambiguity === 'none' ? bound : later(session.countsUntil, bound);
  return {
    ...kept,
    ...confirmedVouchers(session),
    phase: {
      kind: 'connected',
      made: { at: told.at, ...(told.unsure === undefined ? {} : { unsure: told.unsure }) },
      ...(pair === undefined ? {} : { pair }),
    },
    attempts: told.ipAddress === undefined ? kept.attempts : [{ ...latest, ipAddress: told.ipAddress }, ...earlier],
    countsUntil,
    // An entry that lies too early costs one look; moving it here would cost every confirm two index writes.
    dueAt: session.dueAt < countsUntil ? session.dueAt : countsUntil,
    expirySeconds,
    ...(told.expirySeconds === undefined ? {} : { expiryTold: true as const }),
    closedPairs: pair !== undefined && samePair(known, pair) ? session.closedPairs : closedWith(session, known),
  };
}

/** The connection is over, and no attempt is pending: freed, or retained until its expiry (S10). */
export function endSession(session: Session, ending: Ending, now: Ms): Session {
  return endOf(latestOver(lifeOver(session)), ending, now, madeOf(session));
}

/** The same by the broker's word, which tells nothing about attempts: the latest one may connect after all. */
export function endUnheard(session: Session, ending: Ending, now: Ms): Session {
  return endOf(lifeOver(session), ending, now, madeOf(session));
}

function endOf(over: Session, ending: Ending, now: Ms, made?: Made): Session {
  const countsUntil = addSeconds(ending.at, ending.expirySeconds);
  // Clocks differ by milliseconds between machines: an expiry of 0 is over at once by any clock.
  const isOverNow = ending.expirySeconds === 0 || countsUntil <= now;
  const known = { ...(made === undefined ? {} : { made }), disconnectedAt: ending.at };
  return {
    ...over,
    phase: isOverNow ? { kind: 'ended', ...known } : { kind: 'retained', ...known },
    countsUntil,
    dueAt: countsUntil,
    expirySeconds: ending.expirySeconds,
  };
}

/**
 * Nothing of the session is left: proven absent, expired, ended by a kick or takeover, or never admitted. The record stays
 * as a tombstone. With `owes` it keeps an index entry until its place is out of the roster, so that the sweeper finds it
 * after a crash. That is the entry of its lease, else one at `findAt`, else the one in the due index. Without `owes` the
 * caller has a message that is delivered again.
 */
export function freeSession(session: Session, options?: { readonly owes: true; readonly findAt?: Ms }): Session {
  const findAt = pendingOf(session)?.until ?? options?.findAt;
  const uncountPending: UncountPending = findAt === undefined ? {} : { findAt };
  const made = madeOf(session);
  const disconnectedAt = disconnectedAtOf(session);
  return {
    ...lifeOver(session),
    phase: {
      kind: 'ended',
      ...(made === undefined ? {} : { made }),
      ...(disconnectedAt === undefined ? {} : { disconnectedAt }),
      ...(options === undefined ? {} : { uncountPending }),
    },
  };
}

/** A tombstone whose place may still be in the roster; the sweeper looks at it at `findAt`. */
export function owing(session: Session, findAt: Ms): Session {
  const { phase } = session;
  return phase.kind === 'ended' ? { ...session, phase: { ...phase, uncountPending: { findAt } } } : session;
}

/** The due index led here too early: the next look is when the session stops counting. */
export function postponeDue(session: Session): Session {
  return { ...session, dueAt: session.countsUntil };
}

/** The freed session's place is out of the roster. */
export function settleSession(session: Session): Session {
  if (session.phase.kind !== 'ended') return session;
  const { uncountPending: _u, ...phase } = session.phase;
  return { ...session, phase };
}

/** Remembers that a pair is over. */
export function closePair(session: Session, pair: Pair): Session {
  return { ...session, closedPairs: closedWith(session, pair) };
}

/** The confirmed connection ended while a newer attempt is pending: the end is noted and frees nothing. */
export function noteEnding(session: Session, ending: Ending, pair: Pair | undefined): Session {
  // What was ended for good, by a kick or a takeover, keeps nothing, whatever its end is told as later.
  const before = endingOf(session);
  const isForGood = before?.expirySeconds === 0 && before.unproven !== true;
  const noted = isForGood ? session : withEnding(outlive(session, ending), ending);
  return { ...noted, closedPairs: closedWith(session, pair) };
}

/**
 * The connection is over, and the broker is still to say how long it keeps the session. Until it answers, the session counts
 * for at least as long as that may be (S10).
 */
export function awaitProof(session: Session, ending: Ending): Session {
  return withEnding(outlive(session, ending), { ...ending, unproven: true });
}

/** A session that is not confirmed has no end to remember. */
function withEnding(session: Session, ending: Ending): Session {
  const { phase } = session;
  if (phase.kind !== 'connected' && phase.kind !== 'retained') return session;
  return { ...session, phase: { ...phase, ending } };
}

/** A DISCONNECT may have asked for a longer expiry than the CONNECT: the session counts for at least as long. */
export function outlive(session: Session, ending: Ending): Session {
  return countAtLeast(session, addSeconds(ending.at, ending.expirySeconds));
}

/** A connection that was made at `at` counts for as long as it may last. */
export function outlast(session: Session, at: Ms, expirySeconds: Seconds, policy: Policy): Session {
  return countAtLeast(session, upperBound(at, expirySeconds, policy));
}

function countAtLeast(session: Session, until: Ms): Session {
  return until <= session.countsUntil ? session : { ...session, countsUntil: until };
}

/** A connection turned up for a freed session: it counts again, in a new place, over the limit if need be. */
export function recountSession(session: Session, place: Place, told: Confirmation, policy: Policy): Session {
  const countsUntil = upperBound(told.at, told.expirySeconds ?? session.expirySeconds, policy);
  const again = withAdmittedAt({ ...session, place, dueAt: countsUntil }, told.at);
  return {
    ...confirmSession(again, told, policy),
    ...(session.signedBy === undefined ? {} : { signedBy: session.signedBy }),
    countsUntil,
    dueAt: countsUntil,
    ambiguity: 'unknown',
    recounted: true,
  };
}

/** The same for a session that is retained by the broker's word, which does not say when it was connected. */
export function recountRetained(session: Session, place: Place, ending: Ending, policy: Policy, now: Ms): Session {
  const again = recountSession(session, place, ending, policy);
  return endOf(lifeOver(withAdmittedAt(again, session.attempts[0].admittedAt)), ending, now);
}

/** Sets the time of the latest attempt: it was admitted, or came to the broker, at `at`. */
export function withAdmittedAt(session: Session, at: Ms): Session {
  const [latest, ...earlier] = session.attempts;
  return { ...session, attempts: [{ ...latest, admittedAt: at }, ...earlier] };
}
