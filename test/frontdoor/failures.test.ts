// An admitted CONNECT that never becomes a connection, clients that leave at the wrong moment, reports that fail.

import { once } from 'node:events';
import { connect as dial, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { seconds } from '../../shared/domain/time.ts';
import type { DoorReport } from '../../shared/ports/presence/presence.ts';
import { createGate } from '../support/gate.ts';
import { until } from '../support/until.ts';
import { admit, connectBytes, packetBytes, RawClient, type Rig, type RigOptions, startPeer, startRig } from './rig.ts';

let rig: Rig;
const closeAfterwards: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await rig.close();
  for (const close of closeAfterwards.splice(0)) await close();
});

async function peer(...behave: Parameters<typeof startPeer>) {
  const started = await startPeer(...behave);
  closeAfterwards.push(started.close);
  return started;
}

const types = () => rig.reports.map((report) => report.type);
/** A CONNECT that was sent may come to the broker yet, so only of one that was not is that said. */
const unsent = () => rig.reports.map((report) => 'unsent' in report && report.unsent);
const unavailableV4 = '20020003';

describe('where the broker does not take an admitted client, it is told “unavailable”, and the core that it failed', () => {
  async function answer(options: RigOptions): Promise<string> {
    // With an expiry of 0 the end of the socket is the end of all there was.
    rig = await startRig({ decide: (request) => admit(request, { expirySeconds: seconds(0) }), ...options });
    const client = new RawClient(rig.port);
    client.socket.write(connectBytes({ protocolVersion: 4 }));
    const received = await client.all();
    await until(() => expect(types()).toEqual(['door.failed']));
    return received;
  }

  test('nobody listens there', async () => {
    const gone = await startPeer(() => {});
    await gone.close();
    expect(await answer({ brokerPort: gone.port })).toBe(unavailableV4);
    expect(unsent()).toEqual([true]);
  });
  test('dialling throws', async () => {
    expect(await answer({})).toBe(unavailableV4);
    expect(unsent()).toEqual([true]);
  });
  test('no ticket can be issued', async () => {
    const { port } = await peer(() => {});
    const issueTicket = () => {
      throw new Error('no key');
    };
    expect(await answer({ brokerPort: port, issueTicket })).toBe(unavailableV4);
    expect(unsent()).toEqual([true]);
  });
  test('it closes without a CONNACK', async () => {
    const { port } = await peer((socket) => socket.once('data', () => socket.destroy()));
    expect(await answer({ brokerPort: port })).toBe(unavailableV4);
    expect(unsent()).toEqual([false]);
  });
  test('it says nothing', async () => {
    const { port } = await peer((socket) => socket.resume());
    expect(await answer({ brokerPort: port, brokerTimeoutMs: 30 })).toBe(unavailableV4);
    expect(unsent()).toEqual([false]);
  });
  test.each([
    ['another packet', 'd000'],
    ['half a CONNACK in a whole frame', '200100'],
    ['something that is not MQTT', '485454502f312e31'],
  ])('it answers with %s', async (_name, hex) => {
    const { port } = await peer((socket) => socket.once('data', () => socket.write(Buffer.from(hex, 'hex'))));
    expect(await answer({ brokerPort: port })).toBe(unavailableV4);
  });
  test('a session that the broker may keep is left to the lease: nothing is said of it', async () => {
    const { port } = await peer((socket) => socket.once('data', () => socket.destroy()));
    rig = await startRig({ brokerPort: port, decide: (request) => admit(request, { expirySeconds: seconds(60) }) });
    const client = new RawClient(rig.port);
    client.socket.write(connectBytes({ protocolVersion: 4 }));
    expect(await client.all()).toBe(unavailableV4);
    await rig.door.close();
    expect(types()).toEqual([]);
  });
  test('a stream that is no socket fails', async () => {
    const dialBroker = () => new PassThrough({ write: (_chunk, _encoding, done) => done(new Error('broken')) });
    expect(await answer({ dialBroker, brokerTimeoutMs: 600_000 })).toBe(unavailableV4);
  });
  test('a stream that has ended before it is used', async () => {
    const stream = new PassThrough();
    stream.destroy();
    await once(stream, 'close');
    expect(await answer({ dialBroker: () => stream, brokerTimeoutMs: 600_000 })).toBe(unavailableV4);
  });
});

