// Counts a client that was admitted while the database did not answer (S17): under the attempt and in the place that it
// was given then, over the limit if need be, flagged as `recounted`. The message comes late, perhaps twice, and before or
// after whatever else is told of the same client id.
//
// Who came first is read from the times of the admissions. Clocks differ between machines, so where two of them lie close
// together nothing is concluded from their order: too much is counted, and the lease, which has mostly run out when the
// message comes, makes the sweeper ask the broker. The reports of the front door may have come before this message and
// found nothing; the same question makes up for them.

import { ownerSeconds, ttlGraceSeconds } from '../../config/constants.ts';
import { extendLease, meetSession, rememberVouchers, startSession } from '../../domain/session/attempt.ts';
import { findAttempt, isOver, knowUncounted, unknownInFlight, withLatest } from '../../domain/session/attempts.ts';
import { connectGraceSeconds } from '../../domain/session/bounds.ts';
import { isLive, type Policy, pendingOf, type Session, withPending } from '../../domain/session/record.ts';
import { addSeconds, later, type Ms, seconds } from '../../domain/time.ts';
import type { Owner } from '../../ports/admission/owners.ts';
import type { UncountedAdmission } from '../../ports/presence/presence.ts';
import type { Stored } from '../../ports/presence/sessions.ts';
import { readOtherHolder } from '../common/other-holder.ts';
import { countAgain, uncountOver } from '../counter/commit.ts';
import { change } from '../presence/change.ts';
import type { LifeCyclePorts } from '../presence/step.ts';

/** Whose client id it is by the records. */
interface Ownership {
  readonly owner: Stored<Owner> | undefined;
  /** What the owner has under it, where that is another username. */
  readonly theirs: Session | undefined;
  /** The owner was admitted afterwards: it stays theirs. */
  readonly passedOn: boolean;
}

const maxRounds = 16;

/** `later`: others kept writing first. Every step may be repeated; the message is done with when all of them are. */
export async function countAdmitted(ports: LifeCyclePorts, message: UncountedAdmission): Promise<'done' | 'later'> {
  const { store, clock } = ports;
  for (let round = 0; round < maxRounds; round++) {
    const stored = await store.readSession(message);
    const ownership = await readOwnership(ports, message);
    const settled = stored === undefined ? 'settled' : await settleBefore(ports, stored);
    if (settled === 'look again') continue;
    const step = readAdmitted(stored?.value, message, ownership, ports.policy, clock.now());
    if (step === 'nothing') return 'done';
    let session = stored?.value;
    if (step !== 'count') {
      const put = await store.putSession(step, stored);
      if (put.kind === 'changed') continue;
      session = step;
    }
    // Of the two who hold the client id by now one has lost its connection to the other, whatever the deployment says of
    // takeovers: the broker is asked, and before the records say whose the id is, so that it is not forgotten.
    if (ownership.theirs !== undefined) await doubt(ports, ownership.theirs);
    if (session === undefined || (await own(ports, message, session, ownership)) === 'look again') continue;
    // The session first, its place second: dying in between leaves a session that this message finds when it comes again.
    await countAgain(store, session);
    return 'done';
  }
  return 'later';
}

async function readOwnership(ports: LifeCyclePorts, message: UncountedAdmission): Promise<Ownership> {
  const { owner, record } = await readOtherHolder(ports.store, message);
  const theirs = record?.value;
  const isNewer = theirs !== undefined && theirs.attempts[0].admittedAt > addSeconds(message.at, connectGraceSeconds);
  return { owner, theirs, passedOn: isNewer && isLive(theirs, ports.clock.now()) };
}

/** Goes on counting, and is looked at when its lease is over. */
async function doubt(ports: LifeCyclePorts, session: Session): Promise<void> {
  const { leaseSeconds } = ports.policy;
  await change(ports, session, (one, now) =>
    isLive(one, now) && pendingOf(one) === undefined
      ? { next: extendLease(one, addSeconds(now, leaseSeconds)) }
      : 'nothing',
  );
}

