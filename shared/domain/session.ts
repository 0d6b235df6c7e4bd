// A session and what may happen to it. Pure: every function takes what is known and answers the next record.
//
// Two things are kept apart. `holding` is what has been proven: a new session that nobody has confirmed yet, a
// connection, a retained session, or nothing. An attempt (`leaseUntil` present) is what may come on top of it. While
// an attempt is pending nothing frees, and a failed attempt leaves what was there (S12).
//
// Whether a session is counted is not said here: a session counts if its place is in its username's roster, or if it is
// folded: then its place has left a wide roster, and stays counted in a number.

import type { AttemptId, ClientId, DeploymentId, Place, SignerId, Username } from './ids.ts';
import { addSeconds, later, type Ms, type Seconds, seconds } from './time.ts';

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
  /** Counted in its lane's number; its place need not be in the lane any more. Written off together with the number. */
  readonly folded?: true;
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
  /** Counted again over the limit, because a connection nobody knew turned up. */
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
const knownUncountedKept = 8;
const underwayMax = 8;
/** As many keys as an issuer may have. */
const vouchersKept = 16;

/** A CONNECT reaches the broker at most this long after its admission: the authorizer's 5 s, or a ticket's 10. */
export const connectGraceSeconds = seconds(10);

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

/** Live: it may count. A time that has run out frees it, however late the database removes its item (S11). */
export function isLive(session: Session, now: Ms): boolean {
  return session.holding !== 'freed' && session.countsUntil > now;
}

/** What the clocks of two machines differ by at most. */
const clockSkewSeconds = 3;

/**
 * The latest a connection made by an attempt of `at` can count, whatever is lost (S13). The broker's day begins when the
 * CONNECT reaches it, by its own clock, not when it was admitted.
 */
function upperBound(at: Ms, expirySeconds: Seconds, policy: Policy): Ms {
  return addSeconds(addSeconds(arrivedBy(at), policy.maxConnectionSeconds), expirySeconds);
}

/** A CONNECT admitted at `at` has reached the broker by then, or never will, by the clock of any machine. */
export function arrivedBy(at: Ms): Ms {
  return addSeconds(at, seconds(connectGraceSeconds + clockSkewSeconds));
}

/**
 * An attempt may still be on its way to the broker: that nothing is there yet proves nothing. Of attempts that
 * overlapped the latest was admitted last, so the others have arrived when it must have.
 */
export function isOnItsWay(session: Session, now: Ms): boolean {
  if (haveAllArrived(session)) return false;
  if (session.leaseUntil !== undefined && session.leaseUntil > now) return true;
  return session.overlap && arrivedBy(session.admittedAt) > now;
}

/** By the front door's word no attempt that overlapped is on its way any more, nor is the latest. */
export function haveAllArrived({ underway, attempt, confirmedAttempt, overAttempt }: Session): boolean {
  return underway?.length === 0 && (confirmedAttempt === attempt || overAttempt === attempt);
}

/** The front door tells that this attempt has been at the broker, or never will be. */
export function noteArrival(session: Session, attempt: AttemptId): Session {
  const { underway } = session;
  if (underway?.includes(attempt) !== true) return session;
  return { ...session, underway: underway.filter((one) => one !== attempt) };
}

/** Something has overlapped of which no report will tell when it came to the broker. */
export function overlapUnknown(session: Session): Session {
  const { underway: _u, ...kept } = session;
  return { ...kept, overlap: true };
}

/** An attempt that was not expected any more has been a connection, and nothing else is known to be on its way. */
export function overlapTold(session: Session): Session {
  return session.witness === 'door' ? { ...session, overlap: true, underway: [] } : overlapUnknown(session);
}

/** The connection that is known was made later than `at`, by any clock: the broker has ended what was there then. */
export function connectedSince(session: Session, at: Ms): boolean {
  const { connectedAt } = session;
  const marginMs = Math.max(toleranceMs(session), clockSkewSeconds * 1_000);
  return connectedAt !== undefined && at + marginMs < connectedAt;
}

