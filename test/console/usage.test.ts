// Usage Details and Clients with more than a page of them: pages, search, order, refresh, and what each of it costs.

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGate } from '../support/gate.ts';
import { eventually } from '../support/product.ts';
import { button, type ConsoleRig, expectAccessible, startConsoleRig } from './rig.ts';

let rig: ConsoleRig;
const limitPage = '/deployments/demo/session-limit/usage';
const usernames = Array.from({ length: 52 }, (_, index) => `user-${String(index).padStart(2, '0')}`);
const odd = ' <b>&"\'%2F/\u202E ✓';

beforeAll(async () => {
  rig = await startConsoleRig();
  await rig.limit(100);
  const add = async (username: string, clientIds: readonly string[]): Promise<void> => {
    const path = `/deployments/demo/credentials/~${Buffer.from(username).toString('base64url')}`;
    const password = String((await rig.api('PUT', path, {})).body.password);
    await Promise.all(clientIds.map((clientId) => rig.connect({ username, password, clientId })));
  };
  await Promise.all([
    ...usernames.map((username) => add(username, [`of-${username}`])),
    add(odd, ['odd-1', 'odd-2']),
    add(
      'many',
      Array.from({ length: 52 }, (_, index) => `m-${String(index).padStart(2, '0')}`),
    ),
  ]);
}, 120_000);
afterAll(() => rig.stop());

const names = (page: Page) => page.getByRole('row').getByRole('rowheader').allInnerTexts();

/** Requests of a page to the API from now on, as `GET /v1/…`. */
function watch(page: Page): string[] {
  const asked: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith('/v1/')) asked.push(`${request.method()} ${pathname}`);
  });
  return asked;
}

test('pages follow on one another and skip nobody; a page is one request', { timeout: 60_000 }, async () => {
  const page = await rig.open(limitPage);
  await page.getByText('many', { exact: true }).waitFor();
  const first = await names(page);
  expect(first).toHaveLength(50);
  const asked = watch(page);
  await button(page, 'Next page').click();
  await page.getByText('user-51').waitFor();
  const second = await names(page);
  expect(asked).toEqual(['GET /v1/deployments/demo/session-usage']);
  expect([...first, ...second]).toEqual(['\\u{20}<b>&"\'%2F/\\u{202E} ✓', 'many', ...usernames]);
  await button(page, 'Previous page').click();
  await page.getByText('many', { exact: true }).waitFor();
  expect(await names(page)).toEqual(first);
  // A name that runs from right to left leaves the text around it as it is.
  expect(await page.evaluate("getComputedStyle(document.querySelector('.name')).unicodeBidi")).toBe('isolate');
});

test('search by prefix and a minimum of sessions are part of the address', { timeout: 60_000 }, async () => {
  const page = await rig.open(limitPage);
  await page.getByLabel('Username begins with').fill('user-5');
  await eventually(async () => (await names(page)).join() === 'user-50,user-51', 'the prefix');
  expect(new URL(page.url()).search).toBe('?prefix=user-5');

  // Asking for a minimum leaves the prefix: the API has an order for each.
  await page.getByLabel('At least so many sessions').fill('2');
  // The order by used lags a little.
  await eventually(async () => {
    await button(page, 'Refresh usage').click();
    return (await names(page)).join() === 'many,\\u{20}<b>&"\'%2F/\\u{202E} ✓';
  }, 'those with two sessions and more, the largest first');
  expect(new URL(page.url()).search).toBe('?sort=used&order=desc&minUsed=2');
  expect(await page.getByLabel('Username begins with').inputValue()).toBe('');
  await page.reload();
  await page.getByText('many', { exact: true }).waitFor();
  expect(await page.getByLabel('At least so many sessions').inputValue()).toBe('2');

  await page.getByLabel('At least so many sessions').fill('1000');
  await page.getByText('No username matches.').waitFor();
  await button(page, 'Clear the filter').click();
  await page.getByText('many', { exact: true }).waitFor();

  // The other order, by the head of the column.
  await page
    .getByRole('columnheader', { name: /Username/ })
    .getByRole('button')
    .click();
  await eventually(async () => (await names(page))[1] === 'many', 'in order of username');
  await page
    .getByRole('columnheader', { name: /Username/ })
    .getByRole('button')
    .click();
  await eventually(async () => (await names(page))[0] === 'user-51', 'and the other way round');
});

