// Applies one message about an admitted session: reads the record, lets a rule decide, asks the broker where the rule wants
// that, and commits. Messages of the front door and of the broker come late, twice, out of order or never. This file must
// not know what any message means: read-report.ts, read-event.ts and read-answer.ts hold the rules.

import { extendLease } from '../../domain/session/attempt.ts';
import { arrivedBy, isOnItsWay } from '../../domain/session/bounds.ts';
import { awaitsProof, type Policy, pendingOf, type Session } from '../../domain/session/record.ts';
import { addSeconds, later, type Ms } from '../../domain/time.ts';
import type { Names } from '../../ports/presence/sessions.ts';
import { commit, complete } from '../counter/commit.ts';
import { askBroker, type Heard, hearAfterEnd } from './ask-broker.ts';
import { createHeld, type Held } from './held.ts';
import { readTruth } from './read-answer.ts';
import type { Applied, LifeCyclePorts, Question, Step } from './step.ts';

const maxRounds = 16;

/** Reads, decides, and commits; repeats that where another process wrote in between. */
export async function change(
  ports: LifeCyclePorts,
  names: Names,
  decide: (session: Session, now: Ms) => Step,
  held: Held = createHeld(ports.store),
): Promise<Applied> {
  const { clock } = ports;
  let stored = await held.session(names);
  for (let round = 0; round < maxRounds; round++) {
    if (stored === undefined) return 'done';
    let step = decide(stored.value, clock.now());
    let proven = false;
    if (step === 'later') return 'later';
    if (step === 'ask the broker' || (typeof step === 'object' && !('next' in step))) {
      const question: Question = step === 'ask the broker' ? {} : step;
      const { orElse, knowing: known = stored.value, since } = question;
      const over = question.over ?? (awaitsProof(known) ? { endsSession: false } : undefined);
      // What the broker says is as old as the question.
      const askedAt = clock.now();
      const heard = await askBroker(ports, stored.value, since);
      const says = over === undefined ? heard : await hearAfterEnd(ports, known, heard, over);
      const now = clock.now();
      const early = says.kind !== 'connected' && says.kind !== 'strange' && isOnItsWay(known, askedAt);
      const told = early ? undefined : readTruth(known, says, ports, now);
      const next = told ?? orElse ?? leaveToLease(known, early, ports.policy, now);
      if (next === undefined) return 'later';
      step = next === stored.value || isKnown(stored.value, says) ? 'nothing' : { next };
      proven = told !== undefined;
    }
    if (step === 'nothing') {
      if (!held.isComplete(stored)) {
        // A tombstone that owes its place is written once more.
        if (stored.value.phase.kind === 'ended') held.forget(names);
        await complete(ports, stored);
      }
      return 'done';
    }
    held.forget(names);
    const committed = await commit(ports, stored, step.next, { proven });
    if (committed.kind === 'done') {
      if (committed.stored !== undefined) held.note(names, committed.stored, isCompleted(committed.stored.value));
      return 'done';
    }
    stored = committed.current;
    held.note(names, stored, false);
  }
  return 'later';
}

/** By its commit: only one that had been counted again may still wait for its place. */
const isCompleted = ({ phase, recounted }: Session): boolean => phase.kind === 'ended' || !recounted;

/**
 * The answer proves nothing yet. No queue redelivers for ever, so the sweeper takes over: the session goes on counting, and
 * the lease asks again when the answer may be known. Undefined for a freed session, which counts nothing meanwhile.
 */
function leaveToLease(session: Session, early: boolean, policy: Policy, now: Ms): Session | undefined {
  if (session.phase.kind === 'ended') return undefined;
  const pending = pendingOf(session);
  if (pending !== undefined && pending.until > now) {
    // The question stays open: an attempt that comes to nothing leaves a connection that may be over.
    const isDoubted = session.phase.kind !== 'connected' || session.ambiguity !== 'none';
    return isDoubted ? session : { ...session, ambiguity: 'unknown' };
  }
  return extendLease(
    session,
    early ? later(arrivedBy(session.attempts[0].admittedAt), now) : addSeconds(now, policy.leaseSeconds),
  );
}

/** The front door has reported this connection and will report its end, so the broker's `connected` is no news. */
function isKnown(session: Session, says: Heard): boolean {
  const { phase, attempts } = session;
  if (attempts[0].source !== 'door' || phase.kind !== 'connected') return false;
  return says.kind === 'connected' && phase.pending === undefined;
}
