// One CONNECT's admission as a record knows it: a session begins with one, or is met by one, and an attempt comes to
// nothing, is doubted, or is overlapped by the next. While one is pending nothing frees (S12).

import type { Names, Place } from '../ids.ts';
import { addSeconds, later, type Ms, seconds } from '../time.ts';
import {
  isConfirmed,
  isOver,
  latestOver,
  noneInFlight,
  unknownInFlight,
  withAttempts,
  withLatest,
} from './attempts.ts';
import { arrivedBy, staleEventSeconds, upperBound } from './bounds.ts';
import { endSession, freeSession } from './outcome.ts';
import {
  type Admission,
  awaitsProof,
  closedWith,
  disconnectedAtOf,
  endingOf,
  type LatestAttempt,
  type Policy,
  pairOf,
  pendingOf,
  type Session,
  type Voucher,
  withPending,
} from './record.ts';

/** As many keys as an issuer may have. */
const vouchersKept = 16;

/** An attempt that was not expected any more has been a connection, and nothing else is known to be on its way. */
export function overlapTold(session: Session): Session {
  return session.attempts[0].source === 'door'
    ? { ...noneInFlight(session), ambiguity: 'inFlightKnown' }
    : unknownInFlight(session);
}

function latestOf(
  { attempt, witness, at, protocolVersion, ipAddress }: Admission,
  before?: LatestAttempt,
): LatestAttempt {
  const version = protocolVersion ?? before?.protocolVersion;
  const ip = ipAddress ?? before?.ipAddress;
  return {
    id: attempt,
    state: 'open',
    source: witness,
    admittedAt: at,
    ...(version === undefined ? {} : { protocolVersion: version }),
    ...(ip === undefined ? {} : { ipAddress: ip }),
  };
}

/**
 * A session that did not live before. `before` is its tombstone or its expired record, whose closed pairs stay known.
 * `changedHands`: another username held the client id last.
 */
export function startSession(
  { deploymentId, username, clientId }: Names,
  place: Place,
  admission: Admission,
  policy: Policy,
  before: Session | undefined,
  changedHands: boolean,
): Session {
  // Of the username that had the client id before, no pair is known here: its events can be mistaken too.
  const isAmbiguous =
    (changedHands && admission.witness === 'broker') || (before !== undefined && mayBeMistaken(before, admission));
  const begun: Session = {
    deploymentId,
    username,
    clientId,
    place,
    phase: { kind: 'new', pending: { until: addSeconds(admission.at, policy.leaseSeconds) } },
    attempts: [latestOf(admission)],
    ambiguity: isAmbiguous ? 'unknown' : 'none',
    countsUntil: upperBound(admission.at, admission.expirySeconds, policy),
    // As if it kept nothing: when its expiry is told, shorter or longer, no index entry has to move.
    dueAt: upperBound(admission.at, seconds(0), policy),
    closedPairs: before === undefined ? [] : closedWith(before, pairOf(before)),
    expirySeconds: admission.expirySeconds,
    recounted: false,
    ...vouchersWith(undefined, admission),
  };
  return before === undefined ? begun : rememberUncounted(begun, before);
}

