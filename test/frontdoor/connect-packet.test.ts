import fc from 'fast-check';
import { parser as createParser, type Packet } from 'mqtt-packet';
import { describe, expect, test } from 'vitest';
import { type ConnectPacket, decodeConnect, encodeBrokerConnect } from '../../frontdoor/connect-packet.ts';
import { PacketFramer } from '../../frontdoor/packet-framer.ts';
import { connectBytes } from './rig.ts';

function bodyOf(bytes: Buffer): Buffer {
  const packet = new PacketFramer(() => 'keep').step(bytes, 0)?.packet;
  if (packet === undefined) throw new Error('not one whole packet');
  return packet.body;
}

function decoded(bytes: Buffer): ConnectPacket {
  const result = decodeConnect(bodyOf(bytes));
  if (result.kind !== 'connect') throw new Error(`decoded as ${JSON.stringify(result)}`);
  return result.packet;
}

/** What a decoder that is not ours makes of the bytes. */
function asOthersReadIt(bytes: Buffer) {
  const packets: Extract<Packet, { cmd: 'connect' }>[] = [];
  const parser = createParser();
  parser.on('packet', (packet: Packet) => packet.cmd === 'connect' && packets.push(packet));
  parser.on('error', (error: Error) => {
    throw error;
  });
  parser.parse(bytes);
  const [packet] = packets;
  if (packet === undefined || packets.length > 1) throw new Error('not one CONNECT');
  const { length, ...fields } = packet;
  return fields;
}

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((value) => !value.includes('\u0000'));
const bytes = fc.uint8Array({ maxLength: 300 }).map((raw) => Buffer.from(raw));
const uint32 = fc.nat(0xffffffff);
const userProperties = fc.dictionary(
  text.filter((key) => key !== '__proto__'),
  fc.oneof(text, fc.array(text, { minLength: 2, maxLength: 3 })),
  { minKeys: 1, maxKeys: 3, noNullPrototype: true },
);
const some = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(model, { requiredKeys: [] });

const will = fc.record({
  topic: text,
  payload: bytes,
  qos: fc.constantFrom<0 | 1 | 2>(0, 1, 2),
  retain: fc.boolean(),
});
const willV5Properties = some({
  willDelayInterval: uint32,
  payloadFormatIndicator: fc.boolean(),
  messageExpiryInterval: uint32,
  contentType: text,
  responseTopic: text,
  correlationData: bytes,
  userProperties,
});
const v5Properties = some({
  sessionExpiryInterval: uint32,
  receiveMaximum: fc.integer({ min: 1, max: 65_535 }),
  maximumPacketSize: fc.integer({ min: 1, max: 0xffffffff }),
  topicAliasMaximum: fc.nat(65_535),
  requestResponseInformation: fc.boolean(),
  requestProblemInformation: fc.boolean(),
  userProperties,
});
const common = fc.record({
  clientId: text,
  clean: fc.boolean(),
  keepalive: fc.nat(65_535),
  username: text,
  password: fc.option(
    bytes.filter((value) => value.length > 0),
    { nil: undefined },
  ),
});
const connects = fc.oneof(
  fc
    .tuple(fc.constantFrom<3 | 4>(3, 4), common, fc.option(will, { nil: undefined }))
    .map(([protocolVersion, fields, lastWill]) => ({
      ...fields,
      protocolVersion,
      ...(lastWill && { will: lastWill }),
    })),
  fc
    .tuple(common, v5Properties, fc.option(fc.tuple(will, willV5Properties), { nil: undefined }))
    .map(([fields, properties, lastWill]) => ({
      ...fields,
      protocolVersion: 5 as const,
      properties,
      ...(lastWill && { will: { ...lastWill[0], properties: lastWill[1] } }),
    })),
);

test('a CONNECT for the broker differs in client id, user name, password and clean start, and in nothing else', () => {
  fc.assert(
    fc.property(connects, fc.boolean(), ({ password, ...fields }, cleanStart) => {
      const original = connectBytes({ ...fields, ...(password ? { password } : {}) });
      const change = { clientId: `demo:${fields.clientId}`, userName: 'u?ticket=t', cleanStart };
      const { password: _dropped, ...expected } = asOthersReadIt(original);
      expect(asOthersReadIt(encodeBrokerConnect(decoded(original), change))).toEqual({
        ...expected,
        clientId: change.clientId,
        username: change.userName,
        clean: cleanStart,
      });
    }),
  );
});

