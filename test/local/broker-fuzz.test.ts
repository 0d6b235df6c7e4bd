// Clients that break MQTT's rules, straight to the broker: nothing that one of them sends ends the process or another
// client's connection.

import { connect as dial } from 'node:net';
import { generate } from 'mqtt-packet';
import { afterEach, expect, test } from 'vitest';
import { bendConnect, buildHostileTail, seeded } from '../support/hostile-bytes.ts';
import { until } from '../support/until.ts';
import { type Bench, startBench } from './broker-bench.ts';

let bench: Bench;
afterEach(() => bench.close());

const seed = Number(process.env.FUZZ_SEED ?? 20_261_130);
const clients = 400;

test('hostile packets harm the client only that sends them', async () => {
  const defects: unknown[] = [];
  bench = await startBench({ onDefect: (error) => defects.push(error) });
  const random = seeded(seed);
  const subscriber = await bench.connect(5, 'demo:subscriber', { keepalive: 0 });
  let received = 0;
  const ends: string[] = [];
  subscriber.on('message', () => (received += 1));
  subscriber.on('close', () => ends.push('subscriber'));
  subscriber.on('error', (error) => ends.push(String(error)));
  await subscriber.subscribeAsync({ 'demo/#': { qos: 2 } });

  for (let number = 0; number < clients; number += 1) {
    const socket = dial(bench.broker.port, '127.0.0.1').on('error', () => undefined);
    const connect = generate({
      cmd: 'connect',
      protocolVersion: 5,
      clientId: `demo:hostile-${number % 20}`,
      clean: number % 2 === 0,
      keepalive: 0,
      properties: { sessionExpiryInterval: random(2) * 60 },
      will: {
        topic: 'demo/will',
        payload: Buffer.from('w'),
        qos: 1,
        retain: false,
        properties: { willDelayInterval: 1 },
      },
    });
    const first = random(8) === 0 ? bendConnect(connect, random) : connect;
    const tail = buildHostileTail(random);
    // Half of them do not wait for their CONNACK.
    const [early, late] = random(2) === 0 ? [tail, Buffer.alloc(0)] : [Buffer.alloc(0), tail];
    socket.write(Buffer.concat([first, early]));
    // A bent CONNECT may be one that is not whole.
    const answered = new Promise((resolve) => socket.once('data', resolve).once('close', resolve));
    await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, 200))]);
    const over = new Promise((resolve) => (socket.destroyed ? resolve(undefined) : socket.once('close', resolve)));
    socket.resume().end(late);
    await over;
  }

  const before = received;
  await subscriber.publishAsync('demo/still-here', 'x', { qos: 2 });
  await until(() => expect(received).toBeGreaterThan(before));
  expect(ends).toEqual([]);
  expect(defects).toEqual([]);
  expect(received).toBeGreaterThan(20);
}, 60_000);
