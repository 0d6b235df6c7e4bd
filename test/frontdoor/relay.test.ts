// Admitted clients, a real broker behind the front door, and what is reported of them.
import { connectAsync, type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ms, seconds } from '../../shared/domain/time.ts';
import { until } from '../support/until.ts';
import { admit, connectBytes, packetBytes, RawClient, type Rig, startBroker, startRig } from './rig.ts';

let broker: Awaited<ReturnType<typeof startBroker>>;
let rig: Rig;
beforeEach(async () => {
  broker = await startBroker({ sessionExpiryIntervalLimit: 1_000 });
  rig = await startRig({ brokerPort: broker.port });
});
afterEach(async () => {
  await rig.close();
  await broker.close();
});

function join(options: Parameters<typeof connectAsync>[1]): Promise<MqttClient> {
  const url = `mqtt://127.0.0.1:${rig.port}`;
  return connectAsync(url, { username: 'alice', password: 'alice-secret', reconnectPeriod: 0, ...options }, false);
}

const told = () =>
  rig.reports.map((report) => [report.type, 'expirySeconds' in report ? report.expirySeconds : undefined]);

test.each([3, 4, 5] as const)(
  'a client of protocol version %i is joined with the broker under its own names',
  async (protocolVersion) => {
    const client = await join({
      protocolVersion,
      protocolId: protocolVersion === 3 ? 'MQIsdp' : 'MQTT',
      clientId: 'device-1',
      username: 'alice?deployment=demo&ticket=forged&x-amz-customauthorizer-name=other',
    });
    expect(broker.seen).toEqual([
      {
        clientId: 'demo:device-1',
        userName: 'alice?deployment=demo&ticket=ticket-for-device-1',
        password: undefined,
        cleanStart: true,
      },
    ]);
    expect(rig.requests).toEqual([
      {
        deploymentId: 'demo',
        username: 'alice',
        password: Buffer.from('alice-secret'),
        clientId: 'device-1',
        hints: { protocolVersion, cleanStart: true, expirySeconds: 0, ipAddress: '127.0.0.1' },
        left: expect.any(AbortSignal),
      },
    ]);
    await client.endAsync();
    await until(() =>
      expect(told()).toEqual([
        ['door.connected', 0],
        ['door.disconnected', 0],
      ]),
    );
    expect(rig.reports[0]).toEqual({
      type: 'door.connected',
      deploymentId: 'demo',
      username: 'alice',
      clientId: 'device-1',
      attempt: 'attempt-0123456789',
      at: ms(1_000),
      expirySeconds: 0,
    });
  },
);

test('messages of any size pass both ways unchanged', async () => {
  const subscriber = await join({ protocolVersion: 5, clientId: 'sub' });
  const publisher = await join({ protocolVersion: 4, clientId: 'pub' });
  const got: Buffer[] = [];
  subscriber.on('message', (_topic, payload) => got.push(payload));
  await subscriber.subscribeAsync('demo/#', { qos: 1 });
  // 0xe0 is the first byte of a DISCONNECT: inside a message it must mean nothing.
  const payloads = [Buffer.from('a'), Buffer.alloc(3_000_000, 0xe0), Buffer.alloc(200, 0xe0), Buffer.from('z')];
  for (const payload of payloads) await publisher.publishAsync('demo/t', payload, { qos: 1 });
  await until(() => expect(got).toHaveLength(payloads.length));
  expect(got.every((payload, index) => payload.equals(payloads[index] ?? Buffer.alloc(0)))).toBe(true);
  await Promise.all([subscriber.endAsync(), publisher.endAsync()]);
});

test('what a client sends behind its CONNECT in one write reaches the broker', async () => {
  const client = new RawClient(rig.port);
  client.socket.write(
    Buffer.concat([
      connectBytes({ protocolVersion: 4 }),
      packetBytes({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'demo/echo', qos: 0 }] }, 4),
      packetBytes({ cmd: 'publish', topic: 'demo/echo', payload: 'hello', qos: 0, dup: false, retain: false }, 4),
    ]),
  );
  const publish = packetBytes(
    { cmd: 'publish', topic: 'demo/echo', payload: 'hello', qos: 0, dup: false, retain: false },
    4,
  );
  await until(() => expect(client.received.toString('hex')).toBe(`20020000${'9003000100'}${publish.toString('hex')}`));
  client.socket.destroy();
});

