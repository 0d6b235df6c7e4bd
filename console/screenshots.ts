// `npm run screenshots`: a picture of each page, of the running product with clients connected, into docs/screenshots.

import { mkdir } from 'node:fs/promises';
import { join as joinPath } from 'node:path';
import type { Page } from 'playwright-core';
import { startBrowser } from '../test/support/browser.ts';
import { join } from '../test/support/mqtt.ts';
import { startRig } from '../test/support/product.ts';

const folder = joinPath(import.meta.dirname, '../docs/screenshots');
const limitPage = '/deployments/demo/session-limit';

await mkdir(folder, { recursive: true });
const [rig, browser] = await Promise.all([startRig({ console: true }), startBrowser()]);
const origin = `http://127.0.0.1:${rig.product.httpPort}`;

async function take(
  name: string,
  path: string,
  options: { readonly width?: number; readonly dark?: boolean; readonly act?: (page: Page) => Promise<void> } = {},
): Promise<void> {
  const { width = 1280, dark = false, act } = options;
  const context = await browser.newContext({
    viewport: { width, height: width < 600 ? 720 : 800 },
    colorScheme: dark ? 'dark' : 'light',
    locale: 'en-GB',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  await page.goto(`${origin}${path}`, { waitUntil: 'networkidle' });
  await act?.(page);
  await page.waitForLoadState('networkidle');
  // Fonts come beside the page, and what opens does so in a movement.
  await page.evaluate('document.fonts.ready.then(() => new Promise((done) => setTimeout(done, 400)))');
  await page.screenshot({ path: joinPath(folder, `${name}.png`) });
  await context.close();
  process.stdout.write(`${name}.png\n`);
}

async function fill(): Promise<void> {
  await rig.limit(5, { whitelist: ['bridge'] });
  const sessions: readonly (readonly [string, number])[] = [
    ['alice', 4],
    ['bob', 5],
    ['bridge', 12],
  ];
  for (const [username, count] of sessions)
    for (let index = 1; index <= count; index += 1)
      await join(rig.product, { version: 5, username, clientId: `${username}-device-${index}` });
  const kept = await join(rig.product, {
    version: 5,
    clientId: 'alice-tablet',
    clean: false,
    expirySeconds: 86_400,
  });
  await kept.endAsync();
  const refused = ['bob-laptop', 'bob-phone', 'bob-watch', 'bob-watch'];
  for (const clientId of refused)
    await join(rig.product, { version: 5, username: 'bob', clientId }).catch(() => undefined);
  for (const [username, limit] of [
    ['bob', 3],
    ['carol', 'unlimited'],
    ['mallory', 'blocked'],
  ] as const)
    await rig.api('PUT', `/deployments/demo/session-limit/overrides/${username}`, { limit });
  await rig.api('PATCH', '/deployments/demo/session-limit', {
    maxSessionsPerUsername: 6,
    whitelist: ['bridge', 'ops'],
  });
  const { body } = await rig.api('POST', '/deployments', { name: 'Trial' });
  await rig.api('DELETE', `/deployments/${body.deploymentId}`);
  await rig.api('DELETE', '/deployments/demo/session-usage/carol/sessions');
  // Rejections are recorded within ten seconds.
  await new Promise((resolve) => setTimeout(resolve, 11_000));
}

try {
  await take('limit-empty', limitPage);
  await take('limit-configure', limitPage, {
    act: (page) => page.getByRole('button', { name: 'Configure Limit' }).click(),
  });
  await fill();
  await take('deployments', '/deployments');
  await take('overview', '/deployments/demo');
  await take('usage', limitPage);
  await take('usage-dark', limitPage, { dark: true });
  await take('usage-narrow', limitPage, { width: 320 });
  await take('clients', limitPage, {
    act: (page) => page.getByRole('button', { name: 'View clients of alice' }).click(),
  });
  await take('settings', `${limitPage}/settings`);
  await take('overrides', `${limitPage}/overrides`);
  await take('limit-delete', limitPage, { act: (page) => page.getByRole('button', { name: 'Delete Limit' }).click() });
  await take('client-details', '/deployments/demo/monitor/clients', {
    act: async (page) => {
      await page.getByLabel('Client ID').fill('alice-tablet');
      await page.getByRole('button', { name: 'Show' }).click();
      await page.getByText('retained').waitFor();
    },
  });
  await take('rejections', '/deployments/demo/monitor/rejections');
  await take('mqtt-users', '/deployments/demo/mqtt-users');
  await take('connect', '/deployments/demo/connect');
  await take('audit', '/deployments/demo/audit');
  await take('operations', '/operations');
  await take('audit-all', '/audit');
} finally {
  await browser.close();
  await rig.stop();
}
// Clients of the pictures still hold their sockets.
process.exit(0);
