// Authorization code with PKCE [RFC 7636]: the parts that need no browser window.

import { type Scope, scopes } from '../client/types.ts';
import type { CognitoSignIn } from './config.ts';

/** What must come back unchanged, or fits the answer: made anew for every attempt to sign in. */
export interface SignInAttempt {
  readonly state: string;
  readonly verifier: string;
}

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  /** Milliseconds since the epoch, by this machine's clock. */
  readonly expiresAtMs: number;
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

function randomText(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

export function createAttempt(): SignInAttempt {
  return { state: randomText(), verifier: randomText() };
}

/** S256 [RFC 7636, 4.2]. */
export async function challengeOf(verifier: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  return base64url(new Uint8Array(digest));
}

export async function buildAuthorizeUrl(
  signIn: CognitoSignIn,
  attempt: SignInAttempt,
  redirectUri: string,
): Promise<string> {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: signIn.clientId,
    redirect_uri: redirectUri,
    scope: ['openid', ...signIn.scopes].join(' '),
    state: attempt.state,
    code_challenge: await challengeOf(attempt.verifier),
    code_challenge_method: 'S256',
  });
  return `${signIn.baseUrl}/oauth2/authorize?${query}`;
}

export type Callback =
  | { readonly kind: 'code'; readonly state: string; readonly code: string }
  | { readonly kind: 'refused'; readonly state: string; readonly reason: string };

/** What the hosted page sent back; undefined where the address holds no answer of it. */
export function parseCallback(search: string): Callback | undefined {
  const query = new URLSearchParams(search);
  const [state, code, error] = [query.get('state'), query.get('code'), query.get('error')];
  if (state === null) return undefined;
  if (error !== null) return { kind: 'refused', state, reason: query.get('error_description') ?? error };
  return code === null ? undefined : { kind: 'code', state, code };
}

export function buildTokenRequest(
  signIn: CognitoSignIn,
  grant:
    | { readonly kind: 'code'; readonly code: string; readonly verifier: string; readonly redirectUri: string }
    | { readonly kind: 'refresh'; readonly refreshToken: string },
): Request {
  const body = new URLSearchParams(
    grant.kind === 'code'
      ? {
          grant_type: 'authorization_code',
          code: grant.code,
          code_verifier: grant.verifier,
          redirect_uri: grant.redirectUri,
        }
      : { grant_type: 'refresh_token', refresh_token: grant.refreshToken },
  );
  body.set('client_id', signIn.clientId);
  return new Request(`${signIn.baseUrl}/oauth2/token`, { method: 'POST', body, credentials: 'omit' });
}

/** A refresh answers no new refresh token where the old one stays good. */
export function parseTokens(raw: unknown, nowMs: number, before?: Tokens): Tokens {
  const field = (name: string): unknown =>
    typeof raw === 'object' && raw !== null ? Reflect.get(raw, name) : undefined;
  const [accessToken, refreshToken, seconds] = [field('access_token'), field('refresh_token'), field('expires_in')];
  if (typeof accessToken !== 'string' || typeof seconds !== 'number')
    throw new Error('The sign-in page answered without a token.');
  return {
    accessToken,
    refreshToken: typeof refreshToken === 'string' ? refreshToken : before?.refreshToken,
    expiresAtMs: nowMs + seconds * 1000,
  };
}

/**
 * What the token says it is good for. Read to choose which buttons to show and for nothing else: the API checks the
 * token, this does not.
 */
export function scopesOfToken(accessToken: string): readonly Scope[] {
  try {
    const payload = (accessToken.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const claims: unknown = JSON.parse(atob(payload));
    const claim = typeof claims === 'object' && claims !== null ? Reflect.get(claims, 'scope') : undefined;
    const named = typeof claim === 'string' ? claim.split(' ').map((one) => one.slice(one.lastIndexOf('/') + 1)) : [];
    return scopes.filter((scope) => named.includes(scope));
  } catch {
    return [];
  }
}