test('a CONNECT is read as another decoder reads it', () => {
  fc.assert(
    fc.property(connects, ({ password, ...fields }) => {
      const original = connectBytes({ ...fields, ...(password ? { password } : {}) });
      const theirs = asOthersReadIt(original);
      expect(decoded(original)).toMatchObject({
        protocolVersion: theirs.protocolVersion,
        clientId: theirs.clientId,
        userName: theirs.username,
        password: theirs.password,
        cleanStart: theirs.clean,
        sessionExpiryInterval: theirs.properties?.sessionExpiryInterval ?? 0,
        maximumPacketSize: theirs.properties?.maximumPacketSize ?? Number.POSITIVE_INFINITY,
      });
    }),
  );
});

test('no bytes at all make the decoder throw', () => {
  const original = bodyOf(
    connectBytes({ will: { topic: 'w', payload: 'x' }, properties: { sessionExpiryInterval: 1 } }),
  );
  fc.assert(
    fc.property(fc.nat(original.length - 1), fc.nat(255), fc.nat(original.length), (at, value, length) => {
      const changed = Buffer.from(original);
      changed.writeUInt8(value, at);
      expect(['connect', 'unsupported_version', 'malformed']).toContain(decodeConnect(changed).kind);
      expect(decodeConnect(original.subarray(0, length)).kind).toBe(
        length === original.length ? 'connect' : 'malformed',
      );
    }),
  );
});

test('the order of a will’s user properties is kept [MQTT-3.1.3-10]', () => {
  const pair = (key: string, value: string) =>
    Buffer.from([0x26, 0, key.length, ...Buffer.from(key), 0, value.length, ...Buffer.from(value)]);
  const order = Buffer.concat([pair('a', '1'), pair('b', '2'), pair('a', '3')]);
  const body = Buffer.concat([
    Buffer.from([0, 4, ...Buffer.from('MQTT'), 5, 0x86, 0, 60, 0, 0, 1, 0x63, order.length]),
    order,
    Buffer.from([0, 1, 0x77, 0, 0, 0, 1, 0x75]),
  ]);
  const result = decodeConnect(body);
  if (result.kind !== 'connect') throw new Error(JSON.stringify(result));
  const sent = encodeBrokerConnect(result.packet, { clientId: 'demo:c', userName: 'u?t', cleanStart: true });
  expect(sent.includes(order)).toBe(true);
});

describe('what is malformed', () => {
  const v5 = (properties: readonly number[]) =>
    Buffer.from([
      0,
      4,
      ...Buffer.from('MQTT'),
      5,
      0x82,
      0,
      60,
      properties.length,
      ...properties,
      0,
      1,
      0x63,
      0,
      1,
      0x75,
    ]);
  const v4 = (flags: number, payload: readonly number[]) =>
    Buffer.from([0, 4, ...Buffer.from('MQTT'), 4, flags, 0, 60, ...payload]);
  const id = [0, 1, 0x63];
  const user = [0, 1, 0x75];

  test('the same bytes without the fault are a CONNECT', () => {
    expect(decodeConnect(v5([0x21, 0, 1])).kind).toBe('connect');
    expect(decodeConnect(v4(0x82, [...id, ...user])).kind).toBe('connect');
  });

  test.each([
    ['another protocol name', Buffer.from([0, 4, ...Buffer.from('MQTX'), 4, 2, 0, 60, ...id])],
    ['the reserved flag', v4(0x83, [...id, ...user])],
    ['will QoS without a will', v4(0x8a, [...id, ...user])],
    ['will QoS 3', v4(0x9e, [...id, 0, 1, 0x77, 0, 0, ...user])],
    ['a password without a user name', v4(0x42, [...id, ...user])],
    ['bytes behind the last field', v4(0x82, [...id, ...user, 0])],
    ['a client id that is not UTF-8', v4(0x82, [0, 2, 0xc3, 0x28, ...user])],
    ['a user name that is not UTF-8', v4(0x82, [...id, 0, 3, 0xed, 0xa0, 0x80])],
    ['a will topic with U+0000', v4(0x86, [...id, 0, 1, 0, 0, 0, ...user])],
    ['a receive maximum of 0', v5([0x21, 0, 0])],
    ['a maximum packet size of 0', v5([0x27, 0, 0, 0, 0])],
    ['a property twice', v5([0x21, 0, 1, 0x21, 0, 1])],
    ['a property of another packet', v5([0x12, 0, 1, 0x61])],
    ['a property that ends outside the properties', v5([0x11, 0, 0])],
    ['a user property that is not UTF-8', v5([0x26, 0, 1, 0xff, 0, 0])],
    ['a flag that is 2', v5([0x17, 2])],
    ['authentication data without a method', v5([0x16, 0, 1, 1])],
  ])('%s', (_name, body) => {
    expect(decodeConnect(body).kind).toBe('malformed');
  });
});
