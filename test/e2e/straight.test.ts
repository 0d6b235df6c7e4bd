// Devices that go straight to the broker, past the front door: the authorizer's own admission, and a life cycle that
// is told by presence events alone, delivered twice, late and out of order (S10, S13, "How events are read").

import { connect, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededRandom } from '../../local/faults.ts';
import { join, refusalOf } from '../support/mqtt.ts';
import { eventually, type Rig, startRig } from '../support/product.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({
    presenceFaults: { duplicate: 0.3, shuffle: 0.5, delayMs: [0, 60], random: seededRandom(7) },
  });
});
afterAll(() => rig.stop());

const straight = (
  clientId: string,
  more: { clean?: boolean; version?: 4 | 5; expirySeconds?: number } = {},
): Promise<MqttClient> =>
  join(
    { mqttPort: rig.product.brokerPort, mqttsPort: 0 },
    { version: 5, clientId: `demo:${clientId}`, username: 'bob?deployment=demo', password: 'bob-secret', ...more },
  );

async function stateOf(clientId: string): Promise<unknown> {
  return (await rig.api('GET', `/deployments/demo/clients/${clientId}`)).body.state;
}

test("the limit holds without the front door, with the broker's own refusal", async () => {
  await rig.limit(2);
  const clients = await Promise.all([straight('one'), straight('two')]);
  expect(await refusalOf(straight('three'))).toBe(0x87);
  expect(await rig.used('bob')).toBe(2);
  await eventually(
    async () => (await stateOf('one')) === 'connected' && (await stateOf('two')) === 'connected',
    'both are confirmed',
  );
  await Promise.all(clients.map((client) => client.endAsync()));
  await eventually(async () => (await rig.used('bob')) === 0, 'both are freed');
});

test('a burst at the limit is exact here too, and the count is right after it', async () => {
  await rig.limit(20);
  for (let round = 0; round < 3; round++) {
    const admitted = await burst(80, 20);
    expect(await rig.used('bob')).toBe(20);
    await Promise.all(admitted.map((client, n) => client.endAsync(n % 2 === 0)));
    await eventually(async () => (await rig.used('bob')) === 0, `round ${round}: all have gone`);
  }
}, 240_000);

/** Longer than this nobody waits who is turned away for quota, unless the machine is too slow to decide in time. */
const lateMs = 3_000;

/**
 * All at once; answers those admitted. Straight to the broker one refusal is like another, so where the machine was too
 * slow for some, and only then, those come again once their leases have been checked.
 */
async function burst(clients: number, limit: number): Promise<readonly MqttClient[]> {
  const admitted: MqttClient[] = [];
  let waiting = Array.from({ length: clients }, (_, n) => `burst${n}`);
  for (let tries = 0; tries < 5 && admitted.length < limit; tries++) {
    if (tries > 0) {
      rig.advance(41);
      await rig.product.sweep();
    }
    const beganAt = performance.now();
    let late = 0;
    const refused: string[] = [];
    await Promise.all(
      waiting.map(async (clientId) => {
        try {
          admitted.push(await straight(clientId));
        } catch {
          refused.push(clientId);
          if (performance.now() - beganAt > lateMs) late += 1;
        }
      }),
    );
    expect(admitted.length).toBeLessThanOrEqual(limit);
    expect(await rig.used('bob')).toBeLessThanOrEqual(limit);
    // Nobody is turned away for nothing.
    expect(late).toBeGreaterThanOrEqual(Math.min(1, limit - admitted.length));
    waiting = refused;
  }
  expect(admitted.length).toBe(limit);
  return admitted;
}

test('reconnecting over a live connection, again and again, stays one session', async () => {
  await rig.limit(1);
  let latest = await straight('again');
  for (let n = 0; n < 8; n++) {
    const next = await straight('again');
    await latest.endAsync(true);
    latest = next;
    expect(await rig.used('bob')).toBe(1);
  }
  await rig.product.quiet();
  expect(await rig.used('bob')).toBe(1);
  expect(latest.connected).toBe(true);
  expect(await refusalOf(straight('other'))).toBe(0x87);
  await latest.endAsync();
  await rig.product.quiet();
  // Attempts overlapped, so an event proves nothing; the broker is believed when none of them can be on its way any more.
  rig.advance(41);
  await rig.product.sweep();
  await eventually(async () => (await rig.used('bob')) === 0, 'it is freed');
});

test('the session expiry that the broker tells is what a session is retained for', async () => {
  await rig.limit(1);
  const client = await straight('keeps', { clean: false, expirySeconds: 120 });
  await eventually(async () => (await stateOf('keeps')) === 'connected', 'confirmed');
  await client.endAsync();
  await eventually(async () => (await stateOf('keeps')) === 'retained', 'retained');
  expect(await refusalOf(straight('other'))).toBe(0x87);
  rig.advance(125);
  const other = await straight('other');
  await eventually(async () => (await stateOf('other')) === 'connected', 'confirmed');
  await other.endAsync();
  await eventually(async () => (await rig.used('bob')) === 0, 'all are gone');
});