describe('the session’s expiry is reported as the broker granted it, and as it was at the end (S10)', () => {
  test.each([
    ['asked for', 600, 600],
    ['adjusted by the CONNACK', 5_000, 1_000],
    ['absent', undefined, 0],
  ])('%s', async (_name, asked, granted) => {
    const properties = asked === undefined ? {} : { properties: { sessionExpiryInterval: asked } };
    const client = await join({ protocolVersion: 5, clientId: 'c', ...properties });
    expect(rig.requests[0]?.hints?.expirySeconds).toBe(asked ?? 0);
    client.stream.destroy();
    await until(() =>
      expect(told()).toEqual([
        ['door.connected', granted],
        ['door.disconnected', granted],
      ]),
    );
  });

  test.each([
    [600, 0, 600],
    [600, 30, 600],
    [60, 600, 600],
  ])('granted %i and changed to %i by a DISCONNECT: at most %i', async (granted, changedToSeconds, expirySeconds) => {
    const client = await join({ protocolVersion: 5, clientId: 'c', properties: { sessionExpiryInterval: granted } });
    await client.endAsync(false, { properties: { sessionExpiryInterval: changedToSeconds } });
    await until(() =>
      expect(rig.reports.slice(1)).toMatchObject([{ type: 'door.disconnected', expirySeconds, changedToSeconds }]),
    );
  });

  test('not changed by a DISCONNECT from 0 to more, which is passed to nobody [MQTT-3.14.2-2]', async () => {
    const client = await join({ protocolVersion: 5, clientId: 'c' });
    await client.endAsync(false, { properties: { sessionExpiryInterval: 600 } });
    await until(() =>
      expect(told()).toEqual([
        ['door.connected', 0],
        ['door.disconnected', 0],
      ]),
    );
  });

  test.each([
    ['a malformed packet before it', '36020000e00700051100000000', 600, 0],
    ['another DISCONNECT behind it that makes it longer', 'e000e00700051100093a80', 600, undefined],
    ['another DISCONNECT behind one that lowers it', 'e007000511 0000001e e007000511 00093a80', 600, 30],
  ])(
    'a DISCONNECT with %s: nothing is believed that the broker may not have read',
    async (_what, hex, most, lowered) => {
      const client = new RawClient(rig.port);
      client.socket.write(connectBytes({ properties: { sessionExpiryInterval: 600 } }));
      await until(() => expect(told()).toHaveLength(1));
      client.socket.write(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
      await until(() => expect(told()).toHaveLength(2));
      expect(rig.reports[1]).toMatchObject({ type: 'door.disconnected', expirySeconds: most });
      expect('changedToSeconds' in (rig.reports[1] ?? {}) ? rig.reports[1] : {}).toEqual(
        lowered === undefined ? {} : expect.objectContaining({ changedToSeconds: lowered }),
      );
    },
  );

  test('not changed by half a DISCONNECT', async () => {
    const client = new RawClient(rig.port);
    client.socket.write(connectBytes({ properties: { sessionExpiryInterval: 600 } }));
    await until(() => expect(told()).toEqual([['door.connected', 600]]));
    const disconnect = packetBytes({ cmd: 'disconnect', reasonCode: 4, properties: { sessionExpiryInterval: 30 } });
    client.socket.end(disconnect.subarray(0, -1));
    await until(() =>
      expect(told()).toEqual([
        ['door.connected', 600],
        ['door.disconnected', 600],
      ]),
    );
  });

  test('of MQTT 3 it is 0 with a clean session, else what the admission counted with', async () => {
    const clean = await join({ protocolVersion: 4, clientId: 'a', clean: true });
    const kept = await join({ protocolVersion: 4, clientId: 'b', clean: false });
    expect(told()).toEqual([
      ['door.connected', 0],
      ['door.connected', 3_600],
    ]);
    expect(rig.requests.map((request) => request.hints?.expirySeconds)).toEqual([0, undefined]);
    await Promise.all([clean.endAsync(), kept.endAsync()]);
    // Of the one that is kept no packet tells for how long: that is said, so that the broker is asked.
    await until(() => expect(told()).toHaveLength(4));
    const ends = rig.reports.filter(({ type }) => type === 'door.disconnected');
    expect(new Map(ends.map((end) => [String(end.clientId), 'expiryIsAccounts' in end]))).toEqual(
      new Map([
        ['a', false],
        ['b', true],
      ]),
    );
  });
});

test('where the core demands it, the broker is asked for a clean start (S9)', async () => {
  await rig.close();
  rig = await startRig({
    brokerPort: broker.port,
    decide: (request) => admit(request, { mustCleanStart: true, expirySeconds: seconds(100) }),
  });
  const five = await join({
    protocolVersion: 5,
    clientId: 'five',
    clean: false,
    properties: { sessionExpiryInterval: 100 },
  });
  const four = await join({ protocolVersion: 4, clientId: 'four', clean: false });
  expect(broker.seen.map(({ clientId, cleanStart }) => [clientId, cleanStart])).toEqual([
    ['demo:five', true],
    ['demo:four', true],
  ]);
  // MQTT 3 cannot say "start clean, but keep it": such a session ends with its connection.
  expect(told()).toEqual([
    ['door.connected', 100],
    ['door.connected', 0],
  ]);
  await Promise.all([five.endAsync(), four.endAsync()]);
});

test('a will reaches the broker with its binary payload, when the client goes without a DISCONNECT', async () => {
  const watcher = await join({ protocolVersion: 5, clientId: 'watcher' });
  const got: Buffer[] = [];
  watcher.on('message', (_topic, payload) => got.push(payload));
  await watcher.subscribeAsync('demo/will');
  const payload = Buffer.from([0, 0xff, 0xe0, 0xc3, 0x28]);
  const leaver = await join({
    protocolVersion: 5,
    clientId: 'leaver',
    will: { topic: 'demo/will', payload, qos: 1, retain: false },
  });
  leaver.stream.destroy();
  await until(() => expect(got).toEqual([payload]));
  await watcher.endAsync();
});

test('a DISCONNECT keeps the will from being published, also where the socket goes at once', async () => {
  const watcher = await join({ protocolVersion: 5, clientId: 'watcher' });
  const got: string[] = [];
  watcher.on('message', (_topic, payload) => got.push(payload.toString()));
  await watcher.subscribeAsync('demo/#');
  const client = new RawClient(rig.port);
  client.socket.write(connectBytes({ will: { topic: 'demo/will', payload: 'will' } }));
  await until(() => expect(told()).toHaveLength(2));
  const last = packetBytes({ cmd: 'publish', topic: 'demo/last', payload: 'last', qos: 0, dup: false, retain: false });
  client.socket.end(Buffer.concat([last, Buffer.of(0xe0, 0)]));
  await until(() => expect(told()).toHaveLength(3));
  await watcher.publishAsync('demo/after', 'after');
  await until(() => expect(got).toContain('after'));
  expect(got).toEqual(['last', 'after']);
  await watcher.endAsync();
});

test('a takeover ends the old connection with the broker’s own DISCONNECT, and both ends are told', async () => {
  const old = await join({ protocolVersion: 5, clientId: 'c' });
  const reasons: (number | undefined)[] = [];
  old.on('disconnect', (packet) => reasons.push(packet.reasonCode));
  const next = await join({ protocolVersion: 5, clientId: 'c' });
  await until(() => expect(reasons).toEqual([0x8e]));
  await until(() =>
    expect(
      told()
        .map(([type]) => type)
        .sort(),
    ).toEqual(['door.connected', 'door.connected', 'door.disconnected']),
  );
  await next.endAsync();
  await old.endAsync(true);
});

test('closing the front door ends every connection and has reported each end when it resolves', async () => {
  const clients = await Promise.all(['a', 'b', 'c'].map((clientId) => join({ protocolVersion: 5, clientId })));
  const idle = new RawClient(rig.port);
  await until(() => expect([rig.door.connections(), rig.door.unadmitted()]).toEqual([3, 1]));
  await rig.door.close();
  expect([rig.door.connections(), rig.door.unadmitted()]).toEqual([0, 0]);
  expect(told().filter(([type]) => type === 'door.disconnected')).toHaveLength(3);
  await idle.closed;
  for (const client of clients) await client.endAsync(true);
});
