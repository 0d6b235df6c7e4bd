// Every packet of a client is checked before aedes parses it: what MQTT allows passes byte for byte, all else is refused.

import { generate, type Packet } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { createInbound } from '../../local/inbound-check.ts';

type Outcome = 'passed' | 'refused' | 'failed';

function send(version: 3 | 4 | 5, ...packets: readonly Buffer[]): { outcome: Outcome; parsed: Buffer[] } {
  const parsed: Buffer[] = [];
  let outcome: Outcome = 'passed';
  const inbound = createInbound({
    refuse: () => {
      outcome = 'refused';
    },
    fail: () => {
      outcome = 'failed';
    },
  });
  const all = Buffer.concat([connect(version), ...packets]);
  inbound.read(all, (packet) => parsed.push(packet));
  return { outcome, parsed: parsed.slice(1) };
}

function connect(protocolVersion: 3 | 4 | 5): Buffer {
  const protocolId = protocolVersion === 3 ? 'MQIsdp' : 'MQTT';
  return generate({
    cmd: 'connect',
    protocolId,
    protocolVersion,
    clientId: 'c',
    clean: true,
    keepalive: 60,
    ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: 60 } } : {}),
  });
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const v5 = (packet: Packet): Buffer => generate(packet, { protocolVersion: 5 });

const publishProperties = {
  payloadFormatIndicator: true,
  messageExpiryInterval: 9,
  contentType: 'text',
  responseTopic: 'demo/answers',
  correlationData: Buffer.from('1'),
  userProperties: { a: ['1', '2'] },
};
const filter = { topic: 'demo/#', qos: 1 as const, nl: true, rap: true, rh: 2 };

test.each<[string, Buffer]>([
  ['PUBLISH', v5({ cmd: 'publish', topic: 't', payload: 'p', qos: 1, messageId: 1, dup: true, retain: true })],
  [
    'PUBLISH with properties',
    v5({ cmd: 'publish', topic: 't', payload: 'p', qos: 0, dup: false, retain: false, properties: publishProperties }),
  ],
  ['PUBACK', v5({ cmd: 'puback', messageId: 7, reasonCode: 0x10, properties: { reasonString: 'nobody' } })],
  ['PUBREL', v5({ cmd: 'pubrel', messageId: 7 })],
  ['a short PUBCOMP', hex('70 02 0007')],
  [
    'SUBSCRIBE',
    v5({ cmd: 'subscribe', messageId: 1, subscriptions: [filter], properties: { subscriptionIdentifier: 9 } }),
  ],
  ['UNSUBSCRIBE', v5({ cmd: 'unsubscribe', messageId: 1, unsubscriptions: ['demo/#'] })],
  ['PINGREQ', hex('c000')],
  ['DISCONNECT', v5({ cmd: 'disconnect', reasonCode: 4, properties: { sessionExpiryInterval: 1 } })],
])('a well-formed %s passes as it came', (_name, packet) => {
  expect(send(5, packet)).toEqual({ outcome: 'passed', parsed: [packet] });
});

test.each([3, 4] as const)('version %i has no properties, and its packets pass', (version) => {
  const packets = [
    generate({ cmd: 'publish', topic: 't', payload: 'p', qos: 2, messageId: 1, dup: false, retain: false }),
    generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'demo/#', qos: 1 }] }),
    generate({ cmd: 'disconnect' }),
  ];
  expect(send(version, ...packets)).toEqual({ outcome: 'passed', parsed: packets });
});

test.each<[string, string]>([
  ['a PUBLISH property of another packet: will delay', '30 09 0001 74 05 18 00000001'],
  ['a Subscription Identifier in PUBLISH [MQTT-3.3.4-6]', '30 06 0001 74 02 0b 01'],
  ['an unknown property', '30 06 0001 74 02 7f 01'],
  ['a property that comes twice', '30 08 0001 74 04 01 01 01 01'],
  ['a payload format that is neither 0 nor 1', '30 06 0001 74 02 01 02'],
  ['an empty response topic', '30 07 0001 74 03 08 0000'],
  ['properties longer than the packet', '30 05 0001 74 10 01'],
  ['a property that ends outside of its field', '30 07 0001 74 02 03 0005'],
  ['a property length of five bytes', '30 08 0001 74 ffffffff01'],
  ['a content type that is not UTF-8', '30 08 0001 74 04 03 0001 ff'],
  ['a topic with U+0000', '30 04 0001 00 00'],
  ['a topic longer than the packet', '30 03 0009 74'],
  ['QoS 3', '36 06 0001 74 0001 00'],
  ['DUP at QoS 0', '38 04 0001 74 00'],
  ['packet identifier 0', '32 06 0001 74 0000 00'],
  ['SUBSCRIBE without a filter', '82 03 0001 00'],
  ['SUBSCRIBE with wrong flags', '80 07 0001 00 0001 74 00'],
  ['reserved bits in subscription options', '82 07 0001 00 0001 74 40'],
  ['retain handling 3', '82 07 0001 00 0001 74 30'],
  ['Subscription Identifier 0', '82 09 0001 02 0b00 0001 74 00'],
  ['UNSUBSCRIBE without a filter', 'a2 03 0001 00'],
  ['PUBREL with wrong flags', '60 02 0001'],
  ['PUBACK with bytes behind it', '40 05 0001 00 00 00'],
  ['PINGREQ with a body', 'c0 01 00'],
  ['DISCONNECT whose properties reach past its end', 'e0 03 00 05 11'],
  ['a second CONNECT [MQTT-3.1.0-2]', connect(5).toString('hex')],
  ['AUTH without a method', 'f0 00'],
  ["a server's packet", 'd0 00'],
  ['a remaining length of five bytes', 'c0 ffffffff01'],
])('%s is refused, and nothing behind it is parsed', (_name, bytes) => {
  expect(send(5, hex(bytes), hex('c000'))).toEqual({ outcome: 'refused', parsed: [] });
});

test.each<[string, string]>([
  ['another packet first', 'c000'],
  ['Session Expiry Interval twice', '1018 0004 4d515454 05 02 003c 0a 11 00000001 11 00000002 0001 63'],
  ['an unknown version', '100e 0004 4d515454 06 02 003c 00 0001 63'],
])('a connection that begins with %s is refused', (_name, bytes) => {
  let refused = 0;
  const inbound = createInbound({ refuse: () => (refused += 1), fail: () => undefined });
  inbound.read(hex(bytes), () => expect.unreachable());
  expect(refused).toBe(1);
});

test('nothing behind a DISCONNECT is parsed [MQTT-3.14.4-2]', () => {
  const disconnect = hex('e000');
  expect(send(5, disconnect, hex('e0 05 00 03 11 0000'))).toEqual({ outcome: 'passed', parsed: [disconnect] });
});

test('a packet that comes byte by byte is handed on once it is whole', () => {
  const parsed: Buffer[] = [];
  const inbound = createInbound({ refuse: () => expect.unreachable(), fail: () => expect.unreachable() });
  for (const byte of Buffer.concat([connect(5), hex('c000')]))
    inbound.read(Buffer.of(byte), (packet) => parsed.push(packet));
  expect(parsed).toEqual([connect(5), hex('c000')]);
});

test('a parser that throws ends this connection, and is not asked again', () => {
  const failures: unknown[] = [];
  const inbound = createInbound({ refuse: () => undefined, fail: (error) => failures.push(error) });
  const parse = (): void => {
    throw new Error('planted');
  };
  inbound.read(connect(5), parse);
  inbound.read(hex('c000'), parse);
  expect(failures).toEqual([new Error('planted')]);
});
