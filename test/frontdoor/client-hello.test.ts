// The server name of a raw ClientHello: read from any pieces, bounded, and nothing makes it throw.

import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as dialTls } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { awaitClientHello, ClientHelloReader, maxHelloBytes } from '../../frontdoor/client-hello.ts';

const readClientHello = (bytes: Buffer) => new ClientHelloReader().read(bytes);

const uint16 = (value: number) => Buffer.of(value >> 8, value & 0xff);
const sized16 = (...parts: Uint8Array[]) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([uint16(body.length), body]);
};
const extension = (type: number, body: Uint8Array) => Buffer.concat([uint16(type), sized16(body)]);
const serverName = (name: Uint8Array | string, type = 0) =>
  extension(0, sized16(Buffer.concat([Buffer.of(type), sized16(Buffer.from(name))])));

function message(extensions: readonly Uint8Array[] | undefined, type = 1): Buffer {
  const body = Buffer.concat([
    Buffer.of(3, 3),
    Buffer.alloc(32, 7),
    Buffer.of(32),
    Buffer.alloc(32, 8),
    sized16(Buffer.of(0x13, 1, 0x13, 2)),
    Buffer.of(1, 0),
    ...(extensions === undefined ? [] : [sized16(...extensions)]),
  ]);
  return Buffer.concat([Buffer.of(type, body.length >> 16), uint16(body.length & 0xffff), body]);
}

/** `fragmentBytes`: the longest part of the message in one record. */
function records(bytes: Buffer, fragmentBytes = 16_384): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += fragmentBytes)
    parts.push(Buffer.of(22, 3, 1), sized16(bytes.subarray(at, at + fragmentBytes)));
  return Buffer.concat(parts);
}

const padding = (length: number) => extension(21, Buffer.alloc(length));
const hello = (name: string) => records(message([padding(9), serverName(name), extension(43, Buffer.of(2, 3, 4))]));

async function helloOfNode(options: object): Promise<Buffer> {
  const written: Buffer[] = [];
  const wire = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk);
      done();
    },
  });
  const client = dialTls({ socket: wire, ...options });
  client.on('error', () => {});
  await new Promise(setImmediate);
  while (written.length === 0) await new Promise(setImmediate);
  client.destroy();
  return Buffer.concat(written);
}

/** A socket as `awaitClientHello` uses one, that remembers how much it was asked to hold. */
function fakeSocket() {
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done(), allowHalfOpen: true });
  return socket as Duplex & Socket;
}

interface Heard {
  readonly told: (string | undefined)[];
  readonly destroyed: boolean;
  readonly putBack: Buffer;
}

/** Emits the pieces as a socket would, and what follows them reaches TLS. */
function hear(pieces: readonly Buffer[]): Heard {
  const socket = fakeSocket();
  const told: (string | undefined)[] = [];
  const putBack: Buffer[] = [];
  socket.unshift = (chunk: Buffer) => void putBack.push(chunk);
  awaitClientHello(socket, (name) => void told.push(name));
  for (const piece of pieces) if (!socket.destroyed && told.length === 0) socket.emit('data', piece);
  const { destroyed } = socket;
  socket.destroy();
  return { told, destroyed, putBack: Buffer.concat(putBack) };
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const borders = [...new Set(at.map((each) => each % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...borders].map((from, n) => bytes.subarray(from, borders[n] ?? bytes.length)).filter((p) => p.length > 0);
}

test.each([
  [
    'TLS 1.2',
    { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', servername: 'Demo.MQTT.localhost' },
    'demo.mqtt.localhost',
  ],
  ['TLS 1.3', { minVersion: 'TLSv1.3', servername: 'demo.mqtt.localhost' }, 'demo.mqtt.localhost'],
  ['either, with ALPN', { servername: 'a.b', ALPNProtocols: ['mqtt'] }, 'a.b'],
  ['either, without a name', { servername: '' }, undefined],
])('the name of a real client is read: %s', async (_name, options, name) => {
  expect(readClientHello(await helloOfNode(options))).toEqual({ kind: 'hello', serverName: name });
});

describe('pieces', () => {
  test('a ClientHello is read from any pieces of TCP and any records, and every byte is put back once', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z0-9.-]{1,255}$/),
        fc.integer({ min: 1, max: 600 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        fc.uint8Array({ maxLength: 50 }),
        (name, fragmentBytes, borders, rest) => {
          const bytes = Buffer.concat([records(message([padding(200), serverName(name)]), fragmentBytes), rest]);
          const heard = hear(cut(bytes, borders));
          expect(heard.told).toEqual([name]);
          expect(bytes.subarray(0, heard.putBack.length).equals(heard.putBack)).toBe(true);
          expect(heard.putBack.length).toBeGreaterThanOrEqual(bytes.length - rest.length);
        },
      ),
    );
  });

  test('one byte at a time, each message byte in a record of its own', () => {
    const bytes = records(message([serverName('slow.mqtt.localhost')]), 1);
    const heard = hear([...bytes].map((byte) => Buffer.of(byte)));
    expect(heard).toEqual({ told: ['slow.mqtt.localhost'], destroyed: false, putBack: bytes });
  });

  test('a ClientHello that is cut short waits, and is never a name', () => {
    const bytes = records(message([serverName('cut.mqtt.localhost')]), 37);
    for (let length = 0; length < bytes.length; length += 1) {
      const read = readClientHello(bytes.subarray(0, length));
      expect(read.kind).toBe('more');
      if (read.kind === 'more') expect(read.neededBytes).toBeGreaterThan(length);
      expect(hear([bytes.subarray(0, length)]).told).toEqual([]);
    }
  });

  test('an end before the whole ClientHello destroys the socket', async () => {
    const socket = fakeSocket();
    const told: unknown[] = [];
    awaitClientHello(socket, (name) => void told.push(name));
    socket.push(hello('x.y').subarray(0, 60));
    socket.push(null);
    await new Promise((resolve) => socket.once('close', resolve));
    expect(told).toEqual([]);
  });
});

