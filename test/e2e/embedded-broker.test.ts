// The embedded broker behind the front door: what hostile clients send harms nobody else, and a kick ends a will's wait.

import { connectAsync, type IPublishPacket, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bendConnect, buildHostileTail, seeded } from '../support/hostile-bytes.ts';
import { buildConnect, dialRaw } from '../support/mqtt.ts';
import { type Rig, startRig } from '../support/product.ts';
import { until } from '../support/until.ts';

let rig: Rig;
let subscriber: MqttClient;
const heard: IPublishPacket[] = [];
const ends: string[] = [];

const connectAs = (clientId: string, more: object = {}): Promise<MqttClient> =>
  connectAsync(`mqtt://127.0.0.1:${rig.product.mqttPort}`, {
    protocolVersion: 5,
    clientId,
    username: 'bob',
    password: 'bob-secret',
    reconnectPeriod: 0,
    ...more,
  });

const listeners = (): number =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'TCPServerWrap').length;
let listenersStarted = 0;

beforeAll(async () => {
  const before = listeners();
  rig = await startRig();
  listenersStarted = listeners() - before;
  subscriber = await connectAs('subscriber');
  subscriber.on('message', (_topic, _payload, packet) => heard.push(packet));
  subscriber.on('close', () => ends.push('closed'));
  subscriber.on('error', (error) => ends.push(String(error)));
  await subscriber.subscribeAsync('demo/#', { qos: 2 });
});
afterAll(async () => {
  await subscriber.endAsync(true);
  await rig.stop();
});

test('a kick publishes a delayed will at once, of a client that is connected and of one that has gone (S15)', async () => {
  const will = { topic: 'demo/will', payload: Buffer.from('w'), qos: 1, retain: false };
  const more = {
    clean: false,
    properties: { sessionExpiryInterval: 600 },
    will: { ...will, properties: { willDelayInterval: 300 } },
  };
  await connectAs('kicked', more);
  const gone = await connectAs('gone', more);
  gone.stream.destroy();
  await until(async () => expect((await rig.api('GET', '/deployments/demo/clients/gone')).body.state).toBe('retained'));
  const wills = (): number => heard.filter(({ topic }) => topic === 'demo/will').length;
  expect(wills()).toBe(0);
  expect((await rig.api('DELETE', '/deployments/demo/clients/kicked')).status).toBe(204);
  await until(() => expect(wills()).toBe(1));
  expect((await rig.api('DELETE', '/deployments/demo/clients/gone')).status).toBe(204);
  await until(() => expect(wills()).toBe(2));
  expect(heard.every(({ properties }) => properties === undefined || !('willDelayInterval' in properties))).toBe(true);
});

const seed = Number(process.env.FUZZ_SEED ?? 20_261_130);

test('hostile packets harm the client only that sends them', async () => {
  const random = seeded(seed);
  for (let round = 0; round < 10; round += 1) {
    const clients = Array.from({ length: 10 }, async (_, number) => {
      const connect = buildConnect({ version: 5, clientId: `hostile-${number}`, expirySeconds: 60 * random(2) });
      const first = random(8) === 0 ? bendConnect(connect, random) : connect;
      const tail = buildHostileTail(random);
      const client = await dialRaw(rig.product);
      client.socket.write(first);
      // A bent CONNECT may be one that is not whole.
      await Promise.race([client.bytes(1), new Promise((resolve) => setTimeout(resolve, 500))]);
      client.socket.end(tail);
      await client.closed();
    });
    await Promise.all(clients);
  }
  const before = heard.length;
  await subscriber.publishAsync('demo/still-here', 'x', { qos: 2 });
  await until(() => expect(heard.length).toBeGreaterThan(before));
  expect(ends).toEqual([]);
  expect((await rig.api('GET', '/deployments/demo')).status).toBe(200);
}, 60_000);

test('the broker has no TCP port: MQTT, MQTT over TLS and HTTP listen, and nothing else', () => {
  const openedByTheRig = 1;
  expect(listenersStarted).toBe(3 + openedByTheRig);
});
