// Kicking at the wire (S15, S21), with real MQTT clients and the whole product.

import type { MqttClient } from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { join } from '../support/mqtt.ts';
import { eventually, type Rig, startRig } from '../support/product.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.stop());

const demo = '/deployments/demo';

/** The reason code of the DISCONNECT that the client is sent; 0 for a connection that just ends. */
function farewell(client: MqttClient): Promise<number> {
  return new Promise((resolve) => {
    client.once('disconnect', (packet) => resolve(packet.reasonCode ?? 0));
    client.once('close', () => resolve(0));
  });
}

test('kick of one client: it is told 0x98, its session is gone with it, its place is free; a second kick finds nothing', async () => {
  const kept = await join(rig.product, { version: 5, clientId: 'kept', clean: false, expirySeconds: 600 });
  const other = await join(rig.product, { version: 4, clientId: 'other' });
  await eventually(async () => (await rig.api('GET', `${demo}/clients/kept`)).body.state === 'connected', 'confirmed');
  const told = farewell(kept);
  expect((await rig.api('DELETE', `${demo}/clients/kept`)).status).toBe(204);
  expect(await told).toBe(0x98);
  expect(await rig.used('alice')).toBe(1);
  expect(await rig.api('DELETE', `${demo}/clients/kept`)).toMatchObject({
    status: 404,
    body: { code: 'client.not_found' },
  });
  await rig.product.quiet();
  expect(await rig.used('alice')).toBe(1);
  // Nothing of the session is left: a client that wants to resume it is told that there is none.
  const again = await join(rig.product, { version: 5, clientId: 'kept', clean: false, expirySeconds: 0 });
  expect(await rig.used('alice')).toBe(2);
  await Promise.all([again.endAsync(), other.endAsync()]);
  await eventually(async () => (await rig.used('alice')) === 0, 'all are gone');
});
