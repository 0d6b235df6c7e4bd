// The vocabulary of presence: what a rule makes of a record (a step), and what becomes of its message.

import type { Policy, Session } from '../../domain/session/record.ts';
import type { Ms } from '../../domain/time.ts';
import type { Clock } from '../../ports/common/clock.ts';
import type { Random } from '../../ports/common/random.ts';
import type { SessionStore } from '../../ports/common/session-store.ts';
import type { Broker } from '../../ports/presence/broker.ts';

export interface LifeCyclePorts {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly broker: Broker;
  readonly policy: Policy;
}

/** `later`: not known yet; the queue delivers the message again after some seconds. */
export type Applied = 'done' | 'later';

/** A rule's decision: the next record to write, a question for the broker, or nothing. */
export type Step =
  | { readonly next: Session }
  | 'ask the broker'
  /** Ask about the connection that was made then. */
  | { readonly since: Ms }
  /** Ask, and write this record where the broker cannot say. */
  | { readonly orElse: Session }
  /** Ask, and apply the answer to this record; keep what it knows even if the answer proves nothing. */
  | { readonly knowing: Session; readonly since?: Ms; readonly over?: Over }
  | 'later'
  | 'nothing';

/** The options of all steps that ask. */
export interface Question {
  readonly orElse?: Session;
  readonly knowing?: Session;
  readonly since?: Ms;
  readonly over?: Over;
}

/** The known connection is over, and the question is what the broker keeps of the session. */
export interface Over {
  /** The client asked for expiry 0: a session that the broker still keeps is ended there. */
  readonly endsSession: boolean;
}
