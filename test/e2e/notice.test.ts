// The local run tells of usernames near their limit in its log, by itself, some seconds after their clients came.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../../local/config.ts';
import { type Product, startProduct } from '../../local/product.ts';
import { ms } from '../../shared/domain/time.ts';
import { join } from '../support/mqtt.ts';
import { until } from '../support/until.ts';

let product: Product;
const told: Readonly<Record<string, unknown>>[] = [];

beforeAll(async () => {
  product = await startProduct({
    config: parseConfig({ MQTT_PORT: '0', MQTTS_PORT: '0', HTTP_PORT: '0', DATA_DIR: ':memory:' }),
    clock: { now: () => ms(Date.now()) },
    log: {
      info: () => undefined,
      warn: (message, fields = {}) => void (message.includes('near its session limit') && told.push(fields)),
      error: () => undefined,
    },
  });
  const limit = `http://127.0.0.1:${product.httpPort}/v1/deployments/demo/session-limit`;
  const made = await fetch(limit, {
    method: 'PUT',
    headers: { authorization: 'Bearer local', 'content-type': 'application/json' },
    body: JSON.stringify({ maxSessionsPerUsername: 2 }),
  });
  expect(made.status).toBe(201);
}, 60_000);
afterAll(() => product.stop());

test('set when the second of two has come, cleared when it has gone', async () => {
  const clients = [
    await join(product, { version: 5, clientId: 'one' }),
    await join(product, { version: 5, clientId: 'two' }),
  ];
  const common = { deploymentId: 'demo', username: 'alice', limit: 2, at: expect.stringMatching(/^\d{4}-.+Z$/) };
  await until(() => expect(told).toEqual([{ ...common, used: 2, state: 'set' }]));
  await clients[1]?.endAsync();
  await until(() => expect(told.slice(1)).toEqual([{ ...common, used: 1, state: 'clear' }]));
  await clients[0]?.endAsync();
}, 60_000);