/** The retained session's connection ended later than `at`, by any clock. */
export function endedSince({ disconnectedAt }: Session, at: Ms): boolean {
  return disconnectedAt !== undefined && addSeconds(at, seconds(clockSkewSeconds)) < disconnectedAt;
}

/** Clocks of the front door and of the broker differ by less; an event's timestamp may be minutes off. */
function toleranceMs(session: Session): number {
  return session.connectedAtUnsure === true ? 150_000 : 2_000;
}

/** No broker keeps a CONNECT waiting for longer. */
export const lateConnectSeconds = seconds(150);

/**
 * A connection that was there before the only attempt was admitted, and is there still: the attempt did not come to the
 * broker, where it would have taken its place.
 */
export function isFromBefore({ holding, overlap, admittedAt }: Session, says: BrokerTells): boolean {
  if (holding !== 'new' || overlap || says.kind !== 'connected' || says.since === undefined) return false;
  return addSeconds(says.since, seconds(clockSkewSeconds)) < admittedAt;
}

/**
 * Until when it may live what the broker tells of, if that is too late for any admission that is known of this client id:
 * then somebody was let in without a count, of this username or of another, and the message of it is still to come (S17).
 * `connectedAt`: when the connection was made that is asked about, where that is known.
 */
export function strangeUntil(
  session: Session,
  says: BrokerTells & { readonly expirySeconds?: Seconds },
  policy: Policy,
  connectedAt?: Ms,
): Ms | undefined {
  const latest =
    connectedAt === undefined
      ? addSeconds(session.admittedAt, lateConnectSeconds)
      : addSeconds(connectedAt, seconds(clockSkewSeconds));
  const { expirySeconds = session.expirySeconds } = says;
  if (says.kind === 'connected')
    return says.since !== undefined && says.since > latest ? upperBound(says.since, expirySeconds, policy) : undefined;
  const at = says.disconnectedAt;
  const isLate = at !== undefined && at > addSeconds(latest, policy.maxConnectionSeconds);
  return isLate ? addSeconds(at, expirySeconds) : undefined;
}

/** The broker forgets after this when a session was disconnected [AWS: GetConnection]. */
const forgetDisconnectSeconds = seconds(1_800);

/**
 * Whether what the broker tells of can be this session, by the times that are known of it. `within`: how long after its
 * admission a CONNECT may have reached the broker.
 */
export function mayBeIts(session: Session, says: BrokerTells, within: Seconds = connectGraceSeconds): boolean {
  const tolerance = toleranceMs(session);
  const { connectedAt, disconnectedAt, admittedAt, holding } = session;
  const pending = session.leaseUntil !== undefined;
  // A CONNECT that came after its lease was over, at most so much later.
  const isNear = (time: Ms): boolean => Math.abs(time - admittedAt) <= lateConnectSeconds * 1_000;
  if (says.kind === 'connected') {
    const { since } = says;
    if (since === undefined) return true;
    if (holding === 'freed') return isNear(since);
    const arrived = addSeconds(admittedAt, within) + tolerance;
    if (session.overlap) return since >= (connectedAt ?? 0) - tolerance && since <= arrived;
    if (pending && since >= admittedAt - tolerance && since <= arrived) return true;
    if (holding === 'new') return false;
    if (connectedAt !== undefined) return Math.abs(since - connectedAt) <= tolerance;
    return since <= arrived && (disconnectedAt === undefined || since <= disconnectedAt + tolerance);
  }
  if (says.disconnectedAt === undefined)
    return holding !== 'new' || addSeconds(admittedAt, forgetDisconnectSeconds) <= (says.askedAt ?? 0);
  const at = says.disconnectedAt;
  if (holding === 'freed') return isNear(at);
  if (session.overlap || holding === 'connected') return at >= (connectedAt ?? 0) - tolerance;
  if (pending && at >= admittedAt - tolerance) return true;
  if (holding === 'new') return false;
  return disconnectedAt === undefined || Math.abs(at - disconnectedAt) <= tolerance;
}

