// The rules for the broker's answers: each makes a next record (S12, S13). Pure. change.ts uses them, for messages that
// leave doubt, for the sweeper and for the reconciler.

import { countStrange } from '../../domain/session/attempt.ts';
import { isConfirmed, noneOver } from '../../domain/session/attempts.ts';
import {
  type Confirmation,
  confirmSession,
  endUnheard,
  freeSession,
  owing,
  recountRetained,
  recountSession,
  withAdmittedAt,
} from '../../domain/session/outcome.ts';
import { disconnectedAtOf, type Ending, pendingOf, type Session } from '../../domain/session/record.ts';
import { type ActionOf, answers, cellOf } from '../../domain/session/table.ts';
import { addSeconds, later, type Ms } from '../../domain/time.ts';
import type { Heard } from './ask-broker.ts';
import type { LifeCyclePorts } from './step.ts';

type Ports = Pick<LifeCyclePorts, 'policy' | 'random'>;

interface Given<Says extends Heard = Heard> {
  readonly session: Session;
  readonly says: Says;
  readonly ports: Ports;
  readonly now: Ms;
}

/** Undefined: it proves nothing. */
export function readTruth(session: Session, says: Heard, ports: Ports, now: Ms): Session | undefined {
  return actions[cellOf(answers, says.kind, session)]({ session, says, ports, now });
}

const actions: Readonly<Record<ActionOf<typeof answers>, (given: Given) => Session | undefined>> = {
  '–': ({ session }) => session,
  wait: () => undefined,
  confirm: ({ session, says, ports, now }) => {
    const told = toldConnection(session, says, now);
    // The broker does not say which attempt's connection it is, so from now on no event frees it by itself. But if the
    // front door has reported one and none overlapped, it is the latest attempt's.
    const isNewDoubt = told.attempt === undefined && session.ambiguity === 'none';
    const known: Session = isNewDoubt ? { ...session, ambiguity: 'unknown' } : session;
    return confirmSession(withAdmittedAt(known, later(session.attempts[0].admittedAt, told.at)), told, ports.policy);
  },
  retain: ({ session, says, now }) =>
    owingSince(endUnheard(session, toldRetention(session, says, now), now), session, now),
  // The broker had nothing. That does not say which attempts are over: one may connect after all.
  free: ({ session, now }) => freeSession(noneOver(session), { owes: true, findAt: now }),
  count: ({ session, says, ports, now }) =>
    says.kind === 'strange' ? countStrange(session, says.until, addSeconds(now, ports.policy.leaseSeconds)) : undefined,
  'count again': ({ session, says, ports, now }) => {
    const place = ports.random.place();
    if (says.kind === 'connected')
      return recountSession(session, place, toldConnection(session, says, now), ports.policy);
    const ending = toldRetention(session, says, now);
    return owingSince(recountRetained(session, place, ending, ports.policy, now), session, now);
  },
};

function toldConnection({ attempts: [latest] }: Session, says: Heard, now: Ms): Confirmation {
  const { since = now, expirySeconds } = says.kind === 'connected' ? says : {};
  // Only the latest attempt can be named here.
  return { at: since, expirySeconds, ...(isConfirmed(latest) ? { attempt: latest.id } : {}) };
}

function toldRetention(session: Session, says: Heard, now: Ms): Ending {
  const { disconnectedAt, expirySeconds = session.expirySeconds } = says.kind === 'retained' ? says : {};
  // The broker forgets the time of a disconnect after half an hour. The time in the record is nearer the truth than now.
  return { at: disconnectedAt ?? disconnectedAtOf(session) ?? now, expirySeconds };
}

/** No message may come again, so an entry leads the sweeper to a tombstone until its place is out of the roster. */
function owingSince(next: Session, before: Session, now: Ms): Session {
  const { phase } = before;
  const findAt = phase.kind === 'ended' ? phase.uncountPending?.findAt : pendingOf(before)?.until;
  return owing(next, findAt ?? now);
}
