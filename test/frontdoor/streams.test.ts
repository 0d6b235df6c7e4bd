// The parts of the front door on streams whose every step the test decides, for moments that sockets do not give.
import { Duplex } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { askBroker } from '../../frontdoor/ask-broker.ts';
import { hintsOf } from '../../frontdoor/connect-hints.ts';
import { decodeConnect } from '../../frontdoor/connect-packet.ts';
import { Intake } from '../../frontdoor/intake.ts';
import { Relay } from '../../frontdoor/relay.ts';
import { until } from '../support/until.ts';
import { connectBytes } from './rig.ts';

/** Takes no bytes until it is told to. */
class SlowStream extends Duplex {
  readonly taken: string[] = [];
  #slow: (() => void) | undefined;
  #ready = false;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const take = () => {
      this.taken.push(chunk.toString());
      done();
    };
    if (this.#ready) take();
    else this.#slow = take;
  }

  override _final(done: () => void): void {
    this.taken.push('the end');
    done();
  }

  takeAll(): void {
    this.#ready = true;
    this.#slow?.();
  }
}

describe('a relay ends both streams so that what was written arrives', () => {
  test.each(['client', 'broker'] as const)('where the %s ends first', async (first) => {
    const client = new SlowStream();
    const broker = new SlowStream();
    const ended = vi.fn();
    const relay = new Relay({ client, broker, protocolVersion: 4, askedExpirySeconds: 0, grantedExpirySeconds: 0 });
    void relay.ended.then(ended);
    relay.start([Buffer.from('x')], [Buffer.from('y')], false);
    client.push('to the broker');
    broker.push('to the client');
    await until(() => expect([client.writableLength, broker.writableLength]).toEqual([14, 14]));
    (first === 'client' ? client : broker).push(null);
    await until(() => expect([client.writableEnded, broker.writableEnded]).toEqual([true, true]));
    expect(ended).not.toHaveBeenCalled();
    client.takeAll();
    broker.takeAll();
    await until(() => expect(ended).toHaveBeenCalledOnce());
    expect(client.taken).toEqual(['x', 'to the client', 'the end']);
    expect(broker.taken).toEqual(['y', 'to the broker', 'the end']);
  });

  test('where the broker’s stream had closed before it began', async () => {
    const client = new SlowStream();
    const broker = new SlowStream();
    broker.destroy();
    await until(() => expect(broker.closed).toBe(true));
    const relay = new Relay({ client, broker, protocolVersion: 5, askedExpirySeconds: 60, grantedExpirySeconds: 50 });
    relay.start([Buffer.from('x')], [], false);
    expect(await relay.ended).toEqual({ expirySeconds: 50 });
    await until(() => expect(client.writableEnded).toBe(true));
    client.destroy();
  });
});

test('behind a CONNECT, 64 KiB are held, and then the client waits', async () => {
  const client = new SlowStream();
  const intake = new Intake(client, 1_000);
  const connect = intake.connect();
  client.push(Buffer.concat([connectBytes(), Buffer.alloc(30_000, 1)]));
  expect(await connect).toBeInstanceOf(Buffer);
  expect(client.isPaused()).toBe(false);
  client.push(Buffer.alloc(40_000, 2));
  await until(() => expect(client.isPaused()).toBe(true));
  client.push(Buffer.alloc(40_000, 3));
  expect(intake.release().map((chunk) => [chunk.length, chunk[0]])).toEqual([
    [30_000, 1],
    [40_000, 2],
  ]);
  client.destroy();
});

test('what the broker sends in the same breath as its CONNACK is not lost', async () => {
  const broker = new Duplex({
    read() {},
    write(_chunk, _encoding, done) {
      this.push(Buffer.from('20020000', 'hex'));
      this.push(Buffer.from('d000', 'hex'));
      done();
    },
  });
  broker.pause();
  const question = { connect: connectBytes(), protocolVersion: 4 as const, prefix: 'demo:', timeoutMs: 600_000 };
  const asked = askBroker(() => broker, question);
  broker.resume();
  const answer = await asked;
  if (answer.kind !== 'answered') throw new Error(answer.detail);
  const got: Buffer[] = [answer.rest];
  answer.broker.on('data', (chunk) => got.push(chunk)).resume();
  await until(() => expect(Buffer.concat(got).toString('hex')).toBe('d000'));
  broker.destroy();
});

test.each([
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['192.0.2.7', '192.0.2.7'],
  ['2001:db8::7', '2001:db8::7'],
])('the address %s is shown as %s', (remoteAddress, ipAddress) => {
  const decoded = decodeConnect(connectBytes().subarray(2));
  if (decoded.kind !== 'connect') throw new Error(decoded.kind);
  expect(hintsOf(decoded.packet, remoteAddress).ipAddress).toBe(ipAddress);
});
