// S16 over the wire: who connects appears in the order by used by itself, and who leaves it goes.

import type { MqttClient } from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { join } from '../support/mqtt.ts';
import { eventually, type Rig, startRig } from '../support/product.ts';

let rig: Rig;
const clients: MqttClient[] = [];
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.endAsync(true)));
  await rig.stop();
});

async function byUsed(query = ''): Promise<unknown> {
  const { status, body } = await rig.api('GET', `/deployments/demo/session-usage?sort=used&order=desc${query}`);
  expect(status).toBe(200);
  return (body.items as { username: string; used: number }[]).map((one) => `${one.username} ${one.used}`);
}

const becomes = (expected: readonly string[], query = '') =>
  eventually(async () => JSON.stringify(await byUsed(query)) === JSON.stringify(expected), expected.join(', '));

test('clients that connect and disconnect move their username', async () => {
  for (const [username, count] of [
    ['alice', 1],
    ['bob', 3],
  ] as const)
    for (let n = 0; n < count; n++)
      clients.push(await join(rig.product, { version: 5, clientId: `${username}-${n}`, username }));
  await becomes(['bob 3', 'alice 1']);
  await becomes(['bob 3'], '&minUsed=2');
  for (const client of clients.splice(1)) await client.endAsync();
  await becomes(['alice 1']);
}, 60_000);
