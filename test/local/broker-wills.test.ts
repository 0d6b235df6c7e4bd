// A delayed will is published when its delay has passed or its session ends, whichever comes first (MQTT 5, 3.1.3.2.2).

import type { IPublishPacket, MqttClient } from 'mqtt';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { BrokerClientId } from '../../shared/domain/ids.ts';
import { until } from '../support/until.ts';
import { type Bench, startBench } from './broker-bench.ts';

let bench: Bench;
let heard: IPublishPacket[];
beforeEach(async () => {
  bench = await startBench();
  heard = [];
});
afterEach(() => bench.close());

const id = 'demo:c1' as BrokerClientId;
const properties = { sessionExpiryInterval: 600 };
const userProperties = { of: 'will' };

async function listen(): Promise<MqttClient> {
  const listener = await bench.connect(5, 'demo:listener');
  listener.on('message', (_topic, _payload, packet) => heard.push(packet));
  await listener.subscribeAsync('demo/#');
  return listener;
}

const joinWithWill = (willDelayInterval: number): Promise<MqttClient> =>
  bench.connect(5, id, {
    clean: false,
    properties,
    will: {
      topic: 'demo/will',
      payload: Buffer.from('gone'),
      qos: 0,
      retain: false,
      properties: { willDelayInterval, userProperties },
    },
  });

async function lose(client: MqttClient): Promise<void> {
  client.stream.destroy();
  await until(async () => expect(await bench.broker.getConnection(id)).toMatchObject({ kind: 'retained' }));
}

/** What was published before this is heard before it. */
async function heardSoFar(listener: MqttClient): Promise<readonly string[]> {
  await listener.publishAsync('demo/mark', 'x');
  await until(() => expect(heard.at(-1)?.topic).toBe('demo/mark'));
  return heard.map(({ topic }) => topic).filter((topic) => topic !== 'demo/mark');
}

test('a kick publishes the delayed will of a connected client at once (S15)', async () => {
  const listener = await listen();
  await joinWithWill(300);
  await bench.broker.deleteConnection(id, { cleanSession: true });
  await until(async () => expect(await heardSoFar(listener)).toEqual(['demo/will']));
});

test('a kick publishes a will that waits at once (S15)', async () => {
  const listener = await listen();
  await lose(await joinWithWill(300));
  expect(await heardSoFar(listener)).toEqual([]);
  await bench.broker.deleteConnection(id, { cleanSession: true });
  await until(async () => expect(await heardSoFar(listener)).toEqual(['demo/will']));
});

test('ending a connection and not its session leaves the will its delay', async () => {
  const listener = await listen();
  await joinWithWill(300);
  await bench.broker.deleteConnection(id, { cleanSession: false });
  expect(await heardSoFar(listener)).toEqual([]);
});

test('a clean start ends the session, and its will with it', async () => {
  const listener = await listen();
  await lose(await joinWithWill(300));
  await bench.connect(5, id, { clean: true });
  await until(async () => expect(await heardSoFar(listener)).toEqual(['demo/will']));
});

test('a session that expires takes its will with it', async () => {
  const listener = await listen();
  await lose(await joinWithWill(9_000));
  bench.time.advance(600_000);
  await until(async () => expect(await heardSoFar(listener)).toEqual(['demo/will']));
});

test('a client that comes back to its session within the delay has no will published', async () => {
  const listener = await listen();
  await lose(await joinWithWill(300));
  const back = await bench.connect(5, id, { clean: false, properties });
  await back.endAsync();
  await until(async () => expect(await bench.broker.getConnection(id)).toMatchObject({ kind: 'retained' }));
  await bench.broker.deleteConnection(id, { cleanSession: true });
  expect(await heardSoFar(listener)).toEqual([]);
});

test('no will is published twice', async () => {
  const listener = await listen();
  await joinWithWill(300);
  await bench.broker.deleteConnection(id, { cleanSession: true });
  await until(async () => expect(await heardSoFar(listener)).toEqual(['demo/will']));
  await bench.broker.deleteConnection(id, { cleanSession: true });
  await bench.connect(5, id, { clean: true });
  expect(await heardSoFar(listener)).toEqual(['demo/will']);
});

test('the delay is not told to subscribers; what the will says for them is [MQTT-3.3.2]', async () => {
  const listener = await listen();
  await joinWithWill(300);
  await bench.broker.deleteConnection(id, { cleanSession: true });
  await until(async () => expect(await heardSoFar(listener)).toEqual(['demo/will']));
  expect(heard[0]?.properties).toEqual({ userProperties });
});
