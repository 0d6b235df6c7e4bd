// What is not MQTT, not UTF-8, malformed, or not a whole CONNECT in time is closed without effect (S8).
import { afterEach, expect, test } from 'vitest';
import { createGate } from '../support/gate.ts';
import { connectBytes, packetBytes, RawClient, type Rig, reject, startRig } from './rig.ts';

let rig: Rig;
afterEach(() => rig.close());

const badUtf8 = (() => {
  const bytes = connectBytes({ clientId: 'xyz' });
  bytes.writeUInt8(0xff, bytes.indexOf('xyz'));
  return bytes;
})();

/** As a client would write it that checks nothing. */
function willTo(topic: string): { topic: string; payload: Buffer } {
  return { topic, payload: Buffer.from('gone') };
}

test.each([
  ['another packet first', packetBytes({ cmd: 'pingreq' })],
  ['a PUBLISH first', packetBytes({ cmd: 'publish', topic: 't', payload: 'p', qos: 0, dup: false, retain: false })],
  ['CONNECT with flags in its first byte', Buffer.concat([Buffer.of(0x11), connectBytes().subarray(1)])],
  ['a remaining length of five bytes', Buffer.of(0x10, 0xff, 0xff, 0xff, 0xff, 0x01)],
  ['a CONNECT longer than the bound', Buffer.of(0x10, 0x81, 0x80, 0x08)],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
  ['TLS on the plain port', Buffer.from('160301020001000101', 'hex')],
  ['a client id that is not UTF-8', badUtf8],
  [
    'an empty will topic in MQTT 3.1',
    Buffer.from('1014 0006 4d5149736470 03 06 003c 0001 63 0000 0001 78'.replaceAll(' ', ''), 'hex'),
  ],
  ['a will topic with a wildcard in MQTT 3.1.1', connectBytes({ protocolVersion: 4, will: willTo('a/#') })],
  ['a will topic with a wildcard in MQTT 5', connectBytes({ protocolVersion: 5, will: willTo('+/a') })],
  ['a CONNECT cut short inside itself', Buffer.of(0x10, 0x02, 0x00, 0x04)],
])('%s', async (_name, bytes) => {
  // Were it only the timeout that closes, this test would run into its own.
  rig = await startRig({ connectTimeoutMs: 600_000 });
  const client = new RawClient(rig.port);
  client.socket.write(bytes);
  expect(await client.all()).toBe('');
  expect(rig.requests).toEqual([]);
  expect(rig.reports).toEqual([]);
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['half a CONNECT', connectBytes().subarray(0, 20)],
  ['half a fixed header', Buffer.of(0x10)],
])('%s, and then silence', async (_name, bytes) => {
  rig = await startRig({ connectTimeoutMs: 50 });
  const client = new RawClient(rig.port);
  client.socket.write(bytes);
  expect(await client.all()).toBe('');
  expect(rig.requests).toEqual([]);
});

test('half a CONNECT, and then the end', async () => {
  rig = await startRig({ connectTimeoutMs: 600_000 });
  const client = new RawClient(rig.port, true);
  client.socket.end(connectBytes().subarray(0, 20));
  expect(await client.all()).toBe('');
  expect(rig.requests).toEqual([]);
});

test('the time for a CONNECT is not prolonged by sending it slowly, and does not run on after it', async () => {
  const { opened: waiting, open: decided } = createGate();
  rig = await startRig({
    connectTimeoutMs: 300,
    decide: async () => {
      await waiting;
      return reject('bad_credentials');
    },
  });
  const quick = new RawClient(rig.port);
  quick.socket.write(connectBytes({ protocolVersion: 4 }));
  const slow = new RawClient(rig.port);
  const bytes = connectBytes({ will: { topic: 'w', payload: Buffer.alloc(60_000) } });
  let sent = 0;
  const dripping = setInterval(() => slow.socket.write(bytes.subarray(sent, ++sent)), 5);
  // The slow one came later; once it has been closed, the time of the quick one is over too.
  expect(await slow.all()).toBe('');
  clearInterval(dripping);
  decided();
  expect(await quick.all()).toBe('20020004');
  expect(rig.requests).toHaveLength(1);
});

test('a CONNECT that comes byte by byte is a CONNECT', async () => {
  rig = await startRig({ decide: () => reject('quota_exceeded') });
  const client = new RawClient(rig.port);
  for (const byte of connectBytes({ protocolVersion: 4, clientId: 'slow' })) {
    await new Promise((resolve) => client.socket.write(Buffer.of(byte), resolve));
    await new Promise(setImmediate);
  }
  expect(await client.all()).toBe('20020003');
  expect(rig.requests[0]?.clientId).toBe('slow');
});

test('a CONNECT with the longest will, and long names, is inside the bound', async () => {
  rig = await startRig({ decide: () => reject('quota_exceeded') });
  const client = new RawClient(rig.port);
  const will = { topic: 'w', payload: Buffer.alloc(65_535, 7) };
  client.socket.write(connectBytes({ protocolVersion: 4, will, password: Buffer.alloc(60_000, 8) }));
  expect(await client.all()).toBe('20020003');
});

test('no user name, and an empty one, are handed on as such: they are bad credentials (S7)', async () => {
  rig = await startRig({ decide: () => reject('bad_credentials') });
  const absent = new RawClient(rig.port);
  absent.socket.write(Buffer.from([0x10, 13, 0, 4, ...Buffer.from('MQTT'), 4, 2, 0, 60, 0, 1, 0x63]));
  expect(await absent.all()).toBe('20020004');
  const empty = new RawClient(rig.port);
  empty.socket.write(connectBytes({ protocolVersion: 4, username: '?deployment=other' }));
  expect(await empty.all()).toBe('20020004');
  expect(rig.requests.map(({ username, deploymentId }) => [username, deploymentId])).toEqual([
    [undefined, 'demo'],
    ['', 'other'],
  ]);
});
