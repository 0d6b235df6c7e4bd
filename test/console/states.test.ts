// The states of a page: loading, empty, failed, stale, signed out, without permission. Nothing typed is lost by any.

import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createGate } from '../support/gate.ts';
import { button, type ConsoleRig, expectAccessible, startConsoleRig } from './rig.ts';

let rig: ConsoleRig;

beforeAll(async () => {
  rig = await startConsoleRig({ API_TOKENS: 'ro=local:settings:read+usage:read,second=local' });
}, 120_000);
afterAll(() => rig.stop());
afterEach(() => {
  expect(rig.complaints.splice(0)).toEqual([]);
});

const limitPage = '/deployments/demo/session-limit';
const max = (page: Page) => page.getByLabel('Max sessions per username');
const stored = async () => (await rig.api('GET', '/deployments/demo/session-limit')).body;

/** Types another limit and another whitelisted username into the settings, and saves neither. */
async function typeSettings(page: Page): Promise<void> {
  await max(page).fill('7');
  await page.getByLabel('Add to the whitelist').fill('mine');
}

async function expectTyped(page: Page): Promise<void> {
  expect(await max(page).inputValue()).toBe('7');
  expect(await page.getByLabel('Add to the whitelist').inputValue()).toBe('mine');
}

test('a save that came second shows both, and overwrites by the person’s own word only', {
  timeout: 60_000,
}, async () => {
  await rig.limit(5);
  const page = await rig.open(`${limitPage}/settings`);
  await typeSettings(page);
  await rig.api('PATCH', '/deployments/demo/session-limit', { maxSessionsPerUsername: 9, whitelist: ['theirs'] });
  await button(page, 'Save').click();
  const alert = page.getByRole('alert').filter({ hasText: 'Somebody changed these settings' });
  await alert.waitFor();
  const [mine, theirs] = [
    alert.getByRole('region', { name: 'Yours' }),
    alert.getByRole('region', { name: 'Saved meanwhile' }),
  ];
  expect(await mine.innerText()).toMatch(/: 7[\s\S]*Only here: mine/);
  expect(await theirs.innerText()).toMatch(/: 9[\s\S]*Only here: theirs/);
  await expectTyped(page);
  expect(await stored()).toMatchObject({ maxSessionsPerUsername: 9, whitelist: ['theirs'] });
  await expectAccessible(page, 'stale settings');

  // What is saved over is what was shown: a third change in between is shown again, not lost.
  await rig.api('PATCH', '/deployments/demo/session-limit', { maxSessionsPerUsername: 11 });
  await button(page, 'Save mine over it').click();
  await alert.getByText('Max sessions per username: 11').waitFor();
  await button(page, 'Save mine over it').click();
  await page.getByText(/^Settings saved/).waitFor();
  expect(await stored()).toMatchObject({ maxSessionsPerUsername: 7, whitelist: ['mine'] });
});

test('adding to the whitelist and taking out of it is saved with the rest, not before', {
  timeout: 60_000,
}, async () => {
  await rig.limit(5, { whitelist: ['old'] });
  const page = await rig.open(`${limitPage}/settings`);
  await page.getByLabel('Add to the whitelist').fill('new\nnewer');
  await button(page, 'Add').click();
  await button(page, 'Remove new from the whitelist').waitFor();
  await button(page, 'Remove old from the whitelist').click();
  await button(page, 'Remove old from the whitelist').waitFor({ state: 'detached' });
  expect(await stored()).toMatchObject({ whitelist: ['old'] });
  await button(page, 'Save').click();
  await page.getByText(/^Settings saved/).waitFor();
  expect(await stored()).toMatchObject({ whitelist: ['new', 'newer'] });
});

test('… or takes what was saved', { timeout: 60_000 }, async () => {
  await rig.limit(5);
  const page = await rig.open(`${limitPage}/settings`);
  await typeSettings(page);
  await rig.api('PATCH', '/deployments/demo/session-limit', { maxSessionsPerUsername: 9 });
  await button(page, 'Save').click();
  await button(page, 'Take the saved one').click();
  expect(await max(page).inputValue()).toBe('9');
  expect(await stored()).toMatchObject({ maxSessionsPerUsername: 9, whitelist: [] });
});

test('a save that fails is told, keeps what was typed, and can be tried again', { timeout: 60_000 }, async () => {
  await rig.limit(5);
  const page = await rig.open(`${limitPage}/settings`);
  await typeSettings(page);
  await page.route('**/session-limit', (route) =>
    route.request().method() === 'PATCH' ? route.abort() : route.continue(),
  );
  await button(page, 'Save').click();
  await page.getByRole('alert').filter({ hasText: 'The server does not answer' }).waitFor();
  await expectTyped(page);
  // The same where something is back, and answers that it cannot.
  await page.unroute('**/session-limit');
  const body = JSON.stringify({ code: 'store.unavailable', detail: 'The database did not answer in time. Try again.' });
  await page.route('**/session-limit', (route) =>
    route.request().method() === 'PATCH'
      ? route.fulfill({ status: 503, contentType: 'application/problem+json', body })
      : route.continue(),
  );
  await button(page, 'Try again').click();
  await page.getByRole('alert').filter({ hasText: 'The database did not answer in time' }).waitFor();
  await expectTyped(page);
  await expectAccessible(page, 'a failed save');
  await page.unroute('**/session-limit');
  await button(page, 'Try again').click();
  await page.getByText(/^Settings saved/).waitFor();
  expect(await stored()).toMatchObject({ maxSessionsPerUsername: 7, whitelist: ['mine'] });
});