test('the broker’s own refusal is passed on as it is, and the core is told that it failed', async () => {
  const refusal = packetBytes({
    cmd: 'connack',
    reasonCode: 0x8a,
    sessionPresent: false,
    properties: { reasonString: 'banned' },
  });
  const { port } = await peer((socket) => socket.once('data', () => socket.end(refusal)));
  rig = await startRig({ brokerPort: port });
  const client = new RawClient(rig.port);
  client.socket.write(connectBytes());
  expect(await client.all()).toBe(refusal.toString('hex'));
  await until(() => expect(types()).toEqual(['door.failed']));
});

test('a broker that does not take the ticket of an admitted client makes it unavailable, and not unauthorized (S17)', async () => {
  const refusal = packetBytes({ cmd: 'connack', reasonCode: 0x87, sessionPresent: false });
  const { port } = await peer((socket) => socket.once('data', () => socket.end(refusal)));
  rig = await startRig({ brokerPort: port });
  const client = new RawClient(rig.port);
  client.socket.write(connectBytes());
  const told = await client.all();
  expect([told.slice(0, 2), told.slice(6, 8)]).toEqual(['20', '88']);
  await until(() => expect(types()).toEqual(['door.failed']));
});

test('a CONNACK in pieces, with what follows it, arrives as one stream', async () => {
  const connack = packetBytes({
    cmd: 'connack',
    reasonCode: 0,
    sessionPresent: true,
    properties: { userProperties: { a: '1' } },
  });
  const bytes = Buffer.concat([connack, packetBytes({ cmd: 'pingresp' })]);
  const { port } = await peer((socket) => {
    socket.setNoDelay(true);
    socket.once('data', async () => {
      for (const byte of bytes) {
        await new Promise((resolve) => socket.write(Buffer.of(byte), resolve));
        await new Promise(setImmediate);
      }
      socket.end();
    });
  });
  rig = await startRig({ brokerPort: port });
  const client = new RawClient(rig.port);
  client.socket.write(connectBytes());
  expect(await client.all()).toBe(bytes.toString('hex'));
});

test('a client id that the broker names comes without the deployment’s prefix', async () => {
  const connack = (assignedClientIdentifier: string) =>
    packetBytes({
      cmd: 'connack',
      reasonCode: 0,
      sessionPresent: false,
      properties: { receiveMaximum: 9, assignedClientIdentifier, serverKeepAlive: 5 },
    });
  const { port } = await peer((socket) => socket.once('data', () => socket.end(connack('demo:c1'))));
  rig = await startRig({ brokerPort: port });
  const client = new RawClient(rig.port);
  client.socket.write(connectBytes());
  expect(await client.all()).toBe(connack('c1').toString('hex'));
});

describe('a client that leaves', () => {
  test('while it is being decided never reaches the broker, and is reported as failed', async () => {
    const broker = await peer(() => {});
    let leave = () => {};
    rig = await startRig({
      brokerPort: broker.port,
      decide: async (request) => {
        leave();
        await until(() => expect(rig.door.unadmitted()).toBe(0));
        return admit(request);
      },
    });
    const client = new RawClient(rig.port);
    leave = () => client.socket.resetAndDestroy();
    client.socket.write(connectBytes());
    await until(() => expect(types()).toEqual(['door.failed']));
    expect(unsent()).toEqual([true]);
    expect(broker.sockets.size).toBe(0);
  });

  test('while the broker is asked is told to the broker, and what the session keeps goes on counting', async () => {
    const { opened: gone, open: left } = createGate();
    const ended = vi.fn();
    const broker = await peer((socket) => {
      socket.once('end', ended).once('data', async () => {
        client.socket.resetAndDestroy();
        await gone;
        socket.write(packetBytes({ cmd: 'connack', reasonCode: 0, sessionPresent: false }));
      });
    });
    rig = await startRig({ brokerPort: broker.port });
    const client = new RawClient(rig.port);
    client.socket.write(connectBytes({ properties: { sessionExpiryInterval: 60 } }));
    await until(() => expect(broker.sockets.size).toBe(1));
    await until(() => expect(rig.door.connections()).toBe(0));
    left();
    await until(() => expect(types()).toEqual(['door.connected', 'door.disconnected']));
    expect(rig.reports[1]).toMatchObject({ expirySeconds: 60 });
    expect(ended).toHaveBeenCalledOnce();
  });
});