/** The connection that the broker tells of is the one that the session knows; also where it does not say since when. */
export function isSameConnection(session: Session, since: Ms | undefined): boolean {
  const { connectedAt } = session;
  if (since === undefined || connectedAt === undefined) return true;
  return Math.abs(since - connectedAt) <= toleranceMs(session);
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

/**
 * A session that did not live before. `before` is its tombstone or its expired record, whose closed pairs stay known.
 * `changedHands`: another username held the client id last.
 */
export function startSession(
  names: { readonly deploymentId: DeploymentId; readonly username: Username; readonly clientId: ClientId },
  place: Place,
  admission: Admission,
  policy: Policy,
  before: Session | undefined,
  changedHands: boolean,
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
      (changedHands && admission.witness === 'broker') || (before !== undefined && mayBeMistaken(before, admission)),
    expirySeconds: admission.expirySeconds,
    recounted: false,
    ...(before?.knownUncounted === undefined ? {} : { knownUncounted: before.knownUncounted }),
    ...vouchersWith(undefined, admission),
    admittedAt: admission.at,
    ...traits(admission),
  };
}

function vouchersWith(before: Session | undefined, { signedBy }: Admission): Pick<Session, 'signedBy'> {
  const latest = signedBy ?? 'password';
  const others = (before?.signedBy ?? []).filter((one) => one !== latest && one !== 'password');
  if (signedBy === undefined && others.length === 0) return {};
  return { signedBy: [...others.slice(1 - vouchersKept), latest] };
}

/** Keys of attempts that are not the latest, and may be behind the session too. */
export function rememberVouchers(session: Session, more: readonly Voucher[] = []): Session {
  const known = session.signedBy ?? ['password'];
  const others = more.filter((one) => one !== 'password' && !known.includes(one));
  return others.length === 0 ? session : { ...session, signedBy: [...others, ...known].slice(-vouchersKept) };
}

/** What let in the connection that is known now. Where attempts have overlapped, it may be any of them. */
function confirmedVouchers({ signedBy, overlap }: Session): Pick<Session, 'signedBy'> {
  if (signedBy === undefined) return {};
  const latest = signedBy.at(-1);
  if (overlap || latest === undefined) return { signedBy };
  return latest === 'password' ? {} : { signedBy: [latest] };
}

