// One CONNECT's admission as a record knows it: a session begins with one, or is met by one, and an attempt comes to
// nothing, is doubted, or is overlapped by the next. While one is pending nothing frees (S12).

import type { AttemptId, ClientId, DeploymentId, Place, Username } from '../ids.ts';
import { addSeconds, later, type Ms, seconds } from '../time.ts';
import { arrivedBy, staleEventSeconds, upperBound } from './bounds.ts';
import { endSession, freeSession } from './outcome.ts';
import { type Admission, awaitsProof, closedWith, type Policy, type Session, type Voucher } from './record.ts';

const knownUncountedKept = 8;

const underwayMax = 8;

/** As many keys as an issuer may have. */
const vouchersKept = 16;

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

/** Its client was let in without a count by this attempt, and is counted now: the message of it may come again. */
export function knowUncounted(session: Session, attempt: AttemptId): Session {
  const known = session.knownUncounted ?? [];
  if (known.includes(attempt)) return session;
  return { ...session, knownUncounted: [...known, attempt].slice(-knownUncountedKept) };
}

/** Events of the connections before can still come, and be taken for those of the attempt that comes now. */
function mayBeMistaken(before: Session, admission: Admission): boolean {
  const lastHeard = later(before.admittedAt, before.disconnectedAt ?? before.admittedAt);
  if (addSeconds(lastHeard, staleEventSeconds) < admission.at) return false;
  return before.overlap || (before.witness === 'door' && admission.witness === 'broker');
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