describe('what is not one', () => {
  const nameTwice = message([serverName('a.b'), serverName('c.d')]);
  const twoNames = extension(
    0,
    sized16(Buffer.of(0), sized16(Buffer.from('a.b')), Buffer.of(0), sized16(Buffer.from('c.d'))),
  );
  test.each<[string, Buffer]>([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['MQTT', Buffer.of(0x10, 13, 0, 4, 0x4d)],
    ['an alert', Buffer.of(21, 3, 1, 0, 2, 1, 0)],
    ['a ClientHello of SSL 2', Buffer.of(0x80, 0x2e, 1, 3, 1)],
    ['a record of another version', Buffer.of(22, 2, 0, 0, 5, 1)],
    ['an empty record', Buffer.of(22, 3, 1, 0, 0)],
    ['a record longer than TLS allows', Buffer.of(22, 3, 1, 0x40, 1)],
    ['another handshake message', records(message([], 2))],
    ['an alert between two parts of it', Buffer.concat([records(message([]).subarray(0, 20)), Buffer.of(21)])],
    ['a claim of 16 MB', Buffer.of(22, 3, 1, 0, 99, 1, 0xff, 0xff, 0xff)],
    ['one longer than the bound', records(message([padding(maxHelloBytes)]))],
    ['one within the bound whose records are not', records(message([padding(3_000)]), 1)],
    ['two server name extensions', records(nameTwice)],
    ['two server names', records(message([twoNames]))],
    ['a server name of another type', records(message([serverName('a.b', 1)]))],
    ['an empty server name', records(message([serverName('')]))],
    ['a server name with U+0000', records(message([serverName('a\u0000b')]))],
    ['a server name of 256 bytes', records(message([serverName('a'.repeat(256))]))],
    ['an extension that ends outside', records(message([Buffer.of(0, 0, 0, 9)]))],
    [
      'bytes behind the extensions',
      (() => {
        const bytes = message([serverName('a.b')]);
        const longer = Buffer.concat([bytes, Buffer.of(0)]);
        longer.writeUInt16BE(longer.length - 4, 2);
        return records(longer);
      })(),
    ],
  ])('%s is told apart and destroyed, in one piece and in many', (_name, bytes) => {
    const whole = hear([bytes]);
    const inBytes = hear([...bytes].map((byte) => Buffer.of(byte)));
    expect([whole.told, whole.destroyed]).toEqual([[], true]);
    expect([inBytes.told, inBytes.destroyed]).toEqual([[], true]);
  });

  test('no bytes at all make it throw, and no pieces change what it says', () => {
    const original = records(message([padding(30), serverName('demo.mqtt.localhost')]), 90);
    const changed = fc
      .tuple(fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { maxLength: 4 }), fc.nat(original.length))
      .map(([edits, length]) => {
        const bytes = Buffer.from(original);
        for (const [at, value] of edits) bytes.writeUInt8(value, at);
        return bytes.subarray(0, length);
      });
    const random = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes));
    const headed = random.map((bytes) => records(Buffer.concat([Buffer.of(1), bytes]), 50));
    fc.assert(
      fc.property(fc.oneof(changed, random, headed), fc.array(fc.nat(), { maxLength: 10 }), (bytes, borders) => {
        const whole = hear([bytes]);
        const { told, destroyed } = hear(cut(bytes, borders));
        expect([told, destroyed]).toEqual([whole.told, whole.destroyed]);
      }),
      { numRuns: 2_000 },
    );
  });

  test('before its decision it waits for no more than the bound, whatever comes', () => {
    const endless = fc
      .integer({ min: 1, max: 3_000 })
      .map((fragmentBytes) => records(message([padding(65_000)]), fragmentBytes));
    const hostile = fc.oneof(
      endless,
      fc.uint8Array({ maxLength: 2_000 }).map((bytes) => records(Buffer.from(bytes), 3)),
    );
    fc.assert(
      fc.property(hostile, fc.nat(70_000), (bytes, length) => {
        const read = readClientHello(bytes.subarray(0, length));
        if (read.kind === 'more') {
          expect(read.neededBytes).toBeLessThanOrEqual(maxHelloBytes);
          expect(Math.min(length, bytes.length)).toBeLessThan(maxHelloBytes);
        }
      }),
    );
  });
});
