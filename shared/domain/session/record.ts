// The record of a session: legal states only. Pure. What it becomes when something is told is in table.ts; how, in
// attempt.ts and outcome.ts; until when, in bounds.ts; and whether the broker speaks of it, in whose.ts.
//
// Two things are kept apart. `phase` is what has been proven: nothing yet, a connection, a retained session, or that it is
// over. `pending` is what may come on top of that, mostly the latest attempt. While something is pending nothing frees,
// and an attempt that fails leaves what was there (S12).
//
// Whether a session is counted is not said here: the counter knows, by its place.

import type { AttemptId, Names, Place, SignerId } from '../ids.ts';
import { addSeconds, later, type Ms, type Seconds, seconds } from '../time.ts';

export interface Session extends Names {
  /** Changes with each life of the session. Its form tells the counter where it is counted: compare with `isSamePlace`. */
  readonly place: Place;
  readonly phase: Phase;
  /** The latest first; of the others those of which something is to be remembered. */
  readonly attempts: Attempts;
  readonly ambiguity: Ambiguity;
  /** Until then it counts, whatever is heard or not heard. */
  readonly countsUntil: Ms;
  /** When somebody must look at it; never later than countsUntil. */
  readonly dueAt: Ms;
  /** The last few pairs known to be over. */
  readonly closedPairs: readonly Pair[];
  readonly expirySeconds: Seconds;
  /** The front door or the broker has told the expiry of this connection; otherwise the deployment's stands in. */
  readonly expiryTold?: true;
  /** Counted over the limit: a connection that nobody knew turned up, or its client was let in without a count (S17). */
  readonly recounted: boolean;
  /**
   * What let in anything that may be behind this session, the latest attempt's last. Only a confirmation of the latest
   * attempt removes the others, so a failed attempt hides no key of the connection below it. Absent: passwords only.
   */
  readonly signedBy?: readonly Voucher[];
}

/** What has been proven of a session. */
export type Phase =
  /** Nobody has confirmed its first attempt yet. */
  | { readonly kind: 'new'; readonly pending: Pending }
  | {
      readonly kind: 'connected';
      readonly pending?: Pending;
      readonly made: Made;
      /** The connection, where a broker event told it. */
      readonly pair?: Pair;
      /** How it ended, while an attempt is pending or the broker is still to be asked what it keeps. */
      readonly ending?: Ending;
    }
  | {
      readonly kind: 'retained';
      readonly pending?: Pending;
      readonly made?: Made;
      readonly disconnectedAt: Ms;
      /** A kick ended it while an attempt is pending. */
      readonly ending?: Ending;
    }
  | {
      /** A tombstone. */
      readonly kind: 'ended';
      /** Its place may be in the roster yet. */
      readonly uncountPending?: UncountPending;
      readonly made?: Made;
      readonly disconnectedAt?: Ms;
    };

/** What is not known yet of a session. The sweeper asks the broker when the time has come. */
export interface Pending {
  readonly until: Ms;
  /** What countsUntil was before an attempt raised it; absent where no attempt has come on top. */
  readonly fallbackUntil?: Ms;
  /** The expiry that this attempt was admitted with. */
  readonly expirySeconds?: Seconds;
  /** A broker event told the end of a connection meanwhile: perhaps of this attempt's. */
  readonly endHeard?: true;
}

export interface UncountPending {
  /** When the sweeper looks; absent where it is found by when the session was due. */
  readonly findAt?: Ms;
}

/** When a connection was made. */
export interface Made {
  readonly at: Ms;
  /** An event told it, and its timestamp may be minutes off [AWS: presence event timestamps]. */
  readonly unsure?: true;
}

/** The end of a connection. */
export interface Ending {
  readonly at: Ms;
  /** The longest that the broker may keep the session. */
  readonly expirySeconds: Seconds;
  /** The broker may keep it for less, and has not been asked (S10). */
  readonly unproven?: true;
}

/** One connection as the broker numbers it. Versions reset: compare for equality only. */
export interface Pair {
  readonly sessionIdentifier: string;
  readonly versionNumber: number;
}

export type Attempts = readonly [LatestAttempt, ...Attempt[]];

/** One CONNECT that was admitted. */
export interface Attempt {
  readonly id: AttemptId;
  /**
   * `open`: nothing has been told of it, and one that is not the latest may be on its way to the broker. `connected`: the
   * front door told that it is the connection of this phase; `ended`: and that this is over. `over`: it is no connection,
   * or none any more. `kicked`: over, but it may be on its way yet. `forgotten`: it does not matter any more.
   * At most one is `connected` or `ended`, and at most one `over`, `kicked` or `ended`.
   */
  readonly state: 'open' | 'connected' | 'ended' | 'over' | 'kicked' | 'forgotten';
  /** Let in without a count, and counted here: its message may come again (S17). */
  readonly uncounted?: true;
}

export interface LatestAttempt extends Attempt {
  readonly source: Witness;
  readonly admittedAt: Ms;
  readonly protocolVersion?: 3 | 4 | 5;
  readonly ipAddress?: string;
}

