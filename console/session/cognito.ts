// Sign-in with Cognito's hosted page. Tokens live in memory only: a reload signs in again, silently as long as the
// hosted page still knows the person. Of an attempt under way the session storage holds the verifier and the state,
// which are worth nothing without the code.

import { samePage } from '../shell/same-page.ts';
import type { CognitoSignIn } from './config.ts';
import {
  buildAuthorizeUrl,
  buildTokenRequest,
  type Callback,
  createAttempt,
  parseCallback,
  parseTokens,
  type Tokens,
} from './pkce.ts';

const pendingKey = 'headcount.sign-in';
const channelName = 'headcount.sign-in';

interface Pending {
  readonly state: string;
  readonly verifier: string;
  readonly returnTo: string;
}

/** What the app client of the user pool allows: the console's own address. */
const redirectUri = (): string => `${location.origin}/`;

function takePending(): Pending | undefined {
  const stored = sessionStorage.getItem(pendingKey);
  sessionStorage.removeItem(pendingKey);
  return stored === null ? undefined : (JSON.parse(stored) as Pending);
}

async function fetchTokens(request: Request, before?: Tokens): Promise<Tokens> {
  const answer = await fetch(request);
  if (!answer.ok) throw new Error('The sign-in page refused.');
  return parseTokens(await answer.json(), Date.now(), before);
}

function codeOf(callback: Callback): string {
  if (callback.kind === 'refused') throw new Error(`Sign-in was refused: ${callback.reason}`);
  return callback.code;
}

/** Leaves the page. Comes back at the console's root, and from there to `returnTo`. */
export async function goSignIn(signIn: CognitoSignIn, returnTo: string): Promise<void> {
  const attempt = createAttempt();
  sessionStorage.setItem(pendingKey, JSON.stringify({ ...attempt, returnTo } satisfies Pending));
  location.assign(await buildAuthorizeUrl(signIn, attempt, redirectUri()));
}

export type Arrival =
  | { readonly kind: 'none' }
  | { readonly kind: 'signed-in'; readonly tokens: Tokens; readonly returnTo: string }
  /** This window was opened for the sign-in alone; another one waits for the answer. */
  | { readonly kind: 'handed-over' };

/** To be called once at the start: whether this page is the way back from the hosted page. */
export async function arrive(signIn: CognitoSignIn): Promise<Arrival> {
  if (location.pathname !== '/') return { kind: 'none' };
  const callback = parseCallback(location.search);
  if (callback === undefined) return { kind: 'none' };
  const pending = takePending();
  // An answer that this window did not ask for is another window's, or somebody else's: that one checks it.
  if (pending?.state !== callback.state) {
    const channel = new BroadcastChannel(channelName);
    channel.postMessage(location.search);
    channel.close();
    return { kind: 'handed-over' };
  }
  const { verifier } = pending;
  const returnTo = samePage(pending.returnTo);
  const code = codeOf(callback);
  const tokens = await fetchTokens(
    buildTokenRequest(signIn, { kind: 'code', code, verifier, redirectUri: redirectUri() }),
  );
  return { kind: 'signed-in', tokens, returnTo };
}

export function renew(signIn: CognitoSignIn, tokens: Tokens): Promise<Tokens> {
  const { refreshToken } = tokens;
  if (refreshToken === undefined) return Promise.reject(new Error('Nothing to renew the sign-in with.'));
  return fetchTokens(buildTokenRequest(signIn, { kind: 'refresh', refreshToken }), tokens);
}

/** In a window of its own, so that this page, and all that was typed into it, stays as it is. */
export async function signInBeside(signIn: CognitoSignIn): Promise<Tokens> {
  const attempt = createAttempt();
  // Opened before anything is awaited: later the browser would take it for a pop-up that nobody asked for.
  const beside = window.open('about:blank', 'headcount-sign-in', 'width=520,height=720');
  if (beside === null) throw new Error('The browser did not open the sign-in window. Allow pop-ups for this page.');
  const channel = new BroadcastChannel(channelName);
  const answered = new Promise<Callback>((resolve) => {
    channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      const callback = typeof data === 'string' ? parseCallback(data) : undefined;
      if (callback?.state === attempt.state) resolve(callback);
    });
  });
  try {
    beside.location.replace(await buildAuthorizeUrl(signIn, attempt, redirectUri()));
    const code = codeOf(await answered);
    const { verifier } = attempt;
    return await fetchTokens(buildTokenRequest(signIn, { kind: 'code', code, verifier, redirectUri: redirectUri() }));
  } finally {
    channel.close();
    beside.close();
  }
}

/** Ends the sign-in at the hosted page too. */
export function goSignOut(signIn: CognitoSignIn): void {
  const query = new URLSearchParams({ client_id: signIn.clientId, logout_uri: `${location.origin}/` });
  location.assign(`${signIn.baseUrl}/logout?${query}`);
}
