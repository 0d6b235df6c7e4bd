import { connect as dial } from 'node:net';
import { generate } from 'mqtt-packet';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { seededRandom } from '../../local/faults.ts';
import type { BrokerClientId } from '../../shared/domain/ids.ts';
import { createGate } from '../support/gate.ts';
import { until } from '../support/until.ts';
import {
  allowAllBut,
  allowDemo,
  type Bench,
  type PresenceEvent,
  startBench,
  untilClosed,
  versions,
} from './broker-bench.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(() => bench.close());

const id = 'demo:c1';

async function untilEvents(count: number): Promise<PresenceEvent[]> {
  await until(() => expect(bench.events).toHaveLength(count));
  return bench.events;
}

describe.each(versions)('presence of MQTT version %i', (version) => {
  test('has the fields that IoT Core sends, and one pair for both ends of a connection', async () => {
    const client = await bench.connect(version, id);
    const timestamp = bench.time.clock.now();
    bench.time.advance(10_000);
    await client.endAsync();
    const [connected, disconnected] = await untilEvents(2);
    // Nothing of the connection is left waiting.
    expect(bench.time.pending()).toBe(0);
    const shared = {
      clientId: id,
      principalIdentifier: 'p1',
      versionNumber: 0,
      sessionIdentifier: connected?.sessionIdentifier,
    };
    expect(connected).toEqual({
      ...shared,
      timestamp,
      eventType: 'connected',
      ipAddress: '127.0.0.1',
      sessionIdentifier: expect.any(String),
    });
    expect(disconnected).toEqual({
      ...shared,
      timestamp: timestamp + 10_000,
      eventType: 'disconnected',
      clientInitiatedDisconnect: true,
      disconnectReason: 'CLIENT_INITIATED_DISCONNECT',
    });
  });

  test('a socket that ends without DISCONNECT is a lost connection', async () => {
    const client = await bench.connect(version, id);
    client.stream.destroy();
    expect((await untilEvents(2))[1]).toMatchObject({
      disconnectReason: 'CONNECTION_LOST',
      clientInitiatedDisconnect: false,
    });
  });

  test('a client that keeps silent for 1.5 times its keep-alive is cut', async () => {
    const socket = dial(bench.broker.port, '127.0.0.1');
    const protocolId = version === 3 ? 'MQIsdp' : 'MQTT';
    socket.write(
      generate({
        cmd: 'connect',
        protocolId,
        protocolVersion: version,
        clientId: id,
        clean: true,
        keepalive: 1,
      }),
    );
    await until(() => expect(bench.events[1]).toMatchObject({ disconnectReason: 'MQTT_KEEP_ALIVE_TIMEOUT' }));
    socket.destroy();
  });

  test('what is no MQTT is an error of the client', async () => {
    const client = await bench.connect(version, id);
    client.stream.write(Buffer.from([0xff, 0x00]));
    expect((await untilEvents(2))[1]).toMatchObject({ disconnectReason: 'CLIENT_ERROR' });
  });

  test('the same client id again closes the old connection first, with the next version', async () => {
    const first = await bench.connect(version, id);
    const reason = new Promise((resolve) => first.once('disconnect', ({ reasonCode }) => resolve(reasonCode)));
    const closed = untilClosed(first);
    await bench.connect(version, id);
    await closed;
    if (version === 5) expect(await reason).toBe(0x8e);
    const [connected, disconnected, again] = await untilEvents(3);
    expect(disconnected).toMatchObject({
      eventType: 'disconnected',
      disconnectReason: 'DUPLICATE_CLIENTID',
      sessionIdentifier: connected?.sessionIdentifier,
      versionNumber: connected?.versionNumber,
    });
    expect(again).toMatchObject({ eventType: 'connected', versionNumber: 1 });
  });

  test('20 connections of one client id at once leave one, and every other had its end', async () => {
    let waiting = 0;
    const { opened: gate, open } = createGate();
    // All are authorized in the same moment, so that none is done before the next one begins.
    const own = await startBench({
      async authorize(event) {
        waiting += 1;
        if (waiting === 20) open();
        await gate;
        return allowDemo(event);
      },
    });
    const { connect, broker, events } = own;
    const clients = await Promise.all(Array.from({ length: 20 }, () => connect(version, id).catch(() => undefined)));
    await until(() => expect(clients.filter((client) => client?.connected)).toHaveLength(1));
    const ends = events.filter((event) => event.eventType === 'disconnected');
    expect(ends.map((event) => event.disconnectReason)).toEqual(Array(19).fill('DUPLICATE_CLIENTID'));
    expect(events.map((event) => event.versionNumber)).toEqual([
      0,
      ...Array.from({ length: 19 }, (_, n) => [n, n + 1]).flat(),
    ]);
    expect(await broker.getConnection(id as BrokerClientId)).toMatchObject({ kind: 'connected' });
    await own.close();
  });

  test('a kick is told as API_INITIATED_DISCONNECT', async () => {
    const client = await bench.connect(version, id);
    const closed = untilClosed(client);
    await bench.broker.deleteConnection(id as BrokerClientId, { cleanSession: false });
    await closed;
    expect((await untilEvents(2))[1]).toMatchObject({ disconnectReason: 'API_INITIATED_DISCONNECT' });
  });

  test('a connection is cut when the authorizer said, and not before', async () => {
    const client = await bench.connect(version, id);
    bench.time.advance(86_399_000);
    expect(await bench.broker.getConnection(id as BrokerClientId)).toMatchObject({ kind: 'connected' });
    const closed = untilClosed(client);
    bench.time.advance(1_000);
    await closed;
    expect((await untilEvents(2))[1]).toMatchObject({ disconnectReason: 'CUSTOMAUTH_TTL_EXPIRATION' });
  });

  test('the versions of a client id start again after an hour without it', async () => {
    for (const pause of [0, 3_599_000, 3_600_000]) {
      bench.time.advance(pause);
      const client = await bench.connect(version, id);
      await client.endAsync();
      await until(() => expect(bench.events.at(-1)).toMatchObject({ eventType: 'disconnected' }));
    }
    const connected = bench.events.filter((event) => event.eventType === 'connected');
    expect(connected.map((event) => event.versionNumber)).toEqual([0, 1, 0]);
  });
});

