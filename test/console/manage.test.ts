// Beyond the limit itself: deployments, MQTT users, overrides, rejections, audit trail, how to connect.

import { execFile } from 'node:child_process';
import { join as joinPath } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { join, refusalOf } from '../support/mqtt.ts';
import { eventually } from '../support/product.ts';
import { type ConsoleRig, expectAccessible, openOnePage, seenOn } from './rig.ts';

let rig: ConsoleRig;
let page: Page;

openOnePage('/deployments', (started, opened) => {
  [rig, page] = [started, opened];
});

const { button, dialog, row } = seenOn(() => page);
const visit = (path: string) => page.goto(`${rig.origin}${path}`);

test('a deployment is created, changed, and found in the list', { timeout: 60_000 }, async () => {
  await button('Create deployment').click();
  await dialog().getByLabel('Name', { exact: true }).fill('Second one');
  await expectAccessible(page, 'Create deployment');
  await dialog().getByRole('button', { name: 'Create' }).click();
  await page.getByRole('heading', { name: 'Second one' }).waitFor();
  const deploymentId = new URL(page.url()).pathname.split('/')[2];
  expect((await rig.api('GET', `/deployments/${deploymentId}`)).body).toMatchObject({ name: 'Second one' });

  await button('Edit').click();
  await dialog().getByLabel('Name', { exact: true }).fill('Renamed');
  await dialog().getByLabel('Session expiry, in seconds').fill('7200');
  await dialog()
    .getByRole('checkbox', { name: /may be taken over/ })
    .check();
  await expectAccessible(page, 'Edit deployment');
  await dialog().getByRole('button', { name: 'Save' }).click();
  await page.getByText('2 hours', { exact: true }).waitFor();
  expect((await rig.api('GET', `/deployments/${deploymentId}`)).body).toMatchObject({
    name: 'Renamed',
    sessionExpirySeconds: 7200,
    clientIdTakeover: 'allow',
    status: 'active',
  });
  await page.getByRole('link', { name: 'Deployments', exact: true }).click();
  await row('Renamed').waitFor();
  expect(await page.getByRole('row').filter({ hasText: 'Demo' }).count()).toBe(1);

  // Deleting it has to be typed, and is followed to its end.
  await page.getByRole('link', { name: 'Renamed' }).click();
  await button('Delete').click();
  await dialog().getByLabel(`To confirm, type ${deploymentId}`).fill(`${deploymentId}`);
  await dialog().getByRole('button', { name: 'Delete' }).click();
  await page.getByText(`The deployment ${deploymentId} is deleted`).waitFor();
  expect((await rig.api('GET', `/deployments/${deploymentId}`)).status).toBe(404);

  // What is left of it is the tenant's to read.
  await page.getByRole('link', { name: 'Operations', exact: true }).click();
  await row('Deployment deleted')
    .filter({ hasText: `${deploymentId}` })
    .filter({ hasText: '0 of 0' })
    .waitFor();
  expect(await row('Deployment deleted').filter({ hasText: 'done' }).getByRole('link').count()).toBe(0);
  await page.getByRole('link', { name: 'Audit of all deployments', exact: true }).click();
  await page.getByRole('heading', { name: 'Audit of all deployments' }).waitFor();
  await row('deployment.deleted')
    .filter({ hasText: `${deploymentId}` })
    .filter({ hasText: 'API_TOKEN' })
    .waitFor();
  await row('deployment.created').filter({ hasText: 'name: Second one' }).getByRole('link').waitFor();
});

test('a generated password is shown once, and works', { timeout: 60_000 }, async () => {
  await visit('/deployments/demo/mqtt-users');
  await button('Add MQTT user').click();
  await dialog().getByLabel('Username').fill('carol/é');
  await expectAccessible(page, 'Add MQTT user');
  await dialog().getByRole('button', { name: 'Add' }).click();
  await dialog().getByText('This password is shown this once.').waitFor();
  await expectAccessible(page, 'the generated password');
  const password = await dialog().locator('pre').innerText();
  const client = await join(rig.product, { version: 5, clientId: 'c', username: 'carol/é', password });
  await client.endAsync();
  await button('I have stored it').click();
  await row('carol/é').waitFor();
  expect(await page.content()).not.toContain(password);

  // A chosen one instead, and no user at all in the end.
  await button('New password for carol/é').click();
  await dialog().getByRole('radio', { name: 'Choose one' }).check();
  await dialog().getByLabel('Chosen password').fill('chosen-by-hand');
  await dialog().getByRole('button', { name: 'Set password' }).click();
  await page.getByText('The password of carol/é is set.').waitFor();
  rig.advance(5);
  const again = await join(rig.product, { version: 5, clientId: 'c', username: 'carol/é', password: 'chosen-by-hand' });
  await again.endAsync();
  await button('Remove carol/é').click();
  await dialog().getByRole('button', { name: 'Remove' }).click();
  await row('carol/é').waitFor({ state: 'detached' });
  expect((await rig.api('GET', '/deployments/demo/credentials')).body.items).toHaveLength(3);
});

