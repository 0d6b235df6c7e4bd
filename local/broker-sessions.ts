// The sessions of the local broker: what GetConnection tells, and when a session ends. By the injected clock: an
// expired session is gone for everybody who asks, whether its timer has fired or not.

import { randomUUID } from 'node:crypto';
import { addSeconds, type Ms, type Seconds } from '../shared/domain/time.ts';
import type { BrokerSays } from '../shared/ports/broker.ts';
import type { Clock } from '../shared/ports/clock.ts';
import type { Schedule } from './schedule.ts';

interface Session {
  readonly sessionIdentifier: string;
  readonly expirySeconds: Seconds;
  readonly state:
    | { readonly kind: 'connected'; readonly since: Ms }
    | { readonly kind: 'retained'; readonly disconnectedAt: Ms };
  /** Of the timer that ends a retained session. */
  readonly cancel: () => void;
}

export interface BrokerSessions {
  /** A connection takes the session of its client id over, or starts one. */
  connect(clientId: string, expirySeconds: Seconds): { readonly sessionIdentifier: string };
  /** A connection ended: its session is retained for its expiry, or over. */
  disconnect(clientId: string, expirySeconds: Seconds): 'retained' | 'over';
  /** Ends a session that has no connection. */
  drop(clientId: string): Promise<void>;
  says(clientId: string): Promise<BrokerSays>;
  close(): void;
}

export interface BrokerSessionsOptions {
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** Removes what the broker keeps for a session that is over. */
  readonly wipe: (clientId: string) => Promise<void>;
}

const noTimer = (): void => undefined;

export function createBrokerSessions({ clock, schedule, wipe }: BrokerSessionsOptions): BrokerSessions {
  const sessions = new Map<string, Session>();

  const isOver = ({ state, expirySeconds }: Session): boolean =>
    state.kind === 'retained' && clock.now() >= addSeconds(state.disconnectedAt, expirySeconds);

  async function drop(clientId: string): Promise<void> {
    sessions.get(clientId)?.cancel();
    sessions.delete(clientId);
    await wipe(clientId);
  }

  return {
    connect(clientId, expirySeconds) {
      const before = sessions.get(clientId);
      before?.cancel();
      const sessionIdentifier = before?.sessionIdentifier ?? randomUUID();
      const state = { kind: 'connected', since: clock.now() } as const;
      sessions.set(clientId, { sessionIdentifier, expirySeconds, state, cancel: noTimer });
      return { sessionIdentifier };
    },
    disconnect(clientId, expirySeconds) {
      const session = sessions.get(clientId);
      if (session === undefined || expirySeconds === 0) {
        sessions.delete(clientId);
        return 'over';
      }
      const cancel = schedule(() => {
        const now = sessions.get(clientId);
        if (now !== undefined && isOver(now)) void drop(clientId);
      }, expirySeconds * 1000);
      const state = { kind: 'retained', disconnectedAt: clock.now() } as const;
      sessions.set(clientId, { ...session, expirySeconds, state, cancel });
      return 'retained';
    },
    drop,
    async says(clientId) {
      const session = sessions.get(clientId);
      if (session === undefined) return { kind: 'absent' };
      if (isOver(session)) {
        await drop(clientId);
        return { kind: 'absent' };
      }
      const { state, expirySeconds } = session;
      return { ...state, expirySeconds };
    },
    close() {
      for (const session of sessions.values()) session.cancel();
      sessions.clear();
    },
  };
}
