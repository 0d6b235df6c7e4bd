// The record of a session. Pure. What it becomes is in attempt.ts and outcome.ts, until when in bounds.ts, and whether the
// broker speaks of it in whose.ts.
//
// Two things are kept apart. `holding` is what has been proven: a new session that nobody has confirmed yet, a
// connection, a retained session, or nothing. An attempt (`leaseUntil` present) is what may come on top of it. While
// an attempt is pending nothing frees, and a failed attempt leaves what was there (S12).
//
// Whether a session is counted is not said here: the counter knows, by its place.

import type { AttemptId, ClientId, DeploymentId, Place, SignerId, Username } from '../ids.ts';
import { addSeconds, later, type Ms, type Seconds, seconds } from '../time.ts';

/** One connection as the broker numbers it. Versions reset: compare for equality only. */
export interface Pair {
  readonly sessionIdentifier: string;
  readonly versionNumber: number;
}

/** Who tells what becomes of the latest attempt: the front door, which knows attempts, or broker events only. */
export type Witness = 'door' | 'broker';

/** What let an attempt in: the key that its token was verified with, or a password. */
export type Voucher = SignerId | 'password';

/** The end of a connection. */
export interface Ending {
  readonly at: Ms;
  /** The longest that the broker may keep the session. */
  readonly expirySeconds: Seconds;
  /** The broker may keep it for less, and has not been asked (S10). */
  readonly unproven?: true;
}

export interface Session {
  readonly deploymentId: DeploymentId;
  readonly username: Username;
  readonly clientId: ClientId;
  /** Changes with each life of the session. Its form tells the counter where it is counted: compare with `isSamePlace`. */
  readonly place: Place;
  /** The latest attempt. */
  readonly attempt: AttemptId;
  readonly witness: Witness;
  readonly holding: 'new' | 'connected' | 'retained' | 'freed';
  /**
   * When the sweeper looks. Mostly the latest attempt is pending until then. A connection that is doubted has one too; and
   * a tombstone that owes its place is found by it.
   */
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
  /** A broker event told the end of a connection while the front door's attempt was pending: perhaps of this attempt's. */
  readonly endHeard?: true;
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
  /**
   * Of the front door's attempts that overlapped, those that may be on their way to the broker yet. Absent where anything
   * else has made `overlap`, so that nobody can tell.
   */
  readonly underway?: readonly AttemptId[];
  readonly expirySeconds: Seconds;
  /** The front door or the broker has told the expiry of this connection; otherwise the deployment's stands in. */
  readonly expiryTold?: true;
  /** The expiry that the pending attempt was admitted with. */
  readonly attemptExpirySeconds?: Seconds;
  /** Counted over the limit: a connection that nobody knew turned up, or its client was let in without a count (S17). */
  readonly recounted: boolean;
  /** The last few attempts that were let in without a count and are counted here: their messages may come again (S17). */
  readonly knownUncounted?: readonly AttemptId[];
  /**
   * What let in anything that may be behind this session, the latest attempt's last. Only a confirmation of the latest
   * attempt removes the others, so a failed attempt hides no key of the connection below it. Absent: passwords only.
   */
  readonly signedBy?: readonly Voucher[];
  readonly admittedAt: Ms;
  readonly connectedAt?: Ms;
  /** An event told it, and its timestamp may be minutes off [AWS: presence event timestamps]. */
  readonly connectedAtUnsure?: true;
  readonly disconnectedAt?: Ms;
  readonly protocolVersion?: 3 | 4 | 5;
  readonly ipAddress?: string;
}

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

/** A tombstone is kept until then: past the end of whatever the broker had granted to the session (S15). */
export function tombstoneUntil(session: Session): Ms {
  const { admittedAt, connectedAt, disconnectedAt = admittedAt, countsUntil, dueAt } = session;
  // One that no connection was ever known of is remembered for as long as a connection without an expiry.
  const bound = connectedAt === undefined && dueAt < countsUntil ? dueAt : countsUntil;
  return addSeconds(later(later(admittedAt, disconnectedAt), bound), tombstoneSeconds);
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
  const { holding, expirySeconds, countsUntil, connectedAt, disconnectedAt } = session;
  if (holding !== 'freed' || expirySeconds === 0 || !isTombstone(session, now)) return false;
  return countsUntil > now || (connectedAt !== undefined && disconnectedAt === undefined);
}

/**
 * Over, and the broker keeps nothing of it: its expiry was 0, by the word of a packet or of the broker. Of any other that is
 * over the broker alone knows: it was ended early, or its expiry ran out less than half an hour ago.
 */
export function leftNothing(session: Session, now: Ms): boolean {
  const isTold = session.witness === 'door' || session.expiryTold === true;
  return !isLive(session, now) && session.expirySeconds === 0 && isTold;
}

/** Live: it may count. A time that has run out frees it, however late the database removes its item (S11). */
export function isLive(session: Session, now: Ms): boolean {
  return session.holding !== 'freed' && session.countsUntil > now;
}

export function samePair(a: Pair | undefined, b: Pair): boolean {
  return a !== undefined && a.sessionIdentifier === b.sessionIdentifier && a.versionNumber === b.versionNumber;
}

/** Its connection is over, no attempt has come on top of it, and the broker has not said yet what it keeps. */
export function awaitsProof({ holding, ended, fallbackUntil }: Session): boolean {
  return holding === 'connected' && ended?.unproven === true && fallbackUntil === undefined;
}

export function isClosed(session: Session, pair: Pair): boolean {
  return session.closedPairs.some((closed) => samePair(closed, pair));
}

export function closedWith(session: Session, pair: Pair | undefined): readonly Pair[] {
  if (pair === undefined || isClosed(session, pair)) return session.closedPairs;
  return [...session.closedPairs, pair].slice(-closedPairsKept);
}