test('a DISCONNECT that cannot be read is a lost connection to the broker too, so the expiry stands', async () => {
  const atBroker: Buffer[] = [];
  const broker = await peer((socket) => {
    socket.on('data', (chunk) => atBroker.push(chunk));
    socket.once('data', () => socket.write(packetBytes({ cmd: 'connack', reasonCode: 0, sessionPresent: false })));
  });
  rig = await startRig({ brokerPort: broker.port });
  const client = new RawClient(rig.port);
  client.socket.write(connectBytes({ properties: { sessionExpiryInterval: 60 } }));
  await until(() => expect(types()).toEqual(['door.connected']));
  client.socket.write(Buffer.from('e0070005110000001e', 'hex').fill(0x99, 4, 5));
  await until(() => expect(types()).toEqual(['door.connected', 'door.disconnected']));
  expect(rig.reports[1]).toMatchObject({ expirySeconds: 60 });
  expect(atBroker).toHaveLength(1);
});

describe('back-pressure', () => {
  const total = 64_000_000;

  test.each(['broker', 'client'] as const)(
    'a %s that does not read keeps its peer waiting, and loses nothing',
    async (slow) => {
      const atBroker: Socket[] = [];
      const atDoor: Socket[] = [];
      const broker = await peer((socket) => {
        socket.once('data', () => {
          socket.pause();
          atBroker.push(socket);
          socket.write(Buffer.from('20020000', 'hex'));
        });
      });
      rig = await startRig({
        dialBroker: () => {
          const socket = dial({ host: '127.0.0.1', port: broker.port });
          atDoor.push(socket);
          return socket;
        },
      });
      const client = new RawClient(rig.port);
      client.socket.write(connectBytes({ protocolVersion: 4 }));
      await until(() => expect(client.received.toString('hex')).toBe('20020000'));
      client.socket.removeAllListeners('data').pause();

      const [brokerSocket] = atBroker;
      const [doorSocket] = atDoor;
      if (brokerSocket === undefined || doorSocket === undefined) throw new Error('not connected');
      const [from, to] = slow === 'broker' ? [client.socket, brokerSocket] : [brokerSocket, client.socket];
      from.write(Buffer.alloc(total));
      await until(() => expect(slow === 'broker' ? doorSocket.writableNeedDrain : doorSocket.isPaused()).toBe(true));
      expect(doorSocket.writableLength).toBeLessThan(1_000_000);
      let arrived = 0;
      to.on('data', (data) => {
        arrived += data.length;
      });
      to.resume();
      await until(() => expect(arrived).toBe(total));
      client.socket.destroy();
    },
  );
});

describe('reports', () => {
  test('that fail are tried again', async () => {
    const delivered: DoorReport['type'][] = [];
    let failures = 2;
    rig = await startRig({
      report: async ({ type }) => {
        if (failures-- > 0) throw new Error('queue is down');
        delivered.push(type);
      },
    });
    const client = new RawClient(rig.port);
    client.socket.write(connectBytes({ protocolVersion: 4 }));
    await until(() => expect(delivered).toEqual(['door.failed']));
    expect(rig.logged.filter((line) => line.includes('tried again'))).toHaveLength(2);
  });

  test('of one connection wait for each other, and CONNACK 0 waits for the first', async () => {
    const delivered: string[] = [];
    const broker = await peer((socket) => socket.once('data', () => socket.end(Buffer.from('20020000', 'hex'))));
    const { opened: accepted, open: accept } = createGate();
    rig = await startRig({
      brokerPort: broker.port,
      report: async ({ type, clientId }) => {
        if (type === 'door.connected' && clientId === 'waits') await accepted;
        delivered.push(`${type} ${clientId}`);
      },
    });
    const waits = new RawClient(rig.port);
    waits.socket.write(connectBytes({ protocolVersion: 4, clientId: 'waits' }));
    await until(() => expect(rig.requests).toHaveLength(1));
    // Another comes and goes meanwhile, so the door has had the time.
    const other = new RawClient(rig.port);
    other.socket.write(connectBytes({ protocolVersion: 4, clientId: 'other' }));
    expect(await other.all()).toBe('20020000');
    await until(() => expect(delivered).toEqual(['door.connected other', 'door.disconnected other']));
    expect(waits.received).toHaveLength(0);
    accept();
    expect(await waits.all()).toBe('20020000');
    await until(() => expect(delivered.slice(2)).toEqual(['door.connected waits', 'door.disconnected waits']));
  });

  test('that go on failing are given up and logged, and nothing else happens', async () => {
    let tries = 0;
    rig = await startRig({
      report: async () => {
        tries += 1;
        throw new Error('queue is down');
      },
    });
    const client = new RawClient(rig.port);
    client.socket.write(connectBytes({ protocolVersion: 4 }));
    expect(await client.all()).toBe(unavailableV4);
    await until(() => expect(rig.logged.filter((line) => line.includes('is lost'))).toHaveLength(1));
    expect(tries).toBe(3);
  });
});
