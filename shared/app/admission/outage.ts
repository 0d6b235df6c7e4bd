// An outage's replay: counts a client that was admitted while the database did not answer (S17), by the same admission as
// any other (admit.ts), forced: under the attempt and in the place that it was given then, over the limit if need be,
// flagged as `recounted`. What differs from a CONNECT is here: what the record becomes, and what of another username.
//
// Who came first is read from the times of the admissions. Clocks differ between machines, so where two of them lie close
// together nothing is concluded from their order: too much is counted, and the lease, which has mostly run out when the
// message comes, makes the sweeper ask the broker. The reports of the front door may have come before this message and
// found nothing; the same question makes up for them.

import {
  extendLease,
  knowUncounted,
  meetSession,
  overlapUnknown,
  rememberVouchers,
  startSession,
} from '../../domain/session/attempt.ts';
import { connectGraceSeconds } from '../../domain/session/bounds.ts';
import { isLive, type Policy, type Session } from '../../domain/session/record.ts';
import { addSeconds, later, type Ms } from '../../domain/time.ts';
import type { UncountedAdmission } from '../../ports/presence/presence.ts';
import { change } from '../presence/change.ts';
import type { Applied, LifeCyclePorts } from '../presence/step.ts';
import { runAdmission } from './admit.ts';
import type { Forced } from './run.ts';

/** `later`: other processes kept writing first. Every step may be repeated; the message is done with when all of them are. */
export async function countAdmitted(ports: LifeCyclePorts, message: UncountedAdmission): Promise<Applied> {
  const { store, clock, policy } = ports;
  const { deploymentId, clientId } = message;
  const by: Forced = {
    kind: 'forced',
    next: (found, changedHands) => readReplay(found, message, changedHands, policy, clock.now()),
    hasLostId: ({ record }) =>
      record !== undefined &&
      isLive(record.value, clock.now()) &&
      record.value.admittedAt > addSeconds(message.at, connectGraceSeconds),
    doubt: (other) => doubt(ports, other),
  };
  const session = await store.readSession(message);
  const owner = await store.readOwner(deploymentId, clientId);
  const roster = { used: 0, places: new Set<never>() };
  const decision = await runAdmission({ ports, names: message, admission: message, by, session, owner, roster });
  return decision === undefined ? 'later' : 'done';
}

/**
 * Of the two who hold the client id by now one has lost its connection to the other, whatever the deployment says of
 * takeovers: it goes on counting, and the broker is asked when its lease is over.
 */
async function doubt(ports: LifeCyclePorts, session: Session): Promise<void> {
  const { leaseSeconds } = ports.policy;
  await change(ports, session, (one, now) =>
    isLive(one, now) && one.leaseUntil === undefined
      ? { next: extendLease(one, addSeconds(now, leaseSeconds)) }
      : 'nothing',
  );
}

/**
 * Pure. The message comes late, perhaps twice, and before or after whatever else is told of the same client id. The record as
 * it is: the record knows this attempt already, and has to be counted.
 */
function readReplay(
  session: Session | undefined,
  message: UncountedAdmission,
  changedHands: boolean,
  policy: Policy,
  now: Ms,
): Session | 'nothing' {
  const start = (): Session | 'nothing' => {
    const next = startSession(message, message.place, message, policy, session, changedHands);
    // Whatever connection came of it has been cut by now.
    return next.countsUntil <= now ? 'nothing' : knowUncounted({ ...next, recounted: true }, message.attempt);
  };
  if (session === undefined) return start();
  if (session.attempt === message.attempt) {
    return session.holding === 'freed' ? 'nothing' : session;
  }
  if (session.overAttempt === message.attempt) return 'nothing';
  // The message comes again, after another attempt. Who carried it out first may have died before the roster; but what
  // another CONNECT has begun since is that one's to decide.
  if (session.knownUncounted?.includes(message.attempt) === true) {
    const isUndecided = session.holding === 'new' && !session.recounted;
    return session.holding === 'freed' || isUndecided ? 'nothing' : session;
  }
  if (session.holding === 'freed') {
    const next = start();
    return next === 'nothing' ? next : startOver(next, session, message.at);
  }
  if (session.admittedAt < message.at) {
    const met = meetSession(session, message, policy, changedHands);
    // An attempt that nobody has confirmed may never have been counted.
    const recounted = met.recounted || session.holding === 'new';
    const overlap = met.overlap || addSeconds(session.admittedAt, connectGraceSeconds) >= message.at;
    return knowUncounted({ ...(overlap ? overlapUnknown(met) : met), recounted }, message.attempt);
  }
  // Another attempt came later. Which of the two reached the broker last, nobody knows if they came together; and until
  // it is confirmed it may have been let in without a count as well, or have died before it was counted.
  const together = session.admittedAt <= addSeconds(message.at, connectGraceSeconds);
  const isUncertain = session.holding === 'new';
  const { countsUntil } = startSession(message, message.place, message, policy, session, changedHands);
  const kept = message.signedBy === undefined ? session : rememberVouchers(session, [message.signedBy]);
  const next = {
    ...(session.overlap || together || isUncertain ? overlapUnknown(kept) : kept),
    countsUntil: later(session.countsUntil, countsUntil),
    recounted: session.recounted || isUncertain,
  };
  return knowUncounted(next, message.attempt);
}

/**
 * The tombstone of another attempt, which may never have come near the broker, proves nothing of the one that is counted
 * now. But where the two came together, or that one came later, nobody knows which of them is told of.
 */
function startOver(next: Session, tombstone: Session, at: Ms): Session {
  const { attempt, witness, admittedAt } = tombstone;
  if (addSeconds(admittedAt, connectGraceSeconds) < at) return next;
  const overlapping = rememberVouchers(overlapUnknown(next), tombstone.signedBy);
  return admittedAt < at ? overlapping : { ...overlapping, attempt, witness, admittedAt, endHeard: true };
}
