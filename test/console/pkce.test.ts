// Authorization code with PKCE: the parts that need no browser window [RFC 7636].

import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseConsoleConfig } from '../../console/session/config.ts';
import {
  buildAuthorizeUrl,
  buildTokenRequest,
  challengeOf,
  createAttempt,
  parseCallback,
  parseTokens,
  scopesOfToken,
} from '../../console/session/pkce.ts';

const signIn = {
  kind: 'cognito',
  baseUrl: 'https://sign-in.test',
  clientId: 'client-1',
  scopes: ['headcount/settings:read', 'headcount/usage:read'],
} as const;

test('the challenge is the one of the specification', async () => {
  // [RFC 7636, appendix B]
  expect(await challengeOf('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).toBe(
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  );
});

test('every attempt has a state and a verifier of its own, of 256 bit each', () => {
  const attempts = Array.from({ length: 100 }, createAttempt);
  const texts = attempts.flatMap(({ state, verifier }) => [state, verifier]);
  expect(new Set(texts).size).toBe(200);
  for (const text of texts) expect(text).toMatch(/^[\w-]{43}$/);
});

test('the hosted page is told the challenge and never the verifier', async () => {
  const attempt = createAttempt();
  const url = new URL(await buildAuthorizeUrl(signIn, attempt, 'https://console.test/'));
  expect(url.origin + url.pathname).toBe('https://sign-in.test/oauth2/authorize');
  expect(Object.fromEntries(url.searchParams)).toEqual({
    response_type: 'code',
    client_id: 'client-1',
    redirect_uri: 'https://console.test/',
    scope: 'openid headcount/settings:read headcount/usage:read',
    state: attempt.state,
    code_challenge: createHash('sha256').update(attempt.verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
});

test.each([
  ['?code=c&state=s', { kind: 'code', state: 's', code: 'c' }],
  ['?error=access_denied&state=s', { kind: 'refused', state: 's', reason: 'access_denied' }],
  ['?error=e&error_description=No%20entry&state=s', { kind: 'refused', state: 's', reason: 'No entry' }],
  ['?code=c', undefined],
  ['?state=s', undefined],
  ['', undefined],
])('what comes back is read as it is: %s', (search, expected) => {
  expect(parseCallback(search)).toEqual(expected);
});

describe('the request for tokens', () => {
  test('holds code and verifier, in a body, without cookies', async () => {
    const grant = { kind: 'code', code: 'c', verifier: 'v', redirectUri: 'https://console.test/' } as const;
    const request = buildTokenRequest(signIn, grant);
    expect(request.url).toBe('https://sign-in.test/oauth2/token');
    expect(request.credentials).toBe('omit');
    expect(Object.fromEntries(new URLSearchParams(await request.text()))).toEqual({
      grant_type: 'authorization_code',
      client_id: 'client-1',
      code: 'c',
      code_verifier: 'v',
      redirect_uri: 'https://console.test/',
    });
  });

  test('renews by the refresh token, and keeps it where no new one comes', async () => {
    const request = buildTokenRequest(signIn, { kind: 'refresh', refreshToken: 'r' });
    expect(Object.fromEntries(new URLSearchParams(await request.text()))).toEqual({
      grant_type: 'refresh_token',
      client_id: 'client-1',
      refresh_token: 'r',
    });
    const first = parseTokens({ access_token: 'a', refresh_token: 'r', expires_in: 3600 }, 1000);
    expect(first).toEqual({ accessToken: 'a', refreshToken: 'r', expiresAtMs: 3_601_000 });
    expect(parseTokens({ access_token: 'b', expires_in: 60 }, 0, first).refreshToken).toBe('r');
  });

  test('an answer without a token is none', () => {
    expect(() => parseTokens({ error: 'invalid_grant' }, 0)).toThrow('without a token');
  });
});

test('scopes are read from the access token, to choose which buttons are shown', () => {
  const payload = Buffer.from(JSON.stringify({ scope: 'openid headcount/settings:read other/x' })).toString(
    'base64url',
  );
  expect(scopesOfToken(`h.${payload}.s`)).toEqual(['settings:read']);
  for (const token of ['', 'a', 'a.b.c', 'a.e30.c']) expect(scopesOfToken(token)).toEqual([]);
});

describe('the configuration', () => {
  test('of an installation on AWS', () => {
    const { baseUrl, clientId, scopes } = signIn;
    const config = parseConsoleConfig({ signIn: { baseUrl: `${baseUrl}/`, clientId, scopes } });
    expect(config.signIn).toEqual(signIn);
    expect(config.apiBaseUrl).toBe('');
    expect(config.mqtt).toEqual({
      tcp: undefined,
      tls: { host: undefined, port: 8883, ownCertificate: false },
      frontDoor: false,
    });
  });

  test.each([undefined, {}, { signIn: { baseUrl: 'https://a.test' } }])('that cannot be meant says so: %j', (raw) => {
    expect(() => parseConsoleConfig(raw)).toThrow('config.json');
  });
});
