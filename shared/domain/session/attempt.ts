// What an admission, and doubt about it, make of a record. An admission starts a session or meets a live one. Its attempt
// fails, is doubted, or is overlapped by the next one. An attempt that fails leaves what was there (S12). The list of a
// record's attempts and their states is in attempts.ts.

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

/** An attempt that counted as landed has been a connection. No other attempt is known to be on its way. */
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
 * Starts a new life of a session. `before` is its tombstone or its expired record; the closed pairs of that stay known.
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
  // The pairs of the username that had the client id before are not known here, so its events can be mistaken too.
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
    // As for an expiry of 0: no index entry has to move when a message tells the expiry, shorter or longer.
    dueAt: upperBound(admission.at, seconds(0), policy),
    closedPairs: before === undefined ? [] : closedWith(before, pairOf(before)),
    expirySeconds: admission.expirySeconds,
    recounted: false,
    ...vouchersWith(undefined, admission),
  };
  return before === undefined ? begun : rememberUncounted(begun, before);
}

/** Keeps the uncounted attempts of the life before: the messages of their admissions may come again. */
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

/** Adds the keys of earlier attempts that may be behind the session too. */
export function rememberVouchers(session: Session, more: readonly Voucher[] = []): Session {
  const known = session.signedBy ?? ['password'];
  const others = more.filter((one) => one !== 'password' && !known.includes(one));
  return others.length === 0 ? session : { ...session, signedBy: [...others, ...known].slice(-vouchersKept) };
}

/** Events of earlier connections can still come, and be taken for events of the new attempt. */
function mayBeMistaken(before: Session, admission: Admission): boolean {
  const [{ admittedAt, source }] = before.attempts;
  const lastHeard = later(admittedAt, disconnectedAtOf(before) ?? admittedAt);
  if (addSeconds(lastHeard, staleEventSeconds) < admission.at) return false;
  return before.ambiguity !== 'none' || (source === 'door' && admission.witness === 'broker');
}

/**
 * A CONNECT meets a live session (S3). It shortens nothing: `countsUntil` only grows, and the phase and the old
 * `countsUntil` stay to fall back on. `dueAt` stays too, so that a reconnect moves no index entry but its lease.
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
 * The front door's own connection is older than an attempt that comes after it. Broker events do not name attempts, so
 * they can be mistaken.
 */
function ambiguityMet(session: Session, admission: Admission, changedHands: boolean): Session {
  const { phase, ambiguity, attempts } = session;
  const [latest] = attempts;
  const isPending = pendingOf(session) !== undefined;
  // An admission that looks again may meet its own record.
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

/** Takes the latest attempt out of those on their way: it has landed, or `ambiguity` becomes `unknown` anyway. */
function landedLatest(session: Session): Session {
  const [latest, ...earlier] = session.attempts;
  return latest.state === 'open' ? { ...session, attempts: [{ ...latest, state: 'forgotten' }, ...earlier] } : session;
}

/** The pending attempt failed: the phase below it holds again, or has ended meanwhile. */
export function abandonAttempt(session: Session, now: Ms): Session {
  if (session.phase.kind === 'new') return freeSession(session);
  const ending = endingOf(session);
  return ending === undefined ? dropAttempt(session) : endSession(session, ending, now);
}

/** The same without a noted end: the broker is still to be asked about it, or there is none. */
export function dropAttempt(session: Session): Session {
  const { phase } = session;
  if (phase.kind === 'new' || phase.kind === 'ended') return session;
  const { pending, ...kept } = phase;
  const countsUntil = pending?.fallbackUntil ?? session.countsUntil;
  // A sweep that was put off because of the attempt is due again at its old time.
  const dueAt = session.dueAt < countsUntil ? session.dueAt : countsUntil;
  return latestOver({ ...session, phase: kept, countsUntil, dueAt });
}

/** The outcome is still unknown: the session goes on counting, and the sweeper asks again at `until`. */
export function extendLease(session: Session, until: Ms): Session {
  return withPending(session, { ...pendingOf(session), until });
}

/**
 * The broker has a connection or session under the client id that no known admission can have made. It lives until `until`
 * at most. The session counts for as long, and the sweeper asks again, until a fitting admission is known.
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

/** The pending attempt is doubtful: the sweeper asks as soon as its CONNECT cannot be on its way any more. */
export function hastenLease(session: Session): Session {
  const until = arrivedBy(session.attempts[0].admittedAt);
  const pending = pendingOf(session);
  return pending === undefined || pending.until <= until ? session : extendLease(session, until);
}

/** The pending attempt is over, but an attempt that it overlapped may be a connection: the sweeper asks soon. */
export function endAttempt(session: Session): Session {
  return latestOver(hastenLease(session));
}

/** The same, but the pending attempt may still be on its way to the broker. */
export function doubtAttempt(session: Session): Session {
  return unknownInFlight(endAttempt(session));
}

/**
 * A kick met the pending attempt on its way. Only the broker can say whether the kick ended its connection or came before
 * it. Presence asks the broker once the front door has told the end of the attempt.
 */
export function doubtKicked(session: Session): Session {
  const ended = endAttempt(session);
  const [latest, ...earlier] = ended.attempts;
  if (latest.source !== 'door' || session.ambiguity === 'unknown') return unknownInFlight(ended);
  return { ...ended, attempts: [{ ...latest, state: 'kicked' }, ...earlier], ambiguity: 'inFlightKnown' };
}
