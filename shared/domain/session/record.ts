// The record of a session: legal states only. Pure. table.ts says which action a message causes in which state. attempt.ts
// and outcome.ts make the next record. bounds.ts has the times, and whose.ts tells whether an answer of the broker can be
// about the session.
//
// Two things are kept apart. `phase` is what has been proven: nothing yet, a connection, a retained session, or its end.
// `pending` is what may come on top of that, mostly the latest attempt. While an attempt is pending, the end of an earlier
// connection frees nothing, and an attempt that fails leaves what was there (S12).
//
// The record does not say whether its session is counted: the counter knows, by its place.

import type { AttemptId, Names, Place, SignerId } from '../ids.ts';
import { addSeconds, later, type Ms, type Seconds, seconds } from '../time.ts';

export interface Session extends Names {
  /** Changes with each life of the session. Its form tells the counter where it is counted: compare with `isSamePlace`. */
  readonly place: Place;
  readonly phase: Phase;
  /** The latest first, then the earlier ones that a later message can ask about. */
  readonly attempts: Attempts;
  readonly ambiguity: Ambiguity;
  /** The session counts until then, whatever messages come or do not come. */
  readonly countsUntil: Ms;
  /** When the sweeper must look at the session; never later than countsUntil. */
  readonly dueAt: Ms;
  /** The last few pairs known to be over. */
  readonly closedPairs: readonly Pair[];
  readonly expirySeconds: Seconds;
  /** The front door or the broker has told the expiry of this connection; otherwise it is the deployment's setting. */
  readonly expiryTold?: true;
  /** Counted over the limit: an unknown connection turned up, or the client was let in without a count (S17). */
  readonly recounted: boolean;
  /**
   * The vouchers of all attempts that may be behind this session, the latest attempt's last. Only a confirmation of the
   * latest attempt removes the rest, so a failed attempt hides no key of the connection below it. Absent: passwords only.
   */
  readonly signedBy?: readonly Voucher[];
}

/** What has been proven of a session. */
export type Phase =
  /** Its first attempt is not confirmed yet. */
  | { readonly kind: 'new'; readonly pending: Pending }
  | {
      readonly kind: 'connected';
      readonly pending?: Pending;
      readonly made: Made;
      /** The connection, where a broker event told it. */
      readonly pair?: Pair;
      /** How the connection ended, while an attempt is pending, or until the broker has said what it keeps. */
      readonly ending?: Ending;
    }
  | {
      readonly kind: 'retained';
      readonly pending?: Pending;
      readonly made?: Made;
      readonly disconnectedAt: Ms;
      /** A kick ended the session while an attempt was pending. */
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

/** What is not known yet of a session: an attempt on top of its phase, or a question that the broker has not answered. */
export interface Pending {
  /** The lease: the sweeper asks the broker then. */
  readonly until: Ms;
  /** `countsUntil` before an attempt came on top; absent where none has. */
  readonly fallbackUntil?: Ms;
  /** The expiry that this attempt was admitted with. */
  readonly expirySeconds?: Seconds;
  /** A broker event told the end of a connection meanwhile, perhaps of this attempt's connection. */
  readonly endHeard?: true;
}

export interface UncountPending {
  /** When the sweeper looks; absent where the entry in the due index leads to the tombstone. */
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
  /** The longest time for which the broker may keep the session. */
  readonly expirySeconds: Seconds;
  /** The broker may keep it for less, and has not said so yet (S10). */
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
   * `open`: no message has told its outcome; an open attempt that is not the latest may be on its way to the broker.
   * `connected`: the front door has reported it as the connection of this phase. `ended`: that connection is over.
   * `over`: the attempt is no connection, or not any more. `kicked`: over, but it may be on its way yet. `forgotten`: read
   * like an unknown attempt. At most one attempt is `connected` or `ended`, and at most one is `over`,
   * `kicked` or `ended`.
   */
  readonly state: 'open' | 'connected' | 'ended' | 'over' | 'kicked' | 'forgotten';
  /** Let in without a count, and counted since: the message of its admission may come again (S17). */
  readonly uncounted?: true;
}

export interface LatestAttempt extends Attempt {
  readonly source: Witness;
  readonly admittedAt: Ms;
  readonly protocolVersion?: 3 | 4 | 5;
  readonly ipAddress?: string;
}

/** The source of news of an attempt: the front door, which knows attempts, or broker events only. */
export type Witness = 'door' | 'broker';

/**
 * Whether attempts have overlapped, so that an event of one may be taken for another's. Then no event frees by itself:
 * presence asks the broker. `inFlightKnown`: all of them are the front door's, and `attempts` names those that may be on
 * their way to the broker. `unknown`: the record cannot say which of them may be on their way.
 */
export type Ambiguity = 'none' | 'inFlightKnown' | 'unknown';

/** The credential of an attempt: the key that verified its token, or a password. */
export type Voucher = SignerId | 'password';

/** An answer of the broker about a client id that it knows. */
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
  // A session without a known connection is remembered for as long as a connection without an expiry.
  const bound = madeOf(session) === undefined && dueAt < countsUntil ? dueAt : countsUntil;
  return addSeconds(later(later(admittedAt, disconnectedAtOf(session) ?? admittedAt), bound), tombstoneSeconds);
}

/** Over by its record, or expired and not swept yet; and kept for late events. */
export function isTombstone(session: Session, now: Ms): boolean {
  return !isLive(session, now) && tombstoneUntil(session) > now;
}

/**
 * A tombstone whose session may still be at the broker. It was freed before the granted expiry had run out, or at its
 * upper bound without a known end. Only the broker can say whether anything is left.
 */
export function mayLiveOn(session: Session, now: Ms): boolean {
  const { phase, expirySeconds, countsUntil } = session;
  if (phase.kind !== 'ended' || expirySeconds === 0 || !isTombstone(session, now)) return false;
  return countsUntil > now || (phase.made !== undefined && phase.disconnectedAt === undefined);
}

/**
 * Over, and the broker keeps nothing of it: its expiry was 0, by the word of a packet or of the broker. Only the broker
 * knows about any other session that is over: it ended early, or its expiry ran out less than half an hour ago.
 */
export function leftNothing(session: Session, now: Ms): boolean {
  const isTold = session.attempts[0].source === 'door' || session.expiryTold === true;
  return !isLive(session, now) && session.expirySeconds === 0 && isTold;
}

/** Live: the session may count. It stops at `countsUntil`, however late the database removes its item (S11). */
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

/** How the connection below the pending attempt ended. */
export function endingOf({ phase }: Session): Ending | undefined {
  return phase.kind === 'connected' || phase.kind === 'retained' ? phase.ending : undefined;
}

/** The pair of the known connection. */
export function pairOf({ phase }: Session): Pair | undefined {
  return phase.kind === 'connected' ? phase.pair : undefined;
}

/** Over, and its place may be in the roster yet. */
export function owesPlace({ phase }: Session): boolean {
  return phase.kind === 'ended' && phase.uncountPending !== undefined;
}