test('a list says that it loads, that it failed, and comes by trying again', { timeout: 60_000 }, async () => {
  await rig.limit(5);
  const page = await rig.open('/deployments/demo');
  const { opened: held, open: release } = createGate();
  await page.route('**/session-usage*', async (route) => {
    await held;
    await route.abort();
  });
  await page.getByRole('link', { name: 'User Session Limit' }).click();
  await page.getByText('Loading usage').waitFor();
  release();
  await page.getByRole('alert').filter({ hasText: 'Something went wrong with usage' }).waitFor();
  await page.getByText('Could not read usage.').waitFor();
  await page.unroute('**/session-usage*');
  await button(page, 'Try again').click();
  await page.getByText('Nobody holds a session right now.').waitFor();
});

test('an expired sign-in asks for another one over the page, and nothing typed is lost', {
  timeout: 60_000,
}, async () => {
  await rig.limit(5);
  const page = await rig.open(`${limitPage}/settings`);
  await typeSettings(page);
  // The token is no longer good: every request that carries it is told so.
  await page.route('**/v1/**', (route) =>
    route.request().headers().authorization === 'Bearer local'
      ? route.fulfill({
          status: 401,
          contentType: 'application/problem+json',
          body: '{"code":"unauthorized","detail":"No."}',
        })
      : route.continue(),
  );
  await button(page, 'Save').click();
  const dialog = page.getByRole('dialog', { name: 'Your sign-in has expired' });
  await dialog.waitFor();
  await expectAccessible(page, 'expired sign-in');
  await dialog.getByLabel('API token').fill('wrong');
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await dialog.getByText('The server does not know this token.').waitFor();
  await dialog.getByLabel('API token').fill('second');
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await dialog.waitFor({ state: 'hidden' });
  await expectTyped(page);
  await button(page, 'Save').click();
  await page.getByText(/^Settings saved/).waitFor();
  expect(await stored()).toMatchObject({ maxSessionsPerUsername: 7, whitelist: ['mine'] });
});

test('a reader sees no button that would fail', { timeout: 90_000 }, async () => {
  await rig.limit(5);
  await rig.connect({ clientId: 'phone' });
  const page = await rig.open('/deployments');
  await button(page, 'Sign out').click();
  await page.getByLabel('API token').fill('ro');
  await expectAccessible(page, 'sign-in');
  await button(page, 'Sign in').click();
  await page.getByRole('link', { name: 'User Session Limit of demo' }).waitFor();
  expect(await button(page, 'Create deployment').count()).toBe(0);

  const show = async (name: string): Promise<void> => page.getByRole('link', { name, exact: true }).first().click();
  await page.getByRole('link', { name: 'User Session Limit of demo' }).click();
  await button(page, 'View clients of alice').click();
  await page.getByRole('dialog').getByRole('link', { name: 'phone' }).waitFor();
  for (const name of ['Disable Limit', 'Delete Limit', 'Kick all', 'Kick phone'])
    expect(await button(page, name).count(), name).toBe(0);
  await page.keyboard.press('Escape');
  await page.getByRole('tab', { name: 'Settings' }).click();
  await page.getByText('You have no permission to change these settings.').waitFor();
  expect(await max(page).isEditable()).toBe(false);
  expect(await button(page, 'Save').count()).toBe(0);
  await show('MQTT Users');
  await page
    .getByRole('cell', { name: 'bridge' })
    .or(page.getByRole('rowheader', { name: 'bridge' }))
    .waitFor();
  for (const name of ['Add MQTT user', 'Remove bridge', 'New password for bridge'])
    expect(await button(page, name).count(), name).toBe(0);
  // Pages that would be answered 403 have no entry; by their address they say so.
  await page.getByRole('link', { name: 'Operations', exact: true }).waitFor();
  for (const name of ['Audit Trail', 'Audit of all deployments'])
    expect(await page.getByRole('link', { name, exact: true }).count(), name).toBe(0);
  await page.evaluate("history.pushState(null, '', '/audit'); dispatchEvent(new PopStateEvent('popstate'))");
  await page.getByRole('alert').filter({ hasText: 'You have no permission for the audit trail' }).waitFor();
  expect(await button(page, 'Try again').count()).toBe(0);
});

test('a place that is none says so, and a deployment of somebody else’s is none', { timeout: 60_000 }, async () => {
  const page = await rig.open('/deployments/demo/nothing/here');
  await page.getByRole('heading', { name: 'There is nothing here' }).waitFor();
  const other = await rig.open('/deployments/elsewhere/session-limit');
  await other.getByRole('alert').filter({ hasText: 'There is no such deployment.' }).waitFor();
});
