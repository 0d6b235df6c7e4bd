// S24: nothing that a tenant writes blocks a CONNECT of another. What is asserted is an order, never a time.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { usernamesPerListMax } from '../../shared/config/constants.ts';
import { usernameMaxBytes } from '../../shared/domain/ids.ts';
import { join } from '../support/mqtt.ts';
import { type Rig, startRig } from '../support/product.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ env: { API_TOKENS: 'acme=acme' } });
});
afterAll(() => rig.stop());

async function acme(method: string, path: string, body?: object) {
  const answer = await fetch(`http://127.0.0.1:${rig.product.httpPort}/v1${path}`, {
    method,
    headers: { authorization: 'Bearer acme', 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, retryAfter: answer.headers.get('retry-after'), text };
}

test('while a tenant replaces whitelists of 10,000 long names, ten CONNECTs in a row of another tenant are answered', async () => {
  const made = await acme('POST', '/deployments', { name: 'Fleet' });
  const path = `/deployments/${String((JSON.parse(made.text) as { deploymentId: string }).deploymentId)}/session-limit`;
  const names = (list: number) =>
    Array.from({ length: usernamesPerListMax }, (_, n) => `${list}-${n}-`.padEnd(usernameMaxBytes, 'x'));
  let over = false;
  const replaced = Promise.all([1, 2, 3, 4, 5, 6].map((n) => acme('PUT', path, { whitelist: names(n) }))).finally(
    () => {
      over = true;
    },
  );
  for (let n = 0; n < 10; n += 1) {
    const client = await join(rig.product, { version: 5, clientId: `c${n}`, username: 'alice' });
    await client.endAsync();
  }
  expect(over).toBe(false);
  expect((await replaced).map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 201]);
}, 120_000);
