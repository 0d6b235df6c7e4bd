// Who is signed in, and what for: a store outside of React, so that the client can ask it for a token and tell it of
// problems. A sign-in that ends keeps the page as it is.

import { type ApiClient, createClient } from '../client/client.ts';
import type { ApiProblem } from '../client/problem.ts';
import type { Scope } from '../client/types.ts';
import { arrive, goSignIn, goSignOut, renew, signInBeside } from './cognito.ts';
import type { CognitoSignIn, ConsoleConfig } from './config.ts';
import { loadConsoleConfig } from './load-config.ts';
import { scopesOfToken, type Tokens } from './pkce.ts';

export type SessionState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'failed'; readonly reason: string }
  /** This window only carried an answer to another one. */
  | { readonly kind: 'handed-over' }
  | { readonly kind: 'signed-out'; readonly config: ConsoleConfig }
  | {
      readonly kind: 'signed-in';
      readonly config: ConsoleConfig;
      /** What the token is not good for; undefined: nothing is known of that yet. */
      readonly scopes: readonly Scope[] | undefined;
      readonly refused: readonly Scope[];
      /** What the API says that this person may do; undefined until its first answer. */
      readonly granted: readonly Scope[] | undefined;
      /** The API took the token for none. */
      readonly expired: boolean;
      /** Grows with every sign-in: what was loaded before is asked for again. */
      readonly generation: number;
    };

/** A token is renewed so long before its end that a request under way still finds it good. */
const renewBeforeMs = 60_000;

/**
 * Somebody has signed out on this page, or in with a token of their own: until the page is closed nobody is signed in with
 * the local token without being asked. The token itself stays in memory only.
 */
const askedKey = 'headcount.signIn.asked';

export interface SessionStore {
  readonly client: ApiClient;
  current(): SessionState;
  subscribe(listener: () => void): () => void;
  start(): Promise<void>;
  /** Where a token is typed in. Rejects where the server does not know it. */
  signInWithToken(token: string): Promise<void>;
  /** The way that the installation signs in; where a page is open, beside it. */
  signInAgain(): Promise<void>;
  signOut(): void;
}

export function createSessionStore(): SessionStore {
  let state: SessionState = { kind: 'starting' };
  let token: string | undefined;
  let tokens: Tokens | undefined;
  let renewing: Promise<void> | undefined;
  const listeners = new Set<() => void>();

  function become(next: SessionState): void {
    state = next;
    for (const listener of listeners) listener();
  }

  function signedIn(config: ConsoleConfig, scopes: readonly Scope[] | undefined): void {
    const generation = state.kind === 'signed-in' ? state.generation + 1 : 1;
    become({ kind: 'signed-in', config, scopes, refused: [], granted: undefined, expired: false, generation });
  }

  function accept(config: ConsoleConfig, given: Tokens): void {
    tokens = given;
    signedIn(config, scopesOfToken(given.accessToken));
  }

  async function renewed(signIn: CognitoSignIn, old: Tokens): Promise<void> {
    try {
      tokens = await renew(signIn, old);
    } catch {
      // The old one is sent as it is; the API's 401 then says what the person has to know.
    }
  }

  async function currentToken(): Promise<string | undefined> {
    if (state.kind !== 'signed-in' || state.config.signIn.kind !== 'cognito') return token;
    if (tokens !== undefined && tokens.refreshToken !== undefined && Date.now() > tokens.expiresAtMs - renewBeforeMs) {
      renewing ??= renewed(state.config.signIn, tokens).finally(() => {
        renewing = undefined;
      });
      await renewing;
    }
    return tokens?.accessToken;
  }

  function onProblem({ status, code, scope }: ApiProblem): void {
    if (state.kind !== 'signed-in') return;
    if (status === 401 && !state.expired) become({ ...state, expired: true });
    if (code === 'forbidden' && scope !== undefined && !state.refused.includes(scope))
      become({ ...state, refused: [...state.refused, scope] });
  }

  function onScopes(granted: readonly Scope[]): void {
    if (state.kind === 'signed-in' && state.granted?.join() !== granted.join()) become({ ...state, granted });
  }

  async function start(): Promise<void> {
    try {
      const config = await loadConsoleConfig();
      const { signIn } = config;
      if (signIn.kind === 'token') {
        token = sessionStorage.getItem(askedKey) === null ? signIn.apiToken : undefined;
        if (token === undefined) become({ kind: 'signed-out', config });
        else signedIn(config, signIn.scopes);
        return;
      }
      const arrival = await arrive(signIn);
      switch (arrival.kind) {
        case 'handed-over':
          become({ kind: 'handed-over' });
          return;
        case 'signed-in':
          history.replaceState(null, '', arrival.returnTo);
          accept(config, arrival.tokens);
          return;
        case 'none':
          become({ kind: 'signed-out', config });
      }
    } catch (error) {
      become({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
    }
  }

  let baseUrl = '';
  const client = createClient({
    get baseUrl() {
      return baseUrl;
    },
    token: currentToken,
    onProblem,
    onScopes,
  });

  return {
    client,
    current: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async start() {
      await start();
      if ('config' in state) baseUrl = state.config.apiBaseUrl;
    },
    async signInWithToken(given) {
      const config = await loadConsoleConfig(given);
      token = given;
      sessionStorage.setItem(askedKey, 'yes');
      signedIn(config, config.signIn.kind === 'token' ? config.signIn.scopes : undefined);
    },
    async signInAgain() {
      if (!('config' in state)) return start();
      const { config } = state;
      if (config.signIn.kind === 'token') return start();
      if (state.kind === 'signed-out') return goSignIn(config.signIn, `${location.pathname}${location.search}`);
      accept(config, await signInBeside(config.signIn));
    },
    signOut() {
      if (!('config' in state)) return;
      const { config } = state;
      token = undefined;
      tokens = undefined;
      become({ kind: 'signed-out', config });
      if (config.signIn.kind === 'cognito') goSignOut(config.signIn);
      else sessionStorage.setItem(askedKey, 'yes');
    },
  };
}
