// A client's DISCONNECT is read strictly, and written anew for the broker: byte by byte, whatever the chunks.

import { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { decodeDisconnect } from '../../frontdoor/disconnect-packet.ts';
import { Relay } from '../../frontdoor/relay.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('of MQTT 5', () => {
  test.each([
    ['nothing', '', 'e000', undefined],
    ['reason code 0', '00', 'e000', undefined],
    ['reason code 0 and no properties', '00 00', 'e000', undefined],
    ['a will that is wanted', '04', 'e002 04 00', undefined],
    ['an expiry', '00 05 11 0000001e', 'e007 00 05 11 0000001e', 30],
    ['a reason string', '00 05 1f 0002 6869', 'e007 00 05 1f 0002 6869', undefined],
    [
      'a user property twice',
      '81 0e 26 0001 61 0001 62 26 0001 61 0001 63',
      'e010 81 0e 26 0001 61 0001 62 26 0001 61 0001 63',
      undefined,
    ],
  ])('%s', (_what, body, written, expiry) => {
    expect(decodeDisconnect(hex(body), 5, 60)).toEqual({
      kind: 'disconnect',
      sessionExpiryInterval: expiry,
      bytes: hex(written),
    });
  });

  test.each([
    ['a reason code of a server', '8e'],
    ['a reason code that there is not', '55'],
    ['a server reference', '00 05 1c 0002 6869'],
    ['a property of another packet', '00 03 21 0001'],
    ['an expiry twice', '00 0a 11 0000001e 11 0000001e'],
    ['a length in more bytes than it needs', '00 8500 11 0000001e'],
    ['bytes behind its properties', '00 00 00'],
    ['properties that end too early', '00 05 11 0000'],
    ['a string that is not UTF-8', '00 04 1f 0001 ff'],
  ])('%s is malformed', (_what, body) => {
    expect(decodeDisconnect(hex(body), 5, 60)).toEqual({ kind: 'malformed' });
  });

  test('an expiry where the CONNECT asked for none is a protocol error [MQTT-3.14.2-2]; 0 again is none', () => {
    expect(decodeDisconnect(hex('00 05 11 0000001e'), 5, 0)).toEqual({ kind: 'malformed' });
    expect(decodeDisconnect(hex('00 05 11 00000000'), 5, 0)).toMatchObject({ kind: 'disconnect' });
  });
});

test.each([3, 4] as const)('of protocol version %i it has no body', (version) => {
  expect(decodeDisconnect(hex(''), version, 0)).toMatchObject({ kind: 'disconnect', bytes: hex('e000') });
  expect(decodeDisconnect(hex('00'), version, 60)).toEqual({ kind: 'malformed' });
});

/** Keeps what is written to it, and ends when it is told to. */
class Sink extends Duplex {
  readonly taken: Buffer[] = [];
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.taken.push(chunk);
    done();
  }
  override _final(done: () => void): void {
    done();
    this.destroy();
  }
}

/** What the broker gets of the client's bytes in such chunks, and how the relay says that it ended. */
async function relay(chunks: readonly Buffer[], protocolVersion: 4 | 5 = 5) {
  const client = new Sink();
  const broker = new Sink();
  const start = { client, broker, protocolVersion, askedExpirySeconds: 600, grantedExpirySeconds: 600 };
  const joined = new Relay(start);
  joined.start([], chunks, true);
  const end = await joined.ended;
  client.destroy();
  return { bytes: Buffer.concat(broker.taken).toString('hex'), end };
}

describe('whatever the chunks', () => {
  const ping = 'c000';
  const publish = '300500016178e0';
  const whole = hex(`${publish} ${ping} e007 00 05 11 0000001e ${ping} e007 00 05 11 00093a80`);
  const wanted = hex(`${publish} ${ping} e007 00 05 11 0000001e`).toString('hex');

  test.each(Array.from({ length: whole.length - 1 }, (_, n) => n + 1))(
    'cut at byte %i, the broker gets what came up to the first DISCONNECT, and nothing behind it',
    async (at) => {
      const { bytes, end } = await relay([whole.subarray(0, at), whole.subarray(at)]);
      expect(bytes).toBe(wanted);
      expect(end).toEqual({ expirySeconds: 600, changedToSeconds: 30 });
    },
  );

  test('byte by byte too', async () => {
    expect((await relay([...whole].map((byte) => Buffer.of(byte)))).bytes).toBe(wanted);
  });

  test.each([
    ['half a DISCONNECT', `${ping} e007 00 05 11 0000`],
    ['a malformed one', `${ping} e007 00 05 21 00000000`],
    ['one with reserved flags', `${ping} e1 00`],
  ])('%s is passed to nobody, and the expiry stands', async (_what, sent) => {
    const { bytes, end } = await relay([...hex(sent)].map((byte) => Buffer.of(byte)));
    expect(bytes).toBe(ping);
    expect(end).toEqual({ expirySeconds: 600 });
  });

  test('of MQTT 3 nothing passes behind it either', async () => {
    expect((await relay([hex(`${ping} e000 ${ping}`)], 4)).bytes).toBe(`${ping}e000`);
  });
});