/** Of another life: messages of clients that were let in without a count may come again. */
function rememberUncounted(begun: Session, { attempts }: Session): Session {
  const [latest] = begun.attempts;
  const [last, ...earlier] = attempts;
  const uncounted = [last, ...earlier].filter((attempt) => attempt.uncounted === true);
  const others = uncounted
    .filter(({ id }) => id !== latest.id)
    .map(({ id }) => ({ id, state: 'forgotten', uncounted: true }) as const);
  const first = others.length < uncounted.length ? { ...latest, uncounted: true as const } : latest;
  return withAttempts(begun, [first, ...others]);
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

/** Events of the connections before can still come, and be taken for those of the attempt that comes now. */
function mayBeMistaken(before: Session, admission: Admission): boolean {
  const [{ admittedAt, source }] = before.attempts;
  const lastHeard = later(admittedAt, disconnectedAtOf(before) ?? admittedAt);
  if (addSeconds(lastHeard, staleEventSeconds) < admission.at) return false;
  return before.ambiguity !== 'none' || (source === 'door' && admission.witness === 'broker');
}

/**
 * A CONNECT over a live session (S3). It shortens nothing: the time that counts only grows, and what was there stays
 * to fall back on. `dueAt` stays too, so that a reconnect moves no index entry but its lease.
 */
export function meetSession(session: Session, admission: Admission, policy: Policy, changedHands: boolean): Session {
  const met = withLatest(ambiguityMet(session, admission, changedHands), latestOf(admission, session.attempts[0]));
  return {
    ...withPending(met, {
      until: addSeconds(admission.at, policy.leaseSeconds),
      fallbackUntil: pendingOf(session)?.fallbackUntil ?? session.countsUntil,
      expirySeconds: admission.expirySeconds,
    }),
    countsUntil: later(session.countsUntil, upperBound(admission.at, admission.expirySeconds, policy)),
    ...vouchersWith(session, admission),
  };
}

/**
 * The session before another attempt comes on top of it. Two attempts on their way may reach the broker in the other order.
 * To the front door a connection that it knows of is older than an attempt that comes after it; broker events do not name
 * attempts and can be mistaken.
 */
function ambiguityMet(session: Session, admission: Admission, changedHands: boolean): Session {
  const { phase, ambiguity, attempts } = session;
  const [latest] = attempts;
  const isPending = pendingOf(session) !== undefined;
  // It may meet what it has written itself, where it had to look again.
  const isOther = latest.id !== admission.attempt;
  const isAmbiguous =
    (isPending && !awaitsProof(session) && isOther) ||
    (phase.kind === 'connected' ? ambiguity !== 'none' : mayBeMistaken(session, admission)) ||
    ((phase.kind === 'connected' || changedHands) && admission.witness === 'broker');
  if (!isAmbiguous) return noneInFlight(landedLatest(session));
  const areAllItsOwn = latest.source === 'door' && admission.witness === 'door' && !changedHands;
  const isUnderway = isPending && isOther && !isConfirmed(latest) && !isOver(latest);
  const isKnown = areAllItsOwn && (ambiguity === 'inFlightKnown' || (ambiguity === 'none' && isUnderway));
  if (!isKnown) return unknownInFlight(landedLatest(session));
  return { ...(isUnderway ? session : landedLatest(session)), ambiguity: 'inFlightKnown' };
}

/** The latest attempt is not on its way when the next comes, or whether it is nobody can tell. */
function landedLatest(session: Session): Session {
  const [latest, ...earlier] = session.attempts;
  return latest.state === 'open' ? { ...session, attempts: [{ ...latest, state: 'forgotten' }, ...earlier] } : session;
}

/** The pending attempt came to nothing: what was there before it is there again. */
export function abandonAttempt(session: Session, now: Ms): Session {
  if (session.phase.kind === 'new') return freeSession(session);
  const ending = endingOf(session);
  return ending === undefined ? dropAttempt(session) : endSession(session, ending, now);
}

/** The same, where the end of what was there before is still to be asked about. */
export function dropAttempt(session: Session): Session {
  const { phase } = session;
  if (phase.kind === 'new' || phase.kind === 'ended') return session;
  const { pending, ...kept } = phase;
  const countsUntil = pending?.fallbackUntil ?? session.countsUntil;
  // A look that was put off for the attempt's sake is due again when it was.
  const dueAt = session.dueAt < countsUntil ? session.dueAt : countsUntil;
  return latestOver({ ...session, phase: kept, countsUntil, dueAt });
}

/** The lease is over and nobody can say what became of the attempt: it goes on counting, and is checked again. */
export function extendLease(session: Session, until: Ms): Session {
  return withPending(session, { ...pendingOf(session), until });
}

/**
 * Something has turned up under its client id that is nobody's yet, and lives until `until` at most. The session counts
 * for as long as that, and is asked about again, until somebody's admission is known that it can be of.
 */
export function countStrange(session: Session, until: Ms, askAgainAt: Ms): Session {
  const { countsUntil } = session;
  const pending = pendingOf(session);
  const asked = withPending(unknownInFlight(session), {
    ...pending,
    until: later(pending?.until ?? askAgainAt, askAgainAt),
    fallbackUntil: pending?.fallbackUntil ?? countsUntil,
  });
  return { ...asked, countsUntil: later(countsUntil, until) };
}

/** Something makes the pending attempt doubtful: its lease is checked as soon as its CONNECT cannot be on its way. */
export function hastenLease(session: Session): Session {
  const until = arrivedBy(session.attempts[0].admittedAt);
  const pending = pendingOf(session);
  return pending === undefined || pending.until <= until ? session : extendLease(session, until);
}

/** The pending attempt is known to be over, but one that it overlapped may be a connection: the lease is checked soon. */
export function endAttempt(session: Session): Session {
  return latestOver(hastenLease(session));
}

/** The same, but it may be on its way to the broker yet. */
export function doubtAttempt(session: Session): Session {
  return unknownInFlight(endAttempt(session));
}

/**
 * A kick met the pending attempt on its way: whether its connection was ended or made afterwards, the broker alone can say,
 * and it is asked as soon as the front door tells the end of the attempt.
 */
export function doubtKicked(session: Session): Session {
  const ended = endAttempt(session);
  const [latest, ...earlier] = ended.attempts;
  if (latest.source !== 'door' || session.ambiguity === 'unknown') return unknownInFlight(ended);
  return { ...ended, attempts: [{ ...latest, state: 'kicked' }, ...earlier], ambiguity: 'inFlightKnown' };
}
