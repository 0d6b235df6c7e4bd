// The whole product in this process, on free ports, with a clock that tests can move.

import { parseConfig } from '../../local/config.ts';
import { buildConsole } from '../../local/console-build.ts';
import type { Faults } from '../../local/faults.ts';
import { type Product, startProduct } from '../../local/product.ts';
import { type Ms, ms } from '../../shared/domain/time.ts';
import { openBrokerPort } from './broker-port.ts';
import { until } from './until.ts';

export interface Rig {
  /** With a port that leads past the front door, straight to the broker. */
  readonly product: Product & { readonly brokerPort: number };
  /** Moves the product's clock forward. */
  advance(seconds: number): void;
  now(): Ms;
  /** Calls the API as the tenant `local`; the body of the answer is parsed. */
  api(method: string, path: string, body?: object): Promise<{ status: number; body: Record<string, unknown> }>;
  /** `used` of a username of `demo`; 0 where it has no live session. */
  used(username: string): Promise<number>;
  /** Sets the limit of `demo` and waits until it holds (S1: at most 5 s). */
  limit(max: number, options?: { whitelist?: string[] }): Promise<void>;
  stop(): Promise<void>;
}

const quiet = {
  info: () => undefined,
  warn: () => undefined,
  error: (message: string, fields?: object) => console.error(message, fields),
};

export async function startRig(
  options: {
    readonly env?: Record<string, string>;
    readonly presenceFaults?: Faults;
    /** Sees what the broker tells of connections. */
    readonly onPresence?: (event: object) => void;
    /** With the console, built where it has to be. */
    readonly console?: boolean;
  } = {},
): Promise<Rig> {
  let offset = 0;
  const now = (): Ms => ms(Date.now() + offset);
  const config = parseConfig({ MQTT_PORT: '0', MQTTS_PORT: '0', HTTP_PORT: '0', DATA_DIR: ':memory:', ...options.env });
  const built = options.console === true ? await buildConsole() : undefined;
  const product = await startProduct({
    config,
    clock: { now },
    log: quiet,
    ...(options.presenceFaults === undefined ? {} : { presenceFaults: options.presenceFaults }),
    ...(options.onPresence === undefined ? {} : { onPresence: options.onPresence }),
    ...(built === undefined ? {} : { consoleFolder: Promise.resolve(built) }),
  });
  const page = { headers: { accept: 'text/html' } };
  if (built !== undefined)
    await until(async () => {
      const { status } = await fetch(`http://127.0.0.1:${product.httpPort}/`, page);
      if (status !== 200) throw new Error(`the console answers ${status}`);
    });
  const straight = await openBrokerPort((stream, ipAddress) => product.acceptStraight(stream, ipAddress));
  const advance = (seconds: number): void => {
    offset += seconds * 1000;
  };
  async function api(
    method: string,
    path: string,
    body?: object,
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const answer = await fetch(`http://127.0.0.1:${product.httpPort}/v1${path}`, {
      method,
      headers: { authorization: 'Bearer local', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
  }
  return {
    product: { ...product, brokerPort: straight.port },
    advance,
    now,
    api,
    async used(username) {
      const { status, body } = await api('GET', `/deployments/demo/session-usage/${encodeURIComponent(username)}`);
      return status === 404 ? 0 : Number(body.used);
    },
    async limit(max, { whitelist = [] } = {}) {
      const answer = await api('PUT', '/deployments/demo/session-limit', { maxSessionsPerUsername: max, whitelist });
      if (answer.status >= 300) throw new Error(JSON.stringify(answer));
      // Settings are held for a few seconds of the product's clock.
      advance(5);
    },
    async stop() {
      await product.stop();
      await straight.close();
    },
  };
}

/** Asks again until it holds; fails after 20 s. For what other processes do in their own time. */
export async function eventually(check: () => Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`did not come true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
