// The console in a real browser, against the whole product with real MQTT clients.

import axe from 'axe-core';
import type { MqttClient } from 'mqtt';
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { startBrowser } from '../support/browser.ts';
import { type ClientSpec, join } from '../support/mqtt.ts';
import { type Rig, startRig } from '../support/product.ts';

export interface ConsoleRig extends Rig {
  readonly origin: string;
  /** A page of its own, as of somebody who comes anew. What goes wrong in it unseen is kept in `complaints`. */
  open(path: string, options?: BrowserContextOptions): Promise<Page>;
  /** A client that stays connected until the rig stops. */
  connect(spec: Partial<ClientSpec> & { readonly clientId: string }): Promise<MqttClient>;
  /** Errors in pages that nobody was shown: scripts that failed, and what the security policy refused. */
  readonly complaints: string[];
}

/** A machine with two cores that others use too. */
const patienceMs = 20_000;

export async function startConsoleRig(env: Record<string, string> = {}): Promise<ConsoleRig> {
  const [rig, browser] = await Promise.all([startRig({ console: true, env }), startBrowser()]);
  const origin = `http://127.0.0.1:${rig.product.httpPort}`;
  const complaints: string[] = [];
  const clients: MqttClient[] = [];
  const contexts: BrowserContext[] = [];

  function listen(page: Page): void {
    page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error.message}`));
    page.on('console', (message) => {
      const text = message.text();
      // An answer of 4xx is a line here; what the page makes of it is what tests look at.
      if (message.type() === 'error' && !text.startsWith('Failed to load resource'))
        complaints.push(`${page.url()}: ${text}`);
    });
  }

  return {
    ...rig,
    origin,
    complaints,
    async open(path, options = {}) {
      const context = await (browser as Browser).newContext({ locale: 'en-GB', timezoneId: 'Asia/Tokyo', ...options });
      contexts.push(context);
      context.setDefaultTimeout(patienceMs);
      const page = await context.newPage();
      listen(page);
      await page.goto(`${origin}${path}`);
      return page;
    },
    async connect(spec) {
      const client = await join(rig.product, { version: 5, ...spec });
      clients.push(client);
      return client;
    },
    async stop() {
      await Promise.all(contexts.map((context) => context.close()));
      await browser.close();
      await Promise.all(clients.map((client) => client.endAsync(true)));
      await rig.stop();
    },
  };
}

/** One console and one page of it for all tests of a file: what one test did is there for the next. */
export function openOnePage(path: string, begin: (rig: ConsoleRig, page: Page) => void): void {
  let rig: ConsoleRig | undefined;
  beforeAll(async () => {
    rig = await startConsoleRig();
    begin(rig, await rig.open(path));
  }, 120_000);
  afterAll(() => rig?.stop());
}

/** A button by all of its name. */
export const button = (page: Page, name: string): Locator => page.getByRole('button', { name, exact: true });

/** What tests look for again and again, on whatever page it then is. */
export function seenOn(page: () => Page) {
  return {
    heading: (name: string) => page().getByRole('heading', { name, exact: true }),
    button: (name: string) => button(page(), name),
    dialog: () => page().getByRole('dialog'),
    row: (text: string) => page().getByRole('row').filter({ hasText: text }),
  };
}

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** What axe finds of level A and AA, one line each. */
export async function findingsOf(page: Page): Promise<readonly string[]> {
  // Colours of what is being faded in are nobody's to judge; what turns for ever is not waited for.
  await page.evaluate(
    'Promise.allSettled(document.getAnimations().filter((one) => one.effect?.getComputedTiming().endTime !== Infinity).map((one) => one.finished)).then(() => undefined)',
  );
  // By the debugger, which the page's own security policy does not bind.
  await page.evaluate(axe.source);
  const run = `axe.run(document, { runOnly: { type: 'tag', values: ${JSON.stringify(rules)} } })
    .then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map((node) => id + ': ' + node.html.slice(0, 160) + ' | ' + node.failureSummary)))`;
  return page.evaluate<string[]>(run);
}

export async function expectAccessible(page: Page, what: string): Promise<void> {
  expect(await findingsOf(page), what).toEqual([]);
}
