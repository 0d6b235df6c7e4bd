// What is not a well-behaved client: nothing hangs, nothing crashes, nothing leaks a count (S8).

import { generate } from 'mqtt-packet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildConnect, dialRaw, join, refusalOf } from '../support/mqtt.ts';
import { eventually, type Rig, startRig } from '../support/product.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
  await rig.limit(1);
});
afterAll(() => rig.stop());

async function expectNobody(): Promise<void> {
  await eventually(async () => (await rig.used('alice')) === 0, 'nobody is counted');
}

test('half a CONNECT is closed within 10 s and counts nothing', async () => {
  const client = await dialRaw(rig.product);
  const connect = buildConnect({ version: 5, clientId: 'half' });
  client.socket.write(connect.subarray(0, connect.length - 3));
  expect((await client.closed()).length).toBe(0);
  await expectNobody();
}, 20_000);

test('a CONNECT that comes byte by byte is a CONNECT', async () => {
  const client = await dialRaw(rig.product);
  client.socket.setNoDelay(true);
  for (const byte of buildConnect({ version: 4, clientId: 'bytes' })) client.socket.write(Buffer.from([byte]));
  expect((await client.bytes(4)).toString('hex')).toBe('20020000');
  expect(await rig.used('alice')).toBe(1);
  client.socket.end(generate({ cmd: 'disconnect' }));
  await expectNobody();
});

test.each([
  ['a first packet that is no CONNECT', generate({ cmd: 'pingreq' })],
  ['what is not MQTT', Buffer.from('GET / HTTP/1.1\r\nHost: demo\r\n\r\n')],
  ['a CONNECT that says to be of 200 MB', Buffer.from([0x10, 0xff, 0xff, 0xff, 0x5f, 0, 4])],
  ['a length that never ends', Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0xff])],
])('%s is closed without an answer', async (_what, bytes) => {
  const client = await dialRaw(rig.product);
  client.socket.write(bytes);
  expect((await client.closed()).length).toBe(0);
  await expectNobody();
});

test('an unknown protocol version is told so', async () => {
  const client = await dialRaw(rig.product);
  const connect = buildConnect({ version: 4, clientId: 'future' });
  connect[8] = 9;
  client.socket.write(connect);
  const answer = await client.closed();
  expect(answer[0]).toBe(0x20);
  expect([0x01, 0x84]).toContain(answer[3]);
  await expectNobody();
});

test('SUBSCRIBE and PUBLISH behind CONNECT in one write reach the broker in order', async () => {
  const client = await dialRaw(rig.product);
  client.socket.write(
    Buffer.concat([
      buildConnect({ version: 4, clientId: 'eager' }),
      generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'demo/eager', qos: 0 }] }),
      generate({ cmd: 'publish', topic: 'demo/eager', payload: 'hello', qos: 0, dup: false, retain: false }),
    ]),
  );
  const expected = Buffer.concat([
    Buffer.from('20020000', 'hex'),
    Buffer.from('9003000100', 'hex'),
    generate({ cmd: 'publish', topic: 'demo/eager', payload: 'hello', qos: 0, dup: false, retain: false }),
  ]);
  expect((await client.bytes(expected.length)).toString('hex')).toBe(expected.toString('hex'));
  client.socket.destroy();
  await expectNobody();
});

test('pipelined packets behind a CONNECT that is refused reach nobody', async () => {
  const holder = await join(rig.product, { version: 5, clientId: 'holder' });
  const client = await dialRaw(rig.product);
  client.socket.write(
    Buffer.concat([
      buildConnect({ version: 4, clientId: 'late' }),
      generate({ cmd: 'publish', topic: 'demo/late', payload: 'x'.repeat(50_000), qos: 0, dup: false, retain: false }),
    ]),
  );
  expect((await client.closed()).toString('hex')).toBe('20020003');
  await holder.endAsync();
  await expectNobody();
});

test('clients that leave while they are being decided leave no count', async () => {
  await Promise.all(
    Array.from({ length: 40 }, async (_, n) => {
      const client = await dialRaw(rig.product, n % 2 === 0 ? 'tcp' : 'tls');
      client.socket.write(buildConnect({ version: n % 3 === 0 ? 5 : 4, clientId: `gone${n}` }), () =>
        client.socket.destroy(),
      );
      await client.closed();
    }),
  );
  // Some of them are decided only now, and counted until their end has been told: then the place is free for good.
  await eventually(async () => {
    const after = await join(rig.product, { version: 5, clientId: 'after' }).catch(() => undefined);
    await after?.endAsync();
    return after !== undefined;
  }, 'none of those who left holds the place');
  await expectNobody();
});

test('CONNECTs of one client id, all at once: each is let in and takes over from the one before, and one is counted', async () => {
  const connect = buildConnect({ version: 4, clientId: 'again' });
  const clients = await Promise.all(Array.from({ length: 50 }, () => dialRaw(rig.product)));
  for (const { socket } of clients) socket.write(connect);
  const told = await Promise.all(clients.map((client) => client.bytes(4)));
  expect(new Set(told.map((bytes) => bytes.toString('hex')))).toEqual(new Set(['20020000']));
  expect(await rig.used('alice')).toBe(1);
  for (const { socket } of clients) socket.destroy();
  await expectNobody();
});

test.each([
  ['bad password', { password: 'wrong' }],
  ['unknown username', { username: 'nobody' }],
  ['no user name', { username: '' }],
  ['unknown deployment by suffix', { username: 'alice?deployment=nowhere' }],
  ['a deployment id that cannot be one', { username: 'alice?deployment=../etc' }],
])('%s: bad user name or password, and nothing moves', async (_what, spec) => {
  const base = { clientId: 'stranger', ...spec };
  expect(await refusalOf(join(rig.product, { version: 5, ...base }))).toBe(0x86);
  expect(await refusalOf(join(rig.product, { version: 4, ...base }))).toBe(0x04);
  await expectNobody();
});

test('an unknown TLS server name completes the handshake and gets the same answer', async () => {
  const spec = { version: 5, transport: 'tls', clientId: 'sni', serverName: 'nowhere.mqtt.localhost' } as const;
  expect(await refusalOf(join(rig.product, spec))).toBe(0x86);
});

test.each(['', '$aws', 'a#b', 'a+b', 'a*b', 'a?b', 'a${b', 'a\u0007b', 'x'.repeat(124)])(
  'client id %j is refused as not valid',
  async (clientId) => {
    const v5 = await dialRaw(rig.product);
    v5.socket.write(buildConnect({ version: 5, clientId }));
    expect((await v5.closed())[3]).toBe(0x85);
    const v4 = await dialRaw(rig.product);
    v4.socket.write(buildConnect({ version: 4, clientId }));
    expect((await v4.closed()).toString('hex')).toBe('20020002');
    await expectNobody();
  },
);

test('topics of another deployment are out of reach (S20)', async () => {
  const client = await join(rig.product, { version: 5, clientId: 'topics' });
  await expect(client.subscribeAsync('demo/#')).resolves.toBeDefined();
  await expect(client.subscribeAsync('$share/group/demo/x')).resolves.toBeDefined();
  for (const filter of ['#', 'other/#', '+/x', '$share/group/other/x', '$share/group/other/demo/x', '$SYS/#']) {
    await expect(client.subscribeAsync(filter), filter).rejects.toThrow();
  }
  await client.endAsync();
  await expectNobody();
});