test('automatic refresh costs one page read each time, and none while nobody looks', { timeout: 60_000 }, async () => {
  const page = await rig.open('/deployments');
  await page.clock.install();
  await page.getByRole('link', { name: 'User Session Limit of demo' }).click();
  await page.getByText('many', { exact: true }).waitFor();
  const asked = watch(page);
  const read = 'GET /v1/deployments/demo/session-usage';
  await page.clock.runFor(120_000);
  expect(asked).toEqual([]);

  await button(page, 'Auto refresh Auto refresh: off').click();
  await page.getByRole('option', { name: 'Auto refresh: 10 s' }).click();
  for (let times = 1; times <= 3; times += 1) {
    await page.clock.runFor(10_000);
    await eventually(async () => asked.length >= times, 'a page is read');
    await button(page, 'Refresh usage').and(page.locator(':not([aria-disabled="true"])')).waitFor();
    expect(asked).toEqual(Array.from({ length: times }, () => read));
  }
  await page.evaluate("Object.defineProperty(document, 'visibilityState', { value: 'hidden' })");
  await page.clock.runFor(60_000);
  expect(asked).toHaveLength(3);
});

test('the clients of one username come in pages, each with a link of its own', { timeout: 60_000 }, async () => {
  const page = await rig.open(limitPage);
  await button(page, 'View clients of many').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('52 connected, 0 retained, 0 pending').waitFor();
  await dialog.getByRole('link', { name: 'm-00' }).waitFor();
  expect(await dialog.getByRole('link').allInnerTexts()).toHaveLength(50);
  await dialog.getByRole('button', { name: 'Next page' }).click();
  await dialog.getByRole('link', { name: 'm-51' }).waitFor();
  expect(await dialog.getByRole('link').allInnerTexts()).toHaveLength(2);
  await expectAccessible(page, 'Clients of many');

  // The popup has an address, and a name of any characters comes through it.
  await page.goto(`${rig.origin}${limitPage}/~${Buffer.from(odd).toString('base64url')}`);
  await dialog.getByRole('heading', { name: 'Clients of \\u{20}<b>&"\'%2F/\\u{202E} ✓' }).waitFor();
  await dialog.getByRole('link', { name: 'odd-2' }).waitFor();
  expect(rig.complaints).toEqual([]);
});

test('a client is kicked, then all of a username, with the progress in sight', { timeout: 90_000 }, async () => {
  const page = await rig.open(`${limitPage}/~${Buffer.from('many').toString('base64url')}`);
  const dialog = page.getByRole('dialog');
  await dialog.getByText('52 connected, 0 retained, 0 pending').waitFor();
  await button(page, 'Kick m-07').click();
  await expectAccessible(page, 'Kick of a client');
  await button(page, 'Kick').click();
  await dialog.getByText('Client m-07 was kicked.').waitFor();
  await dialog.getByText('51 connected, 0 retained, 0 pending').waitFor();
  expect((await rig.api('GET', '/deployments/demo/clients/m-07')).status).toBe(404);

  // Held back once, so that somebody looks while the work is still on.
  const { opened: held, open: release } = createGate();
  await page.route('**/v1/operations/*', async (route) => {
    await held;
    await route.continue();
  });
  await button(page, 'Kick all').click();
  await expectAccessible(page, 'Kick all');
  await page
    .getByRole('dialog', { name: 'Kick all clients of many' })
    .getByRole('button', { name: 'Kick all' })
    .click();
  await dialog.getByText('Disconnecting all clients of many').first().waitFor();
  await expectAccessible(page, 'progress of a kick');
  release();
  // The client that was kicked before is a tombstone, which is reached too, and counts (S15).
  await dialog.getByText('All clients of many are disconnected (52)').waitFor();
  await dialog.getByText('This username has no live session').first().waitFor();
  expect(await rig.used('many')).toBe(0);
  expect(rig.complaints).toEqual([]);
});
