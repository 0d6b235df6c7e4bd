// User Session Limit from the empty state to its end, as its users know it (product contract, section 4).

import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { refusalOf } from '../support/mqtt.ts';
import { eventually } from '../support/product.ts';
import { type ConsoleRig, expectAccessible, openOnePage, seenOn } from './rig.ts';

let rig: ConsoleRig;
let page: Page;

openOnePage('/deployments', (started, opened) => {
  [rig, page] = [started, opened];
});

const { heading, button, dialog, row } = seenOn(() => page);

test('a whole life of a limit, in the browser', { timeout: 120_000 }, async () => {
  // Deployments, and from there the empty state.
  await page.getByRole('link', { name: 'User Session Limit of demo' }).click();
  await heading('No session limit yet').waitFor();
  expect(new URL(page.url()).pathname).toBe('/deployments/demo/session-limit/usage');
  await expectAccessible(page, 'empty state');

  // Configure Limit.
  await button('Configure Limit').click();
  await dialog().getByLabel('Max sessions per username').fill('2');
  await dialog()
    .getByLabel(/^Whitelist/)
    .fill('bridge');
  await expectAccessible(page, 'Configure Limit');
  await dialog().getByRole('button', { name: 'Configure' }).click();
  await page.getByText('At most 2 sessions per username, 1 whitelisted').waitFor();
  expect((await rig.api('GET', '/deployments/demo/session-limit')).body).toMatchObject({
    enabled: true,
    maxSessionsPerUsername: 2,
    whitelist: ['bridge'],
  });
  await page.getByText('Nobody holds a session right now.').waitFor();
  rig.advance(5);

  // Usage Details: what is connected, what was rejected.
  await rig.connect({ clientId: 'phone' });
  const tablet = await rig.connect({ clientId: 'tablet', clean: false, expirySeconds: 600 });
  for (const clientId of ['a', 'b', 'c']) await rig.connect({ clientId, username: 'bridge' });
  expect(await refusalOf(rig.connect({ clientId: 'laptop' }))).toBe(151);
  await tablet.endAsync();
  await eventually(async () => {
    await button('Refresh usage').click();
    const text = (await row('alice').count()) === 0 ? '' : await row('alice').innerText();
    return text.includes('2 / 2') && !text.includes('never');
  }, 'the page shows both sessions and the rejection');
  expect(await row('alice').innerText()).toContain('full');
  expect(await row('bridge').innerText()).toContain('3 / whitelisted');
  await expectAccessible(page, 'Usage Details');

  // Clients, then one client.
  await button('View clients of alice').click();
  await dialog().getByText('1 connected, 1 retained, 0 pending').waitFor();
  expect(await dialog().getByRole('row').filter({ hasText: 'tablet' }).innerText()).toContain('retained');
  await expectAccessible(page, 'Clients');
  await dialog().getByRole('link', { name: 'phone' }).click();
  await heading('Client Details').waitFor();
  await page.getByText('MQTT 5', { exact: true }).waitFor();
  expect(await page.title()).toBe('Client Details · demo · Headcount');
  await expectAccessible(page, 'Client Details');

  // Back to the popup, and out of it.
  await page.goBack();
  await dialog().getByRole('link', { name: 'phone' }).waitFor();
  await page.keyboard.press('Escape');
  await dialog().waitFor({ state: 'hidden' });
  expect(new URL(page.url()).pathname).toBe('/deployments/demo/session-limit/usage');

  // Settings.
  await page.getByRole('tab', { name: 'Settings' }).click();
  await page.getByLabel('Max sessions per username').fill('1');
  await page.getByLabel('Add to the whitelist').fill('carol\ndave');
  await expectAccessible(page, 'Settings');
  await button('Save').click();
  await page.getByText(/Settings saved. 1 username holds more sessions than allowed/).waitFor();
  expect((await rig.api('GET', '/deployments/demo/session-limit')).body).toMatchObject({
    maxSessionsPerUsername: 1,
    whitelist: ['bridge', 'carol', 'dave'],
  });

  // Disable keeps the settings.
  await button('Disable Limit').click();
  await dialog().getByRole('button', { name: 'Disable' }).click();
  await button('Enable Limit').waitFor();
  expect((await rig.api('GET', '/deployments/demo/session-limit')).body).toMatchObject({
    enabled: false,
    maxSessionsPerUsername: 1,
  });

  // Delete does not, says so, and wants it typed.
  await button('Delete Limit').click();
  await dialog()
    .getByText(/This cannot be undone/)
    .waitFor();
  expect(await dialog().getByRole('button', { name: 'Delete' }).isDisabled()).toBe(true);
  await expectAccessible(page, 'Delete Limit');
  await dialog().getByLabel('To confirm, type delete').fill('delete');
  await dialog().getByRole('button', { name: 'Delete' }).click();
  await heading('No session limit yet').waitFor();
  expect((await rig.api('GET', '/deployments/demo/session-limit')).status).toBe(404);
  expect(rig.complaints).toEqual([]);
});