test('overrides are added, replaced only with one’s eyes open, and removed', { timeout: 60_000 }, async () => {
  await rig.limit(5);
  await visit('/deployments/demo/session-limit/overrides');
  await page.getByText("Every username has the deployment's limit.").waitFor();
  await button('Add override').click();
  await dialog().getByLabel('Username').fill('alice');
  await dialog().getByLabel('Sessions', { exact: true }).fill('1');
  await expectAccessible(page, 'Add override');
  await dialog().getByRole('button', { name: 'Save' }).click();
  await row('alice').waitFor();
  const limitOf = async (username: string) =>
    (await rig.api('GET', `/deployments/demo/session-limit/overrides/${username}`)).body.limit;
  expect(await limitOf('alice')).toBe(1);

  // Somebody has one for the same username already.
  await rig.api('PUT', '/deployments/demo/session-limit/overrides/bob', { limit: 9 });
  await button('Add override').click();
  await dialog().getByLabel('Username').fill('bob');
  await dialog().getByRole('radio', { name: 'Unlimited' }).check();
  await dialog().getByRole('button', { name: 'Save' }).click();
  await dialog()
    .getByText(/It is 9 now. Yours is unlimited./)
    .waitFor();
  expect(await limitOf('bob')).toBe(9);
  await dialog().getByRole('button', { name: 'Replace it by mine' }).click();
  await row('bob').filter({ hasText: 'unlimited' }).waitFor();
  expect(await limitOf('bob')).toBe('unlimited');

  await button('Remove the override of bob').click();
  await dialog().getByRole('button', { name: 'Remove' }).click();
  await row('bob').waitFor({ state: 'detached' });
  expect(await limitOf('bob')).toBeUndefined();
});

test('rejections are charted by the hour and listed by username', { timeout: 60_000 }, async () => {
  await rig.limit(1);
  await rig.connect({ clientId: 'holds' });
  for (const clientId of ['r-1', 'r-2', 'r-3']) expect(await refusalOf(rig.connect({ clientId }))).toBe(151);
  await visit('/deployments/demo/monitor/rejections');
  await eventually(async () => {
    await button('Refresh rejections').click();
    return (await row('r-3').count()) === 1 && (await page.getByText(/^3 in the last 24 hours/).count()) === 1;
  }, 'three rejections, with the last client id');
  await page.getByRole('application', { name: /Rejections per hour/ }).waitFor();
  await row('r-3').filter({ hasText: 'Session limit reached' }).waitFor();
  await expectAccessible(page, 'Rejections');

  // A click on the username leads to each of its last ones.
  await row('r-3').getByRole('link').click();
  const last = dialog().getByRole('table', { name: 'last rejections' });
  for (const clientId of ['r-1', 'r-2', 'r-3'])
    await last.getByRole('row').filter({ hasText: clientId }).filter({ hasText: 'Session limit reached' }).waitFor();
  await expectAccessible(page, 'Clients, with last rejections');
});

test('the audit trail says who changed what', { timeout: 60_000 }, async () => {
  await rig.limit(4);
  await rig.limit(3);
  await visit('/deployments/demo/audit');
  const newest = page.getByRole('row').nth(1);
  await newest.getByText('maxSessionsPerUsername: 4 → 3').waitFor();
  expect(await newest.innerText()).toContain('API_TOKEN');
  await expectAccessible(page, 'Audit Trail');
});

test('the commands of the help run as they stand', { timeout: 90_000 }, async () => {
  await rig.limit(50);
  await visit('/deployments/demo/connect');
  await page.getByLabel('MQTT username').fill('bob');
  await page.getByLabel('Client ID').fill("bob's first");
  await expectAccessible(page, 'How to Connect');
  const texts = await page.locator('pre').allInnerTexts();
  expect(texts.map((text) => text.split(' ').slice(0, 3).join(' '))).toEqual([
    'npx mqtt sub',
    'npx mqtt sub',
    'npx mqtt pub',
    'mosquitto_sub -V 5',
  ]);
  const bin = joinPath(import.meta.dirname, '../../node_modules/.bin');
  for (const [index, text] of texts.slice(0, 2).entries()) {
    // The same words, with the password that this user has.
    const words = text.replace('npx mqtt', joinPath(bin, 'mqtt')).replace('PASSWORD', 'bob-secret');
    const child = execFile('sh', ['-c', `exec ${words}`]);
    const path = `/deployments/demo/clients/${encodeURIComponent("bob's first")}`;
    const state = async () => (await rig.api('GET', path)).body.state;
    await eventually(async () => (await state()) === 'connected', `command ${index} holds a session`);
    child.kill();
    await eventually(async () => (await state()) === undefined, `command ${index} has ended`);
  }
  expect(rig.complaints).toEqual([]);
});
