// Sign-in as on AWS, in the browser: a hosted page stands in for Cognito's, everything else is the real console.

import { createHash } from 'node:crypto';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startBrowser } from '../support/browser.ts';
import { type Rig, startRig } from '../support/product.ts';

const hosted = 'https://sign-in.test';
let rig: Rig;
let browser: Browser;
let origin: string;
let context: BrowserContext;
/** What the hosted page was asked for, in order. */
let authorized: URLSearchParams[];
let granted: URLSearchParams[];

beforeAll(async () => {
  [rig, browser] = await Promise.all([
    startRig({ console: true, env: { API_TOKENS: 'first=local,second=local,reader=local:settings:read+usage:read' } }),
    startBrowser(),
  ]);
  origin = `http://127.0.0.1:${rig.product.httpPort}`;
  await rig.limit(5);
}, 120_000);
afterAll(async () => {
  await browser.close();
  await rig.stop();
});

/** The API knows these tokens by their names; the console reads the scopes out of them as out of a real one. */
let tokens: string[];

beforeEach(async () => {
  tokens = ['first', 'second'];
  [authorized, granted] = [[], []];
  // The policy of this origin does not know the other one; on AWS its headers name it (shared/config/console.ts).
  context = await browser.newContext({ bypassCSP: true });
  context.setDefaultTimeout(20_000);
  const config = { signIn: { baseUrl: hosted, clientId: 'client-1', scopes: ['headcount/settings:read'] } };
  await context.route('**/config.json', (route) => route.fulfill({ json: config }));
  await context.route(`${hosted}/oauth2/authorize*`, (route) => {
    const asked = new URL(route.request().url()).searchParams;
    authorized.push(asked);
    const back = new URL(asked.get('redirect_uri') ?? '');
    back.search = String(new URLSearchParams({ code: `code-${authorized.length}`, state: asked.get('state') ?? '' }));
    return route.fulfill({ status: 302, headers: { location: back.href } });
  });
  await context.route(`${hosted}/oauth2/token`, (route) => {
    const asked = new URLSearchParams(route.request().postData() ?? '');
    granted.push(asked);
    const claims = Buffer.from(
      JSON.stringify({ scope: 'headcount/settings:read headcount/settings:write headcount/usage:read' }),
    );
    const access_token = `${tokens[granted.length - 1] ?? 'none'}.${claims.toString('base64url')}.signature`;
    return route.fulfill({ json: { access_token, expires_in: 3600 }, headers: { 'access-control-allow-origin': '*' } });
  });
  // The gateway has checked the signature; the local API knows the token by the name in front.
  await context.route('**/v1/**', (route) => {
    const headers = route.request().headers();
    const token = headers.authorization?.split(' ')[1]?.split('.')[0] ?? '';
    return route.continue({ headers: { ...headers, authorization: `Bearer ${token}` } });
  });
});

async function signIn(path: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${origin}${path}`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  return page;
}

test('the hosted page leads back to where the person was going, and nothing is kept but in memory', {
  timeout: 60_000,
}, async () => {
  const page = await signIn('/deployments/demo/session-limit/usage?prefix=al');
  await page.getByText('No username matches.').waitFor();
  expect(page.url()).toBe(`${origin}/deployments/demo/session-limit/usage?prefix=al`);

  // PKCE: the challenge went first, the verifier that fits it came with the code.
  const verifier = granted[0]?.get('code_verifier') ?? '';
  expect(authorized[0]?.get('code_challenge')).toBe(createHash('sha256').update(verifier).digest('base64url'));
  expect(granted[0]?.get('code')).toBe('code-1');
  expect(granted).toHaveLength(1);

  const kept = String(
    await page.evaluate('JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])'),
  );
  expect(kept).toBe('[{},{},""]');
  // The token says nothing of credentials: no button that would fail.
  await page.getByRole('link', { name: 'MQTT Users', exact: true }).click();
  await page.getByText('bridge').waitFor();
  expect(await page.getByRole('button', { name: 'Add MQTT user' }).count()).toBe(0);
});

test('a person whose role allows less than the token says sees no buttons that would fail', {
  timeout: 60_000,
}, async () => {
  tokens = ['reader'];
  const page = await signIn('/deployments/demo/session-limit/settings');
  await page.getByText('You have no permission to change these settings.').waitFor();
  for (const name of ['Save', 'Disable Limit', 'Delete Limit'])
    expect(await page.getByRole('button', { name, exact: true }).count(), name).toBe(0);
});

test('an answer that this page did not ask for is not taken', { timeout: 60_000 }, async () => {
  const page = await context.newPage();
  await page.goto(`${origin}/?code=stolen&state=somebody-elses`);
  await page.getByText('This window can be closed.').waitFor();
  expect(granted).toEqual([]);
});

test('an expired sign-in is renewed in a window beside the page, where nothing typed is lost', {
  timeout: 60_000,
}, async () => {
  const page = await signIn('/deployments/demo/session-limit/settings');
  await page.getByLabel('Max sessions per username').fill('8');
  await page.route('**/v1/**', (route) =>
    route.request().headers().authorization?.startsWith('Bearer first') === true
      ? route.fulfill({ status: 401, json: { code: 'unauthorized', detail: 'No.' } })
      : route.fallback(),
  );
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('button', { name: 'Sign in again' }).click();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  expect(granted.map((asked) => asked.get('code'))).toEqual(['code-1', 'code-2']);
  expect(authorized[1]?.get('state')).not.toBe(authorized[0]?.get('state'));
  expect(await page.getByLabel('Max sessions per username').inputValue()).toBe('8');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText(/^Settings saved/).waitFor();
  expect((await rig.api('GET', '/deployments/demo/session-limit')).body.maxSessionsPerUsername).toBe(8);
});
