// An outage's replay: counts a client that was admitted while the database did not answer (S17). It runs the same steps as
// any admission (admit.ts), but forced: the message names the attempt, and the place of a new life; no limit holds. This
// file holds what differs. The message comes late, perhaps twice, and after later attempts of the client or of another
// username.
//
// The times of the admissions tell which attempt came first. Clocks differ between machines, so two times close together
// prove no order. Then the replay counts too much, and the sweeper asks the broker at the end of the lease. The lease has
// mostly run out when the message comes. Reports of the front door may have come before this message and found no record. The
// sweeper's question makes up for them.

import type { AttemptId } from '../../domain/ids.ts';
import { extendLease, meetSession, rememberVouchers, startSession } from '../../domain/session/attempt.ts';
import { findAttempt, isOver, knowUncounted, unknownInFlight, withLatest } from '../../domain/session/attempts.ts';
import { connectGraceSeconds } from '../../domain/session/bounds.ts';
import { isLive, type Policy, pendingOf, type Session, withPending } from '../../domain/session/record.ts';
import { addSeconds, later, type Ms } from '../../domain/time.ts';
import type { UncountedAdmission } from '../../ports/presence/presence.ts';
import { change } from '../presence/change.ts';
import type { Applied, LifeCyclePorts } from '../presence/step.ts';
import { runAdmission } from './admit.ts';
import type { Forced } from './run.ts';

/** `later`: other processes kept writing first, and the message is to be delivered again. Safe to repeat. */
export async function countAdmitted(ports: LifeCyclePorts, message: UncountedAdmission): Promise<Applied> {
  const { store, clock, policy } = ports;
  const { deploymentId, clientId } = message;
  const by: Forced = {
    kind: 'forced',
    next: (found, changedHands) => readReplay(found, message, changedHands, policy, clock.now()),
    hasLostId: ({ record }) =>
      record !== undefined &&
      isLive(record.value, clock.now()) &&
      record.value.attempts[0].admittedAt > addSeconds(message.at, connectGraceSeconds),
    doubt: (other) => doubt(ports, other),
  };
  const session = await store.readSession(message);
  const owner = await store.readOwner(deploymentId, clientId);
  const roster = { used: 0, places: new Set<never>() };
  const decision = await runAdmission({ ports, names: message, admission: message, by, session, owner, roster });
  return decision === undefined ? 'later' : 'done';
}

/**
 * Has the sweeper ask the broker about the other username's session, at the end of a lease; until then it counts. One of the
 * two clients has lost its connection to the other, even if the deployment allows no takeover.
 */
async function doubt(ports: LifeCyclePorts, session: Session): Promise<void> {
  const { leaseSeconds } = ports.policy;
  await change(ports, session, (one, now) => {
    if (!isLive(one, now)) return 'nothing';
    if (pendingOf(one) === undefined) return { next: extendLease(one, addSeconds(now, leaseSeconds)) };
    // An event of the newcomer's connection may have been read for this attempt already, and must not confirm it. The front
    // door's reports name their attempt.
    const isTold = one.attempts[0].source === 'door' || one.ambiguity === 'unknown';
    return isTold ? 'nothing' : { next: unknownInFlight(one) };
  });
}

/** Pure. Answers the same session if its record knows the attempt already, and the attempt still has to be counted. */
function readReplay(
  session: Session | undefined,
  message: UncountedAdmission,
  changedHands: boolean,
  policy: Policy,
  now: Ms,
): Session | 'nothing' {
  if (session !== undefined && knows(session, message.attempt))
    return isToBeCounted(session, message) ? session : 'nothing';
  const begun = startSession(message, message.place, message, policy, session, changedHands);
  if (session === undefined || session.phase.kind === 'ended') {
    // The attempt's connection is past its upper bound, so the broker has cut it.
    if (begun.countsUntil <= now) return 'nothing';
    const next = knowUncounted({ ...begun, recounted: true }, message.attempt);
    return session === undefined ? next : startOver(next, session, message.at);
  }
  const next =
    session.attempts[0].admittedAt < message.at
      ? meetEarlier(session, meetSession(session, message, policy, changedHands), message.at)
      : joinLater(session, message, begun.countsUntil);
  return knowUncounted(next, message.attempt);
}

function knows(session: Session, replayed: AttemptId): boolean {
  const known = findAttempt(session, replayed);
  return known !== undefined && (known === session.attempts[0] || known.uncounted === true || isOver(known));
}

/**
 * Whether a message that comes again still has to count: the process that applied it first may have died before the count.
 * If a CONNECT has started a later attempt since, that CONNECT decides.
 */
function isToBeCounted(session: Session, { attempt }: UncountedAdmission): boolean {
  if (session.phase.kind === 'ended') return false;
  const known = findAttempt(session, attempt);
  if (known === session.attempts[0]) return true;
  return (known === undefined || !isOver(known)) && (session.phase.kind !== 'new' || session.recounted);
}

/** The message is of a later attempt than the record, whose own, if not confirmed, may never have been counted. */
function meetEarlier(session: Session, met: Session, at: Ms): Session {
  const overlaps = met.ambiguity !== 'none' || addSeconds(session.attempts[0].admittedAt, connectGraceSeconds) >= at;
  return { ...(overlaps ? unknownInFlight(met) : met), recounted: met.recounted || session.phase.kind === 'new' };
}

/**
 * The record is of a later attempt than the message. Of two that came close together, either may have reached the broker
 * last. The record's attempt, if not confirmed, may be uncounted too: let in without a count, or not counted before a crash.
 */
function joinLater(session: Session, message: UncountedAdmission, countsUntil: Ms): Session {
  const together = session.attempts[0].admittedAt <= addSeconds(message.at, connectGraceSeconds);
  const isUncertain = session.phase.kind === 'new';
  const kept = message.signedBy === undefined ? session : rememberVouchers(session, [message.signedBy]);
  return {
    ...(session.ambiguity !== 'none' || together || isUncertain ? unknownInFlight(kept) : kept),
    countsUntil: later(session.countsUntil, countsUntil),
    recounted: session.recounted || isUncertain,
  };
}

/**
 * Starts a new life over a tombstone. The tombstone is of another attempt, which may never have reached the broker, so it
 * proves nothing about this one. If the two came close together, or the tombstone's later, events may be of either.
 */
function startOver(next: Session, tombstone: Session, at: Ms): Session {
  const [last] = tombstone.attempts;
  const { admittedAt } = last;
  if (addSeconds(admittedAt, connectGraceSeconds) < at) return next;
  const overlapping = rememberVouchers(unknownInFlight(next), tombstone.signedBy);
  if (admittedAt < at) return overlapping;
  const heard = withPending(overlapping, { until: at, ...pendingOf(overlapping), endHeard: true });
  return unknownInFlight(withLatest(heard, { ...last, state: 'open' }));
}