/** A record that is over gives its place back before a new life begins, because the new record forgets it. */
async function settleBefore(ports: LifeCyclePorts, stored: Stored<Session>): Promise<'look again' | 'settled'> {
  if (isLive(stored.value, ports.clock.now())) return 'settled';
  return (await uncountOver(ports, stored)) === stored ? 'settled' : 'look again';
}

/** Pure. `count`: the record is this attempt's already, and has to be in the roster. */
function readAdmitted(
  session: Session | undefined,
  message: UncountedAdmission,
  { owner }: Ownership,
  policy: Policy,
  now: Ms,
): Session | 'count' | 'nothing' {
  const changedHands = owner !== undefined && owner.value.username !== message.username;
  const start = (): Session | 'nothing' => {
    const next = startSession(message, message.place, message, policy, session, changedHands);
    // Whatever connection came of it has been cut by now.
    return next.countsUntil <= now ? 'nothing' : knowUncounted({ ...next, recounted: true }, message.attempt);
  };
  if (session === undefined) return start();
  const { phase, attempts } = session;
  const known = findAttempt(session, message.attempt);
  if (known === attempts[0]) return phase.kind === 'ended' ? 'nothing' : 'count';
  if (known !== undefined && isOver(known)) return 'nothing';
  // The message comes again, after another attempt. Who carried it out first may have died before the roster; but what
  // another CONNECT has begun since is that one's to decide.
  if (known?.uncounted === true) {
    const isUndecided = phase.kind === 'new' && !session.recounted;
    return phase.kind === 'ended' || isUndecided ? 'nothing' : 'count';
  }
  if (phase.kind === 'ended') {
    const next = start();
    return next === 'nothing' ? next : startOver(next, session, message.at);
  }
  if (attempts[0].admittedAt < message.at) {
    const met = meetSession(session, message, policy, changedHands);
    // An attempt that nobody has confirmed may never have been counted.
    const recounted = met.recounted || phase.kind === 'new';
    const overlap = met.ambiguity !== 'none' || addSeconds(attempts[0].admittedAt, connectGraceSeconds) >= message.at;
    return knowUncounted({ ...(overlap ? unknownInFlight(met) : met), recounted }, message.attempt);
  }
  // Another attempt came later. Which of the two reached the broker last, nobody knows if they came together; and until
  // it is confirmed it may have been let in without a count as well, or have died before it was counted.
  const together = attempts[0].admittedAt <= addSeconds(message.at, connectGraceSeconds);
  const isUncertain = phase.kind === 'new';
  const { countsUntil } = startSession(message, message.place, message, policy, session, changedHands);
  const kept = message.signedBy === undefined ? session : rememberVouchers(session, [message.signedBy]);
  const next = {
    ...(session.ambiguity !== 'none' || together || isUncertain ? unknownInFlight(kept) : kept),
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
  const [last] = tombstone.attempts;
  const { admittedAt } = last;
  if (addSeconds(admittedAt, connectGraceSeconds) < at) return next;
  const overlapping = rememberVouchers(unknownInFlight(next), tombstone.signedBy);
  if (admittedAt < at) return overlapping;
  const pending = pendingOf(overlapping) ?? { until: at };
  const heard = withPending(overlapping, { ...pending, endHeard: true });
  return unknownInFlight(withLatest(heard, { ...last, state: 'open' }));
}

/** The client id is this username's from now on, unless it has been passed on since. */
async function own(
  ports: LifeCyclePorts,
  message: UncountedAdmission,
  session: Session,
  { owner, passedOn }: Ownership,
): Promise<'done' | 'look again'> {
  const { deploymentId, clientId, username } = message;
  const until = addSeconds(session.countsUntil, seconds(ttlGraceSeconds));
  if (passedOn || (owner?.value.username === username && owner.value.keptUntil > until)) return 'done';
  const value = { username, keptUntil: addSeconds(ports.clock.now(), seconds(ownerSeconds)) };
  const put = await ports.store.putOwner(deploymentId, clientId, value, owner);
  return put.kind === 'done' ? 'done' : 'look again';
}
