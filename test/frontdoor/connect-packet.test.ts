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
const topic = text.filter((value) => !/[#+]/.test(value));
const bytes = fc.uint8Array({ maxLength: 300 }).map((raw) => Buffer.from(raw));
const uint32 = fc.nat(0xffffffff);
const userProperties = fc.dictionary(
  text.filter((key) => key !== '__proto__'),
  fc.oneof(text, fc.array(text, { minLength: 2, maxLength: 3 })),
  { minKeys: 1, maxKeys: 3, noNullPrototype: true },
);
const some = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(model, { requiredKeys: [] });

const will = fc.record({
  topic,
  payload: bytes,
  qos: fc.constantFrom<0 | 1 | 2>(0, 1, 2),
  retain: fc.boolean(),
});
const willV5Properties = some({
  willDelayInterval: uint32,
  payloadFormatIndicator: fc.boolean(),
  messageExpiryInterval: uint32,
  contentType: text,
  responseTopic: topic,
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
  type Level = 3 | 4 | 5;
  const text16 = (given: string | readonly number[]) => {
    const raw = Buffer.from(given as string);
    return [raw.length >> 8, raw.length & 0xff, ...raw];
  };
  const id = text16('c');
  const user = text16('u');
  const password = text16('p');
  const payload = text16('gone');
  const names: Readonly<Record<Level, string>> = { 3: 'MQIsdp', 4: 'MQTT', 5: 'MQTT' };
  const properties = (...given: number[]) => [given.length, ...given];

  /** A CONNECT of a level, written out: flags, properties in MQTT 5, and what follows them. */
  const connect = (level: Level, flags: number, rest: readonly (readonly number[])[], ofConnect = properties()) =>
    Buffer.from([...text16(names[level]), ...[level, flags, 0, 60], ...(level === 5 ? ofConnect : []), ...rest.flat()]);
  const willOf = (level: Level, topic: readonly number[], ofWill = properties()) =>
    connect(level, 0xc6, [id, level === 5 ? ofWill : [], topic, payload, user, password]);

  const levels: readonly Level[] = [3, 4, 5];
  const everyLevel = (name: string, make: (level: Level) => Buffer): (readonly [string, Buffer])[] =>
    levels.map((level) => [`${name}, level ${level}`, make(level)] as const);

  test.each<readonly [string, Buffer]>([
    ...everyLevel('a user name', (level) => connect(level, 0x82, [id, user])),
    ...everyLevel('a user name and a password', (level) => connect(level, 0xc2, [id, user, password])),
    ...everyLevel('neither', (level) => connect(level, 0x02, [id])),
    ...everyLevel('a will', (level) => willOf(level, text16('t'))),
    ...everyLevel('a will topic with everything that is no wildcard', (level) =>
      willOf(level, text16('/$a b/\u00e9*?//')),
    ),
    ...everyLevel('a retained will of QoS 2', (level) =>
      connect(level, 0x36, [id, level === 5 ? [0] : [], text16('t'), payload]),
    ),
    ...everyLevel('a will with an empty payload', (level) =>
      connect(level, 0x06, [id, level === 5 ? [0] : [], text16('t'), text16('')]),
    ),
    ['a password alone, which MQTT 5 allows', connect(5, 0x42, [id, password])],
    ['a receive maximum of 1', connect(5, 0x82, [id, user], properties(0x21, 0, 1))],
    ['a maximum packet size of 1', connect(5, 0x82, [id, user], properties(0x27, 0, 0, 0, 1))],
    ['flags of 0 and 1', connect(5, 0x82, [id, user], properties(0x17, 0, 0x19, 1))],
    ['a topic alias maximum of 0', connect(5, 0x82, [id, user], properties(0x22, 0, 0))],
    ['two user properties of one name', connect(5, 0x82, [id, user], properties(0x26, 0, 0, 0, 0, 0x26, 0, 0, 0, 0))],
    [
      'a will with all of its properties',
      willOf(
        5,
        text16('t'),
        properties(
          ...[0x01, 1, 0x02, 0, 0, 0, 9, 0x03, ...text16('x'), 0x08, ...text16('a/b')],
          ...[0x09, ...text16('c'), 0x18, 0, 0, 0, 9, 0x26, ...text16('k'), ...text16('v')],
        ),
      ),
    ],
    // What no will topic may hold, a user name may: it is answered once credentials were checked.
    ['a user name with U+0000', connect(4, 0x82, [id, text16('a\u0000')])],
  ])('%s is not', (_name, body) => {
    expect(decodeConnect(body).kind).toBe('connect');
  });

  test.each<readonly [string, Buffer]>([
    ['another protocol name', Buffer.from([...text16('MQTX'), 4, 2, 0, 60, ...id])],
    ...everyLevel('the reserved flag', (level) => connect(level, 0x83, [id, user])),
    ...everyLevel('will QoS without a will', (level) => connect(level, 0x8a, [id, user])),
    ...everyLevel('will retain without a will', (level) => connect(level, 0xa2, [id, user])),
    ...everyLevel('will QoS 3', (level) =>
      connect(level, 0x9e, [id, level === 5 ? [0] : [], text16('t'), payload, user]),
    ),
    ...everyLevel('no client id', (level) => connect(level, 0x02, [])),
    ...everyLevel('a will flag without a will', (level) => connect(level, 0x06, [id])),
    ...everyLevel('a will topic without a payload', (level) =>
      connect(level, 0x06, [id, level === 5 ? [0] : [], text16('t')]),
    ),
    ...everyLevel('a user name flag without a user name', (level) => connect(level, 0x82, [id])),
    ...everyLevel('a password flag without a password', (level) => connect(level, 0xc2, [id, user])),
    ...everyLevel('bytes behind the last field', (level) => connect(level, 0x82, [id, user, [0]])),
    ...everyLevel('a user name without its flag', (level) => connect(level, 0x02, [id, user])),
    ...everyLevel('a client id that is not UTF-8', (level) => connect(level, 0x82, [text16([0xc3, 0x28]), user])),
    ...everyLevel('a user name with half a surrogate pair', (level) =>
      connect(level, 0x82, [id, text16([0xed, 0xa0, 0x80])]),
    ),
    ...everyLevel('a user name in more bytes than it takes', (level) =>
      connect(level, 0x82, [id, text16([0xc1, 0x81])]),
    ),
    ...everyLevel('an empty will topic', (level) => willOf(level, text16(''))),
    ...['#', '+', 'a/#', 'a/+/b', 'a#', '+a'].flatMap((topic) =>
      everyLevel(`the will topic ${topic}`, (level) => willOf(level, text16(topic))),
    ),
    ...everyLevel('a will topic with U+0000', (level) => willOf(level, text16('a\u0000b'))),
    ...everyLevel('a will topic that is not UTF-8', (level) => willOf(level, text16([0xff]))),
    ...everyLevel('a will topic with half a surrogate pair', (level) => willOf(level, text16([0xed, 0xa0, 0x80]))),
    ['a password without a user name, level 3', connect(3, 0x42, [id, password])],
    ['a password without a user name, level 4', connect(4, 0x42, [id, password])],
    ...(
      [
        ['a receive maximum of 0', [0x21, 0, 0]],
        ['a maximum packet size of 0', [0x27, 0, 0, 0, 0]],
        ['a property twice', [0x21, 0, 1, 0x21, 0, 1]],
        ['an expiry twice, equal', [0x11, 0, 0, 0, 1, 0x11, 0, 0, 0, 1]],
        ['a property of another packet', [0x12, 0, 1, 0x61]],
        ['a property of a will', [0x18, 0, 0, 0, 1]],
        ['an unknown property', [0x7f, 0]],
        ['a property that ends outside the properties', [0x11, 0, 0]],
        ['a user property that is not UTF-8', [0x26, 0, 1, 0xff, 0, 0]],
        ['a user property with U+0000', [0x26, 0, 1, 0, 0, 0]],
        ['request problem information of 2', [0x17, 2]],
        ['request response information of 2', [0x19, 2]],
        ['authentication data without a method', [0x16, 0, 1, 1]],
        ['an authentication method that is not UTF-8', [0x15, 0, 1, 0xff]],
      ] as const
    ).map(([name, given]) => [name, connect(5, 0x82, [id, user], properties(...given))] as const),
    ['a length of the properties in more bytes than it takes', connect(5, 0x82, [id, user], [0x80, 0])],
    ['a length of the properties in five bytes', connect(5, 0x82, [id, user], [0x80, 0x80, 0x80, 0x80, 1])],
    ['properties longer than the packet', connect(5, 0x82, [id, user], [0x7f])],
    ...(
      [
        ['a payload format of 2', [0x01, 2]],
        ['a will delay twice', [0x18, 0, 0, 0, 1, 0x18, 0, 0, 0, 1]],
        ['a property of CONNECT', [0x11, 0, 0, 0, 1]],
        ['a topic alias', [0x23, 0, 1]],
        ['an empty response topic', [0x08, 0, 0]],
        ['a response topic with a wildcard', [0x08, ...text16('a/#')]],
        ['another response topic with a wildcard', [0x08, ...text16('+/a')]],
        ['a response topic with U+0000', [0x08, 0, 1, 0]],
        ['a content type that is not UTF-8', [0x03, 0, 1, 0xff]],
      ] as const
    ).map(([name, given]) => [`a will with ${name}`, willOf(5, text16('t'), properties(...given))] as const),
  ])('%s', (_name, body) => {
    expect(decodeConnect(body).kind).toBe('malformed');
  });
});
