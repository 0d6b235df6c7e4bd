// For everybody: each page by axe in light and dark, by keyboard alone, on a narrow screen and enlarged, times in the
// viewer's zone.

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { refusalOf } from '../support/mqtt.ts';
import { eventually } from '../support/product.ts';
import { type ConsoleRig, expectAccessible, findingsOf, startConsoleRig } from './rig.ts';

let rig: ConsoleRig;

beforeAll(async () => {
  rig = await startConsoleRig();
  await rig.limit(2, { whitelist: ['bridge'] });
  await rig.connect({ clientId: 'phone' });
  await rig.connect({ clientId: 'tablet' });
  await rig.connect({ clientId: 'of-bridge', username: 'bridge' });
  expect(await refusalOf(rig.connect({ clientId: 'laptop' }))).toBe(151);
  await rig.api('PUT', '/deployments/demo/session-limit/overrides/mallory', { limit: 'blocked' });
}, 120_000);
afterAll(() => rig.stop());

const demo = '/deployments/demo';
const of = (name: string): string => `~${Buffer.from(name).toString('base64url')}`;
/** Every page, tab and popup that has an address, and what is there once it is loaded. */
const pages: readonly (readonly [string, string])[] = [
  ['/deployments', 'Demo'],
  ['/operations', 'Username blocked: mallory'],
  ['/audit', 'override.set'],
  [demo, 'demo.mqtt.localhost'],
  [`${demo}/session-limit/usage`, 'whitelisted'],
  [`${demo}/session-limit/usage/${of('alice')}`, '2 connected, 0 retained, 0 pending'],
  [`${demo}/session-limit/settings`, 'bridge'],
  [`${demo}/session-limit/overrides`, 'mallory'],
  [`${demo}/monitor/clients/${of('phone')}`, 'MQTT 5'],
  [`${demo}/monitor/rejections`, 'in the last 24 hours'],
  [`${demo}/mqtt-users`, 'bridge'],
  [`${demo}/connect`, 'mosquitto_sub'],
  [`${demo}/audit`, 'override.set'],
];

/** By its address, as from a bookmark. */
async function visit(page: Page, [path, shows]: readonly [string, string]): Promise<void> {
  await page.goto(`${rig.origin}${path}`);
  await page.getByText(shows).first().waitFor();
}

/** As by a link on the page before. */
async function goOn(page: Page, [path, shows]: readonly [string, string]): Promise<void> {
  await page.evaluate(`history.pushState(null, '', '${path}'); dispatchEvent(new PopStateEvent('popstate'))`);
  await page.getByText(shows).first().waitFor();
}

test.each(['light', 'dark'] as const)(
  'axe finds nothing on any page: %s',
  { timeout: 120_000 },
  async (colorScheme) => {
    const page = await rig.open('/deployments', { colorScheme, reducedMotion: 'reduce' });
    expect(await page.evaluate("document.body.classList.contains('awsui-dark-mode')")).toBe(colorScheme === 'dark');
    for (const place of pages) {
      await (colorScheme === 'light' ? visit : goOn)(page, place);
      await expectAccessible(page, `${place[0]}, ${colorScheme}`);
    }
    expect(rig.complaints.splice(0)).toEqual([]);
  },
);

test('axe is at work: a control without a name, and pale text, are found', { timeout: 60_000 }, async () => {
  const page = await rig.open('/deployments');
  await page.getByText('Demo').first().waitFor();
  await page.evaluate(
    "document.querySelector('main').insertAdjacentHTML('beforeend', '<button></button>'); const p = document.createElement('p'); p.textContent = 'pale'; p.style.color = '#ccc'; document.querySelector('main').append(p)",
  );
  const found = (await findingsOf(page)).map((finding) => finding.split(':')[0]);
  expect(found.sort()).toEqual(['button-name', 'color-contrast']);
});