/** Who tells what becomes of an attempt: the front door, which knows attempts, or broker events only. */
export type Witness = 'door' | 'broker';

/**
 * Attempts have overlapped, so an event of one may be taken for another's: nothing is freed on an event alone, the broker
 * is asked. `inFlightKnown`: all of them are the front door's, and `attempts` names those that may be on their way to the
 * broker. `unknown`: anything else has overlapped, so that nobody can tell.
 */
export type Ambiguity = 'none' | 'inFlightKnown' | 'unknown';

/** What let an attempt in: the key that its token was verified with, or a password. */
export type Voucher = SignerId | 'password';

/** What the broker tells of a client id that it knows. */
export type BrokerTells =
  | { readonly kind: 'connected'; readonly since?: Ms }
  | { readonly kind: 'retained'; readonly disconnectedAt?: Ms; readonly askedAt?: Ms };

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
  /** The key that verified its token; absent for a password. */
  readonly signedBy?: SignerId;
  readonly protocolVersion?: 3 | 4 | 5;
  readonly ipAddress?: string;
}

const closedPairsKept = 4;

/** A tombstone is kept this long at least, so that a late event finds its username, and a kick its client id. */
const tombstoneSeconds = seconds(7_200);

export function pendingOf({ phase }: Session): Pending | undefined {
  return phase.kind === 'ended' ? undefined : phase.pending;
}

export function madeOf({ phase }: Session): Made | undefined {
  return phase.kind === 'new' ? undefined : phase.made;
}

export function disconnectedAtOf({ phase }: Session): Ms | undefined {
  return phase.kind === 'retained' || phase.kind === 'ended' ? phase.disconnectedAt : undefined;
}

export function withPending(session: Session, pending: Pending): Session {
  return session.phase.kind === 'ended' ? session : { ...session, phase: { ...session.phase, pending } };
}

/** A tombstone is kept until then: past the end of whatever the broker had granted to the session (S15). */
export function tombstoneUntil(session: Session): Ms {
  const { attempts, countsUntil, dueAt } = session;
  const { admittedAt } = attempts[0];
  // One that no connection was ever known of is remembered for as long as a connection without an expiry.
  const bound = madeOf(session) === undefined && dueAt < countsUntil ? dueAt : countsUntil;
  return addSeconds(later(later(admittedAt, disconnectedAtOf(session) ?? admittedAt), bound), tombstoneSeconds);
}

/** The records say that its session is over; or has expired, and the sweeper has not been there yet. */
export function isTombstone(session: Session, now: Ms): boolean {
  return !isLive(session, now) && tombstoneUntil(session) > now;
}

/**
 * Freed before the expiry had run out that the broker granted, or at its upper bound, because no end was ever told: it says
 * that nothing is left there, and the broker alone knows.
 */
export function mayLiveOn(session: Session, now: Ms): boolean {
  const { phase, expirySeconds, countsUntil } = session;
  if (phase.kind !== 'ended' || expirySeconds === 0 || !isTombstone(session, now)) return false;
  return countsUntil > now || (phase.made !== undefined && phase.disconnectedAt === undefined);
}

/**
 * Over, and the broker keeps nothing of it: its expiry was 0, by the word of a packet or of the broker. Of any other that is
 * over the broker alone knows: it was ended early, or its expiry ran out less than half an hour ago.
 */
export function leftNothing(session: Session, now: Ms): boolean {
  const isTold = session.attempts[0].source === 'door' || session.expiryTold === true;
  return !isLive(session, now) && session.expirySeconds === 0 && isTold;
}

/** Live: it may count. A time that has run out frees it, however late the database removes its item (S11). */
export function isLive(session: Session, now: Ms): boolean {
  return session.phase.kind !== 'ended' && session.countsUntil > now;
}

export function samePair(a: Pair | undefined, b: Pair): boolean {
  return a !== undefined && a.sessionIdentifier === b.sessionIdentifier && a.versionNumber === b.versionNumber;
}

/** Its connection is over, no attempt has come on top of it, and the broker has not said yet what it keeps. */
export function awaitsProof({ phase }: Session): boolean {
  return phase.kind === 'connected' && phase.ending?.unproven === true && phase.pending?.fallbackUntil === undefined;
}

export function isClosed(session: Session, pair: Pair): boolean {
  return session.closedPairs.some((closed) => samePair(closed, pair));
}

export function closedWith(session: Session, pair: Pair | undefined): readonly Pair[] {
  if (pair === undefined || isClosed(session, pair)) return session.closedPairs;
  return [...session.closedPairs, pair].slice(-closedPairsKept);
}

/** How what was there before the pending attempt has ended. */
export function endingOf({ phase }: Session): Ending | undefined {
  return phase.kind === 'connected' || phase.kind === 'retained' ? phase.ending : undefined;
}

/** The pair of the connection that is known. */
export function pairOf({ phase }: Session): Pair | undefined {
  return phase.kind === 'connected' ? phase.pair : undefined;
}

/** Over, and its place may be in the roster yet. */
export function owesPlace({ phase }: Session): boolean {
  return phase.kind === 'ended' && phase.uncountPending !== undefined;
}
