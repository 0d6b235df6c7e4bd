// What is made of a record when something is told of its session: the next record, or a question for the broker. The
// rules are numbered as in ARCHITECTURE.md, "How events are read".

import type { Policy, Session } from '../../domain/session/record.ts';
import type { Ms } from '../../domain/time.ts';
import type { Clock } from '../../ports/common/clock.ts';
import type { Random } from '../../ports/common/random.ts';
import type { SessionStore } from '../../ports/counter/sessions.ts';
import type { Broker } from '../../ports/presence/broker.ts';

export interface LifeCyclePorts {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly broker: Broker;
  readonly policy: Policy;
}

/** `later`: it cannot be told yet; the message is to be delivered again after some seconds. */
export type Applied = 'done' | 'later';

/** What a decision makes of a record: a next record to write, or a question for the broker, or nothing. */
export type Step =
  | { readonly next: Session }
  | 'ask the broker'
  /** Ask whether the connection is there that was made then. */
  | { readonly since: Ms }
  /** Ask, and write this record where the broker cannot say. */
  | { readonly orElse: Session }
  /** Ask, and keep what this record knows, also where nothing can be told yet. */
  | { readonly knowing: Session; readonly since?: Ms; readonly over?: Over }
  | 'later'
  | 'nothing';

/** What any of those that ask may say besides. */
export interface Question {
  readonly orElse?: Session;
  readonly knowing?: Session;
  readonly since?: Ms;
  readonly over?: Over;
}

/** The connection that the record knows is over, and the broker is asked what it keeps of the session. */
export interface Over {
  /** The client asked for that: what the broker keeps nevertheless is ended. */
  readonly endsSession: boolean;
}
