// The sessions of the local broker: what GetConnection tells, and when a session ends. By the injected clock: an
// expired session is gone for everybody who asks, whether its timer has fired or not. IoT Core does not forget its
// sessions when a client of its API restarts; so these are kept in a journal, less what the sessions themselves keep:
// subscriptions and queued messages go with the process.

import { randomUUID } from 'node:crypto';
import { addSeconds, later, type Ms, ms, type Seconds, seconds } from '../shared/domain/time.ts';
import type { Clock } from '../shared/ports/common/clock.ts';
import type { BrokerSays } from '../shared/ports/presence/broker.ts';
import { type Journal, noJournal } from './journal.ts';
import type { Schedule } from './schedule.ts';

interface Session {
  readonly sessionIdentifier: string;
  readonly expirySeconds: Seconds;
  readonly state:
    | { readonly kind: 'connected'; readonly since: Ms }
    | { readonly kind: 'retained'; readonly disconnectedAt: Ms };
  /** Of the last run: what it kept is gone, so nobody can go on with it. */
  readonly hollow: boolean;
  /** Of the timer that ends a retained session. */
  readonly cancel: () => void;
}

/** A session as the journal keeps it. */
export interface KeptSession {
  readonly kind: 'connected' | 'retained';
  /** Since when. */
  readonly at: Ms;
  readonly expirySeconds: Seconds;
}

/** What the last run left, and when it ended. */
export interface Memory {
  readonly journal: Journal<KeptSession>;
  readonly endedAt: Ms;
}

/** Undefined for what is not one. */
export function parseKeptSession(raw: unknown): KeptSession | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  const { kind, at, expirySeconds } = raw as Readonly<Record<string, unknown>>;
  if ((kind !== 'connected' && kind !== 'retained') || typeof at !== 'number' || typeof expirySeconds !== 'number')
    return undefined;
  return { kind, at: ms(at), expirySeconds: seconds(expirySeconds) };
}

export interface BrokerSessions {
  /** A connection takes the session of its client id over, or starts one. */
  connect(clientId: string, expirySeconds: Seconds): { readonly sessionIdentifier: string };
  /** A connection ended: its session is retained for its expiry, or over. */
  disconnect(clientId: string, expirySeconds: Seconds): 'retained' | 'over';
  /** Ends a session that has no connection. */
  drop(clientId: string): Promise<void>;
  says(clientId: string): Promise<BrokerSays>;
  /** There is a session, and a connection that asks for it goes on with it. */
  resumes(clientId: string): Promise<boolean>;
  close(): void;
}

export interface BrokerSessionsOptions {
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** Removes what the broker keeps for a session that is over. */
  readonly wipe: (clientId: string) => Promise<void>;
  readonly memory?: Memory | undefined;
}

const noTimer = (): void => undefined;

export function createBrokerSessions({ clock, schedule, wipe, memory }: BrokerSessionsOptions): BrokerSessions {
  const journal = memory?.journal ?? noJournal;
  const sessions = new Map<string, Session>();

  const isOver = ({ state, expirySeconds }: Session): boolean =>
    state.kind === 'retained' && clock.now() >= addSeconds(state.disconnectedAt, expirySeconds);

  // A full disk must not end the process: what cannot be written now is settled by the table after a kill.
  const keep = (change: () => void): void => {
    try {
      change();
    } catch {
      // The next change may find room again.
    }
  };
  const set = (clientId: string, session: Session): void => {
    sessions.set(clientId, session);
    const { state, expirySeconds } = session;
    const at = state.kind === 'connected' ? state.since : state.disconnectedAt;
    keep(() => journal.put(clientId, { kind: state.kind, at, expirySeconds }));
  };
  const forget = (clientId: string): void => {
    sessions.delete(clientId);
    keep(() => journal.remove(clientId));
  };

  async function drop(clientId: string): Promise<void> {
    sessions.get(clientId)?.cancel();
    forget(clientId);
    await wipe(clientId);
  }

  const endIn = (clientId: string, delaySeconds: Seconds): (() => void) =>
    schedule(() => {
      const now = sessions.get(clientId);
      if (now !== undefined && isOver(now)) void drop(clientId);
    }, delaySeconds * 1000);

  async function says(clientId: string): Promise<BrokerSays> {
    const session = sessions.get(clientId);
    if (session === undefined) return { kind: 'absent' };
    if (isOver(session)) {
      await drop(clientId);
      return { kind: 'absent' };
    }
    const { state, expirySeconds } = session;
    return { ...state, expirySeconds };
  }

  // What was connected when the last run ended has been disconnected since.
  for (const [clientId, { kind, at, expirySeconds }] of memory?.journal.found ?? []) {
    const disconnectedAt = kind === 'connected' ? later(at, memory?.endedAt ?? at) : at;
    if (expirySeconds === 0) forget(clientId);
    else
      set(clientId, {
        // A new one: the numbering of connections begins anew, and must not meet the pairs of the last run.
        sessionIdentifier: randomUUID(),
        expirySeconds,
        state: { kind: 'retained', disconnectedAt },
        hollow: true,
        cancel: endIn(clientId, expirySeconds),
      });
  }

  return {
    connect(clientId, expirySeconds) {
      const before = sessions.get(clientId);
      before?.cancel();
      const sessionIdentifier = before?.sessionIdentifier ?? randomUUID();
      const state = { kind: 'connected', since: clock.now() } as const;
      set(clientId, { sessionIdentifier, expirySeconds, state, hollow: false, cancel: noTimer });
      return { sessionIdentifier };
    },
    disconnect(clientId, expirySeconds) {
      const session = sessions.get(clientId);
      if (session === undefined || expirySeconds === 0) {
        forget(clientId);
        return 'over';
      }
      const state = { kind: 'retained', disconnectedAt: clock.now() } as const;
      set(clientId, { ...session, expirySeconds, state, cancel: endIn(clientId, expirySeconds) });
      return 'retained';
    },
    drop,
    says,
    resumes: async (clientId) => (await says(clientId)).kind !== 'absent' && sessions.get(clientId)?.hollow === false,
    close() {
      for (const session of sessions.values()) session.cancel();
      sessions.clear();
    },
  };
}
