// The console in a real browser, against the whole product with real MQTT clients.

import axe from 'axe-core';
import type { MqttClient } from 'mqtt';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';
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

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** What axe finds of level A and AA, one line each. */
export async function findingsOf(page: Page): Promise<readonly string[]> {
  // By the debugger, which the page's own security policy does not bind.
  await page.evaluate(axe.source);
  const run = `axe.run(document, { runOnly: { type: 'tag', values: ${JSON.stringify(rules)} } })
    .then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map((node) => id + ': ' + node.html.slice(0, 160) + ' | ' + node.failureSummary)))`;
  return page.evaluate<string[]>(run);
}

export async function expectAccessible(page: Page, what: string): Promise<void> {
  expect(await findingsOf(page), what).toEqual([]);
}
