// The reconciler in the running product: real clients, the embedded broker asked, its events lost on the way.

import type { MqttClient } from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { join } from '../support/mqtt.ts';
import { eventually, type Rig, startRig } from '../support/product.ts';

let rig: Rig;
let losing = false;
beforeAll(async () => {
  rig = await startRig({ presenceFaults: { drop: 0.5, random: () => (losing ? 0 : 0.9) } });
});
afterAll(() => rig.stop());

const straight = (clientId: string): Promise<MqttClient> =>
  join(
    { mqttPort: rig.product.brokerPort, mqttsPort: 0 },
    { version: 5, clientId: `demo:${clientId}`, username: 'bob?deployment=demo', password: 'bob-secret' },
  );

const stateOf = async (clientId: string): Promise<unknown> =>
  (await rig.api('GET', `/deployments/demo/clients/${clientId}`)).body.state;

const reconciled = () => rig.product.reconcile();

test('S13: a session whose end was never told is freed by asking the broker; who is connected stays', async () => {
  const [ghost, stays] = [await straight('ghost'), await straight('stays')];
  const behindTheDoor = await join(rig.product, {
    version: 5,
    clientId: 'door',
    username: 'alice',
    password: 'alice-secret',
  });
  await eventually(
    async () => (await stateOf('ghost')) === 'connected' && (await stateOf('stays')) === 'connected',
    'both are confirmed',
  );
  losing = true;
  await ghost.endAsync();
  losing = false;
  rig.advance(700);
  // The clock leapt beyond leases and pauses; a reconciler of the product itself may be at work too, and gives way.
  await eventually(async () => {
    await reconciled();
    return (await stateOf('ghost')) === undefined;
  }, 'the ghost is found');
  expect(await rig.used('bob')).toBe(1);
  expect(await rig.used('alice')).toBe(1);
  expect(await reconciled()).toMatchObject({ driftRemoved: 0, driftAdded: 0, ghosts: 0, asked: 2, failed: 0 });
  await Promise.all([stays.endAsync(), behindTheDoor.endAsync()]);
  await eventually(async () => (await rig.used('bob')) + (await rig.used('alice')) === 0, 'all have left');
});
