// A client that sends what it has to say in one write and is gone: CONNECT, PUBLISH, perhaps DISCONNECT, then the end of
// its stream. It has not left while whole packets of it are held (S24).

import { connect as dial, type Socket } from 'node:net';
import { connect as dialTls } from 'node:tls';
import { generate } from 'mqtt-packet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildConnect, join } from '../support/mqtt.ts';
import { eventually, type Rig, startRig } from '../support/product.ts';

const messages = 20;

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
}, 60_000);
afterAll(() => rig.stop());

const endings: [string, boolean, (socket: Socket) => void][] = [
  ['the end of the stream, behind a DISCONNECT', true, (socket) => socket.end()],
  ['the end of the stream', false, (socket) => socket.end()],
  ['a close, behind a DISCONNECT', true, (socket) => socket.destroy()],
  ['a close', false, (socket) => socket.destroy()],
];
const transports: [string, (port: { mqttPort: number; mqttsPort: number }) => Socket][] = [
  ['TCP', ({ mqttPort }) => dial({ host: '127.0.0.1', port: mqttPort, allowHalfOpen: true })],
  [
    'TLS',
    ({ mqttsPort }) =>
      dialTls({ host: '127.0.0.1', port: mqttsPort, servername: 'demo.mqtt.localhost', rejectUnauthorized: false }),
  ],
];

test.each(
  transports.flatMap(([transport, open], t) =>
    endings.map(([ending, says, end], n) => [transport, (n + t) % 2 ? 4 : 5, ending, says, open, end] as const),
  ),
)(
  'over %s, version %i, then %s: every message arrives, and nothing stays counted',
  async (transport, version, ending, saysDisconnect, open, end) => {
    const topic = `demo/${transport}/${version}/${endings.findIndex(([name]) => name === ending)}`;
    const subscriber = await join(rig.product, { version: 5, clientId: `sub-${topic.replaceAll('/', '-')}` });
    const got: string[] = [];
    subscriber.on('message', (_topic, payload) => got.push(payload.toString()));
    await subscriber.subscribeAsync(topic);
    const sent = Array.from({ length: messages }, (_, n) => `message-${n}`);
    for (const [n, payload] of sent.entries()) {
      const socket = open(rig.product);
      socket.on('error', () => undefined);
      const packets = [
        buildConnect({ version, clientId: `ff-${n}`, username: 'bob', password: 'bob-secret' }),
        generate({ cmd: 'publish', topic, payload, qos: 0, dup: false, retain: false }, { protocolVersion: version }),
        ...(saysDisconnect ? [generate({ cmd: 'disconnect' }, { protocolVersion: version })] : []),
      ];
      await new Promise<void>((resolve) => socket.once(transport === 'TLS' ? 'secureConnect' : 'connect', resolve));
      socket.write(Buffer.concat(packets), () => end(socket));
    }
    await eventually(async () => got.length >= messages, `${messages} messages, not ${got.length}`);
    expect([...got].sort()).toEqual([...sent].sort());
    await eventually(async () => (await rig.used('bob')) === 0, 'nothing of it is counted');
    await subscriber.endAsync();
  },
  60_000,
);
