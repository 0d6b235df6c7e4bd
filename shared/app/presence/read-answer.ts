// The broker's answer, made a record (S12, S13). Pure.

import { countStrange } from '../../domain/session/attempt.ts';
import {
  type Confirmation,
  confirmSession,
  endSession,
  freeSession,
  recountSession,
} from '../../domain/session/outcome.ts';
import type { Ending, Session } from '../../domain/session/record.ts';
import { addSeconds, later, type Ms } from '../../domain/time.ts';
import type { Heard } from './ask-broker.ts';
import type { LifeCyclePorts } from './step.ts';

/** What the broker says of a session, made its record (S12, S13). Used by the sweeper and wherever events are unsure. */
export function readTruth(
  session: Session,
  says: Heard,
  ports: Pick<LifeCyclePorts, 'policy' | 'random'>,
  now: Ms,
): Session | undefined {
  switch (says.kind) {
    case 'unknown':
      return undefined;
    case 'strange':
      // It proves nothing of an attempt; and what is freed waits for the message that is to come.
      if (session.holding === 'new' || session.holding === 'freed') return undefined;
      return countStrange(session, says.until, addSeconds(now, ports.policy.leaseSeconds));
    case 'absent': {
      // Nothing was there. Which attempts are over, that does not say: one may connect after all.
      const { overAttempt: _o, ...unheard } = session;
      return session.holding === 'freed' ? session : freeSession(unheard, { owes: true, findAt: now });
    }
    case 'retained': {
      // The broker forgets after half an hour when it was; what was known before is nearer the truth than now.
      const at = says.disconnectedAt ?? session.disconnectedAt ?? now;
      const expirySeconds = says.expirySeconds ?? session.expirySeconds;
      if (session.holding !== 'freed') return owing(endUnheard(session, { at, expirySeconds }, now), session, now);
      // When it was connected, the broker does not say.
      const told = { at, expirySeconds };
      const { connectedAt: _c, ...again } = recountSession(session, ports.random.place(), told, ports.policy);
      return owing(endUnheard({ ...again, admittedAt: session.admittedAt }, told, now), session, now);
    }
    case 'connected': {
      // Which connection it is, the broker does not say: from now on nothing frees it on an event alone.
      const since = says.since ?? now;
      // Known here only of the latest attempt.
      const attempt = session.confirmedAttempt === session.attempt ? session.attempt : undefined;
      const told: Confirmation = {
        at: since,
        expirySeconds: says.expirySeconds,
        ...(attempt === undefined ? {} : { attempt }),
      };
      if (session.holding === 'freed') return recountSession(session, ports.random.place(), told, ports.policy);
      // Where the front door has told so too, and nothing overlapped, it is this attempt's.
      const overlap = session.overlap || attempt === undefined;
      return confirmSession({ ...session, overlap, admittedAt: later(session.admittedAt, since) }, told, ports.policy);
    }
  }
}

/** The broker tells of a session that was retained, not of attempts: the latest may connect after all. */
function endUnheard(session: Session, ending: Ending, now: Ms): Session {
  const { overAttempt: _o, ...ended } = endSession(session, ending, now);
  return session.overAttempt === undefined ? ended : { ...ended, overAttempt: session.overAttempt };
}

/** No message may come again for it: a tombstone is found by its lease until its place is out of the roster. */
function owing(next: Session, before: Session, now: Ms): Session {
  return next.holding === 'freed' ? { ...next, owes: true, leaseUntil: before.leaseUntil ?? now } : next;
}