/** Its client was let in without a count by this attempt, and is counted now: the message of it may come again. */
export function knowUncounted(session: Session, attempt: AttemptId): Session {
  const known = session.knownUncounted ?? [];
  if (known.includes(attempt)) return session;
  return { ...session, knownUncounted: [...known, attempt].slice(-knownUncountedKept) };
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
export function meetSession(session: Session, admission: Admission, policy: Policy, changedHands: boolean): Session {
  // It may meet what it has written itself, where it had to look again.
  const isPending = session.leaseUntil !== undefined && !awaitsProof(session);
  const pendingBefore = isPending && session.attempt !== admission.attempt;
  const { endHeard: _h, underway: _u, ...kept } = session;
  return {
    ...kept,
    ...underwayWith(session, admission, changedHands),
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
      (session.holding === 'connected' && admission.witness === 'broker') ||
      (changedHands && admission.witness === 'broker'),
    attemptExpirySeconds: admission.expirySeconds,
    ...vouchersWith(session, admission),
    admittedAt: admission.at,
    ...traits(admission),
  };
}

/** What the attempt that is pending adds to those that may be on their way, where all of them are the front door's. */
function underwayWith(session: Session, admission: Admission, changedHands: boolean): Pick<Session, 'underway'> {
  const { attempt, witness, leaseUntil, confirmedAttempt, overAttempt, overlap, underway } = session;
  const areAllItsOwn = witness === 'door' && admission.witness === 'door' && !changedHands;
  if (!areAllItsOwn || (overlap && underway === undefined)) return {};
  const isTold = confirmedAttempt === attempt || overAttempt === attempt;
  const isUnderway = leaseUntil !== undefined && attempt !== admission.attempt && !isTold;
  if (!isUnderway && underway === undefined) return {};
  // What had to look again has met one that came in between, and is the latest again.
  const others = (underway ?? []).filter((one) => one !== admission.attempt);
  const next = isUnderway ? [...others, attempt] : others;
  return next.length > underwayMax ? {} : { underway: next };
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

/** The pending attempt came to nothing: what was there before it is there again. */
export function abandonAttempt(session: Session, now: Ms): Session {
  if (session.holding === 'new') return freeSession(session);
  return session.ended === undefined ? dropAttempt(session) : endSession(session, session.ended, now);
}

/** The same, where the end of what was there before is still to be asked about. */
export function dropAttempt(session: Session): Session {
  const { leaseUntil: _l, fallbackUntil, attemptExpirySeconds: _x, endHeard: _h, ...kept } = session;
  const countsUntil = fallbackUntil ?? session.countsUntil;
  // A look that was put off for the attempt's sake is due again when it was.
  const dueAt = session.dueAt < countsUntil ? session.dueAt : countsUntil;
  return { ...kept, countsUntil, dueAt, overAttempt: session.attempt };
}

/** The lease is over and nobody can say what became of the attempt: it goes on counting, and is checked again. */
export function extendLease(session: Session, until: Ms): Session {
  return { ...session, leaseUntil: until };
}

/**
 * Something has turned up under its client id that is nobody's yet, and lives until `until` at most. The session counts
 * for as long as that, and is asked about again, until somebody's admission is known that it can be of.
 */
export function countStrange(session: Session, until: Ms, askAgainAt: Ms): Session {
  const { leaseUntil = askAgainAt, countsUntil, fallbackUntil = countsUntil } = session;
  return {
    ...overlapUnknown(session),
    leaseUntil: later(leaseUntil, askAgainAt),
    countsUntil: later(countsUntil, until),
    fallbackUntil,
  };
}

/** Something makes the pending attempt doubtful: its lease is checked as soon as its CONNECT cannot be on its way. */
export function hastenLease(session: Session): Session {
  const until = arrivedBy(session.admittedAt);
  return session.leaseUntil === undefined || session.leaseUntil <= until ? session : { ...session, leaseUntil: until };
}

/** The pending attempt is known to be over, but one that it overlapped may be a connection: the lease is checked soon. */
export function endAttempt(session: Session): Session {
  return { ...hastenLease(session), overAttempt: session.attempt };
}

/** The same, but it may be on its way to the broker yet. */
export function doubtAttempt(session: Session): Session {
  const { underway: _u, ...kept } = endAttempt(session);
  return kept;
}

/**
 * A kick met the pending attempt on its way: whether its connection was ended or made afterwards, the broker alone can say,
 * and it is asked as soon as the front door tells the end of the attempt.
 */
export function doubtKicked(session: Session): Session {
  const { attempt, witness, overlap, underway = [] } = session;
  const areAllToldOf = witness === 'door' && (!overlap || session.underway !== undefined);
  const next = [...underway.filter((one) => one !== attempt), attempt];
  if (!areAllToldOf || next.length > underwayMax) return overlapUnknown(endAttempt(session));
  return { ...endAttempt(session), overlap: true, underway: next };
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

/** Its connection is over, no attempt has come on top of it, and the broker has not said yet what it keeps. */
export function awaitsProof({ holding, ended, fallbackUntil }: Session): boolean {
  return holding === 'connected' && ended?.unproven === true && fallbackUntil === undefined;
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

export function isClosed(session: Session, pair: Pair): boolean {
  return session.closedPairs.some((closed) => samePair(closed, pair));
}

function closedWith(session: Session, pair: Pair | undefined): readonly Pair[] {
  if (pair === undefined || isClosed(session, pair)) return session.closedPairs;
  return [...session.closedPairs, pair].slice(-closedPairsKept);
}