test('a connection whose end is told before its beginning is settled after the lease', async () => {
  await rig.limit(5);
  await Promise.all(Array.from({ length: 5 }, async (_, n) => (await straight(`brief${n}`)).endAsync()));
  await rig.product.quiet();
  rig.advance(31);
  await rig.product.sweep();
  expect(await rig.used('bob')).toBe(0);
});

const as = (
  username: string,
  clientId: string,
  more: { clean?: boolean; expirySeconds?: number } = {},
): Promise<MqttClient> =>
  join(
    { mqttPort: rig.product.brokerPort, mqttsPort: 0 },
    {
      version: 5,
      clientId: `demo:${clientId}`,
      username: `${username}?deployment=demo`,
      password: `${username}-secret`,
      ...more,
    },
  );

test.each(['connected', 'gone'])(
  'a client id that changes its username inherits nothing, its old holder %s',
  async (old) => {
    await rig.limit(5);
    const allow = await rig.api('PATCH', '/deployments/demo', { clientIdTakeover: 'allow' });
    expect(allow.status).toBe(200);
    rig.advance(5);
    const clientId = `handed-${old}`;
    const keeping = { clean: false, expirySeconds: 300 };
    const first = await as('bob', clientId, keeping);
    const topic = `demo/${clientId}`;
    await first.subscribeAsync(topic, { qos: 1 });
    await eventually(async () => (await stateOf(clientId)) === 'connected', 'the first is confirmed');
    if (old === 'gone') await first.endAsync();
    const teller = await as('bridge', `teller-${old}`);
    if (old === 'gone') await teller.publishAsync(topic, 'for the first only', { qos: 1 });

    const heard: string[] = [];
    const next = await joinHearing('alice', clientId, heard);
    await teller.publishAsync(topic, 'for whoever subscribed', { qos: 1 });
    // Its own subscription, so that whatever the broker had for it has come when this comes.
    await next.subscribeAsync('demo/end', { qos: 1 });
    await teller.publishAsync('demo/end', 'end', { qos: 1 });
    await eventually(async () => heard.includes('demo/end'), 'what it subscribed to comes');
    expect(heard).toEqual(['demo/end']);
    await Promise.all([next.endAsync(), teller.endAsync(), first.endAsync()]);

    // Everybody is freed: the old holder when its end is told or the newcomer confirmed, the others as they go.
    await rig.product.quiet();
    rig.advance(401);
    await rig.product.sweep();
    for (const username of ['alice', 'bob', 'bridge'])
      await eventually(async () => (await rig.used(username)) === 0, `${username} holds nothing`);
    await rig.api('PATCH', '/deployments/demo', { clientIdTakeover: 'deny' });
    rig.advance(5);
  },
  120_000,
);

/** A persistent session that listens before it is connected, so that nothing which waits for it is missed. */
async function joinHearing(username: string, clientId: string, heard: string[]): Promise<MqttClient> {
  const client = connect(`mqtt://127.0.0.1:${rig.product.brokerPort}`, {
    protocolVersion: 5,
    clientId: `demo:${clientId}`,
    username: `${username}?deployment=demo`,
    password: `${username}-secret`,
    clean: false,
    properties: { sessionExpiryInterval: 300 },
    reconnectPeriod: 0,
  });
  client.on('message', (topic) => heard.push(topic));
  const sessionPresent = await new Promise((resolve, reject) => {
    client.once('connect', (connack) => resolve(connack.sessionPresent));
    client.once('error', reject);
    client.once('close', () => reject(new Error('closed')));
  });
  expect(sessionPresent).toBe(false);
  return client;
}

test('a client id without the prefix of the deployment is refused', async () => {
  const target = { mqttPort: rig.product.brokerPort, mqttsPort: 0 };
  for (const clientId of ['bare', 'other:bare', 'demo']) {
    const spec = { version: 5, clientId, username: 'bob?deployment=demo', password: 'bob-secret' } as const;
    expect(await refusalOf(join(target, spec))).toBe(0x87);
  }
  expect(await rig.used('bob')).toBe(0);
});

test('a ticket that nobody issued opens nothing', async () => {
  const target = { mqttPort: rig.product.brokerPort, mqttsPort: 0 };
  const ticket = Buffer.alloc(80).toString('base64url');
  const spec = {
    version: 5,
    clientId: 'demo:forged',
    username: `bob?deployment=demo&ticket=${ticket}`,
    password: 'bob-secret',
  } as const;
  expect(await refusalOf(join(target, spec))).toBe(0x87);
  // Through the front door a client's own ticket is stripped, and does no harm.
  const client = await join(rig.product, { ...spec, clientId: 'forged' });
  await client.endAsync();
  await eventually(async () => (await rig.used('bob')) === 0, 'it is freed');
});