// 320 px is also what 1,280 px are at 400 %; 640 px of two dots each are 1,280 at 200 %, which the fullest pages stand for.
test.each([
  ['320 px wide', { width: 320, height: 640 }, 1, /./],
  ['at 200 %', { width: 640, height: 400 }, 2, /usage$|settings|connect|audit/],
] as const)(
  'nothing has to be read by scrolling sideways: %s',
  { timeout: 120_000 },
  async (_name, viewport, dots, which) => {
    const page = await rig.open('/deployments', { viewport, deviceScaleFactor: dots });
    for (const place of pages.filter(([path]) => which.test(path))) {
      await goOn(page, place);
      const wide = await page.evaluate('document.documentElement.scrollWidth');
      expect(wide, place[0]).toBeLessThanOrEqual(viewport.width);
    }
    // A time that does not fit beside its neighbour is broken, and stays inside what it belongs to.
    await page.setViewportSize({ ...viewport, width: 390 });
    await goOn(page, [`${demo}/monitor/clients/${of('phone')}`, 'MQTT 5']);
    const outside =
      "[...document.querySelectorAll('time')].filter((one) => one.getBoundingClientRect().right > one.parentElement.getBoundingClientRect().right + 1).length";
    expect(await page.evaluate(outside)).toBe(0);
    await page.setViewportSize(viewport);
    // The side bar is behind a button, which says so.
    await visit(page, ['/deployments/demo', 'demo.mqtt.localhost']);
    const menu = page.getByRole('button', { name: 'Menu' });
    expect(await menu.getAttribute('aria-expanded')).toBe('false');
    await menu.click();
    await page.getByRole('link', { name: 'MQTT Users', exact: true }).click();
    await page.getByRole('heading', { name: 'MQTT Users' }).waitFor();
    expect(await menu.getAttribute('aria-expanded')).toBe('false');
  },
);

/** Presses Tab until what has the focus is called so. */
async function tabTo(page: Page, name: string): Promise<void> {
  const focused = `(() => { const e = document.activeElement;
    const by = e?.getAttribute('aria-labelledby')?.split(' ').map((id) => document.getElementById(id)?.textContent).join(' ');
    return e?.getAttribute('aria-label') ?? by ?? e?.textContent ?? ''; })()`;
  const met: unknown[] = [];
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press('Tab');
    const found = String(await page.evaluate(focused)).trim();
    if (found === name) return;
    met.push(found);
  }
  throw new Error(`Tab never came to "${name}", only to ${JSON.stringify(met)}`);
}

test('the keyboard alone suffices: from the list to a changed limit and a username’s clients', {
  timeout: 120_000,
}, async () => {
  const page = await rig.open('/deployments');
  await page.getByText('Demo').first().waitFor();
  await page.keyboard.press('Tab');
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the page');
  await page.keyboard.press('Enter');
  await tabTo(page, 'User Session Limit of demo');
  await page.keyboard.press('Enter');
  await page.getByText('2 / 2').waitFor();

  // The popup takes the focus and gives it back.
  await tabTo(page, 'View clients of alice');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByRole('link', { name: 'phone' }).waitFor();
  expect(await page.evaluate("document.activeElement.closest('[role=dialog]') !== null")).toBe(true);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await eventually(
    async () => (await page.evaluate("document.activeElement.getAttribute('aria-label')")) === 'View clients of alice',
    'the focus is where it was',
  );

  await page.getByRole('tab', { name: 'Usage Details' }).focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await page.getByLabel('Max sessions per username').waitFor();
  await tabTo(page, 'Max sessions per username');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('3');
  await page.keyboard.press('Enter');
  await page.getByText(/^Settings saved/).waitFor();
  expect((await rig.api('GET', '/deployments/demo/session-limit')).body.maxSessionsPerUsername).toBe(3);

  // By the side bar to the operations, and from one to its deployment.
  await page.getByRole('link', { name: 'Overview', exact: true }).focus();
  await tabTo(page, 'Operations');
  await page.keyboard.press('Enter');
  await page.getByText('Username blocked: mallory').waitFor();
  expect(await page.evaluate('document.activeElement.id')).toBe('main');
  await tabTo(page, 'demo');
  await page.keyboard.press('Enter');
  await page.getByText('demo.mqtt.localhost').first().waitFor();
});

test('times are the viewer’s, and UTC on hover', { timeout: 60_000 }, async () => {
  const { createdAt } = (await rig.api('GET', '/deployments/demo')).body;
  const utc = new Date(String(createdAt));
  for (const timezoneId of ['Asia/Tokyo', 'America/New_York']) {
    const page = await rig.open('/deployments', { timezoneId });
    const time = page.locator('time').first();
    await time.waitFor();
    const local = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium', timeZone: timezoneId }).format(utc);
    expect(await time.innerText()).toContain(local);
    expect(await time.getAttribute('title')).toBe(`${String(createdAt).replace('T', ' ').replace('Z', '')} UTC`);
  }
});

test('the person’s own choice of light or dark outlasts a reload', { timeout: 60_000 }, async () => {
  const page = await rig.open('/deployments', { colorScheme: 'light' });
  const isDark = "document.body.classList.contains('awsui-dark-mode')";
  await page.getByRole('button', { name: /^Appearance/ }).click();
  await page.getByRole('option', { name: 'Dark' }).click();
  expect(await page.evaluate(isDark)).toBe(true);
  await page.reload();
  await page.getByText('Demo').first().waitFor();
  expect(await page.evaluate(isDark)).toBe(true);
});