test.each(['demo:a#b', 'demo:a+b'])('there is no presence of %s', async (clientId) => {
  const client = await bench.connect(5, clientId);
  await client.endAsync();
  const other = await bench.connect(5, id);
  await other.endAsync();
  await until(() => expect(bench.events.at(-1)).toMatchObject({ eventType: 'disconnected' }));
  expect(bench.events.map((event) => event.clientId)).toEqual([id, id]);
});

test('a CONNECT that is refused leaves the connection that has its client id', async () => {
  let calls = 0;
  const other = await startBench({
    async authorize(event) {
      calls += 1;
      return calls === 1 ? allowDemo(event) : { isAuthenticated: false };
    },
  });
  try {
    const first = await other.connect(5, id);
    await expect(other.connect(5, id)).rejects.toMatchObject({ code: 0x87 });
    expect(await other.broker.getConnection(id as BrokerClientId)).toMatchObject({ kind: 'connected' });
    expect(first.connected).toBe(true);
  } finally {
    await other.close();
  }
});

test('a client that gives up before it is answered leaves the connection that has its client id', async () => {
  let waiting = 0;
  const { opened: gate, open } = createGate();
  const own = await startBench({
    async authorize(event) {
      waiting += 1;
      if (waiting === 2) await gate;
      return allowDemo(event);
    },
  });
  try {
    const first = await own.connect(5, id);
    const impatient = dial(own.broker.port, '127.0.0.1');
    impatient.write(generate({ cmd: 'connect', protocolVersion: 5, clientId: id, clean: true, keepalive: 0 }));
    await until(() => expect(waiting).toBe(2));
    impatient.end();
    await new Promise((resolve) => impatient.once('close', resolve).resume());
    open();
    // A whole round of another client later all of it is over.
    await (await own.connect(5, 'demo:other')).subscribeAsync('demo/a');
    expect(first.connected).toBe(true);
    expect(own.events.map((event) => [event.clientId, event.eventType])).toEqual([
      [id, 'connected'],
      ['demo:other', 'connected'],
    ]);
  } finally {
    await own.close();
  }
});

test('a connection that does not read is taken over all the same', async () => {
  const frozen = dial(bench.broker.port, '127.0.0.1');
  frozen.write(generate({ cmd: 'connect', protocolVersion: 5, clientId: id, clean: true, keepalive: 0 }));
  const subscriptions = [{ topic: 'demo/#', qos: 0 as const, nl: false, rap: false, rh: 0 }];
  frozen.write(generate({ cmd: 'subscribe', messageId: 1, subscriptions }, { protocolVersion: 5 }));
  // The answers to both are there: from here on nothing is read.
  const connackAndSuback = 5 + 6;
  await until(() => expect(frozen.bytesRead).toBe(connackAndSuback));
  frozen.pause();
  const sender = await bench.connect(5, 'demo:sender');
  const payload = Buffer.alloc(1_000_000);
  for (let n = 0; n < 20; n += 1) await sender.publishAsync('demo/a', payload, { qos: 1 });
  await bench.connect(5, id);
  const ends = bench.events.filter((event) => event.clientId === id);
  expect(ends).toMatchObject([
    {},
    { disconnectReason: 'DUPLICATE_CLIENTID' },
    { eventType: 'connected', versionNumber: 1 },
  ]);
  frozen.destroy();
});

test('closing the broker tells the end of every connection', async () => {
  const own = await startBench();
  await own.connect(4, 'demo:a');
  await own.connect(5, 'demo:b');
  await own.close();
  const ends = own.events.filter((event) => event.disconnectReason !== undefined);
  expect(ends.map((event) => event.disconnectReason)).toEqual([
    'SERVER_INITIATED_DISCONNECT',
    'SERVER_INITIATED_DISCONNECT',
  ]);
});

test('faults are what was asked for: each event twice, and late', async () => {
  const faults = { random: seededRandom(7), duplicate: 1, delayMs: [100, 200] as const };
  const own = await startBench({ faults });
  try {
    await own.connect(5, id);
    expect(own.events).toEqual([]);
    own.time.advance(200);
    expect(own.events).toMatchObject([{ eventType: 'connected' }, { eventType: 'connected' }]);
  } finally {
    await own.close();
  }
});

test('a topic of everything but its own deployment is refused by an explicit Deny also where all is allowed', async () => {
  const own = await startBench({ authorize: async () => allowAllBut('secret/*') });
  try {
    const client = await own.connect(5, id);
    await expect(client.subscribeAsync('secret/a')).rejects.toMatchObject({ packet: { granted: [0x87] } });
    await expect(client.subscribeAsync('open/a')).resolves.toMatchObject([{ qos: 0 }]);
  } finally {
    await own.close();
  }
});
