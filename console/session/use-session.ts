// The session as components see it.

import { createContext, useContext, useSyncExternalStore } from 'react';
import type { ApiClient } from '../client/client.ts';
import type { Scope } from '../client/types.ts';
import type { ConsoleConfig } from './config.ts';
import type { SessionState, SessionStore } from './session.ts';

export const SessionContext = createContext<SessionStore | undefined>(undefined);

export function useSessionStore(): SessionStore {
  const store = useContext(SessionContext);
  if (store === undefined) throw new Error('no session around this component');
  return store;
}

export function useSessionState(): SessionState {
  const store = useSessionStore();
  return useSyncExternalStore(store.subscribe, store.current);
}

export interface Session {
  readonly client: ApiClient;
  readonly config: ConsoleConfig;
  /** Whether a button that needs this scope is worth showing. */
  may(scope: Scope): boolean;
  readonly generation: number;
}

/** For what is only shown to somebody signed in. */
export function useSession(): Session {
  const { client } = useSessionStore();
  const state = useSessionState();
  if (state.kind !== 'signed-in') throw new Error('nobody is signed in');
  const { config, scopes, refused, granted, generation } = state;
  return {
    client,
    config,
    generation,
    may: (scope) => [scopes, granted].every((known) => known?.includes(scope) !== false) && !refused.includes(scope),
  };
}
