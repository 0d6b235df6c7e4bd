// Byte streams of clients that break MQTT's rules: well-formed packets, some of them bent. The same seed gives the same.

import { generate, type Packet } from 'mqtt-packet';

type Random = (below: number) => number;

export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const userProperties = { a: ['1', '2'], b: 'ü' };
const filter = { topic: 'demo/#', qos: 1 as const, nl: false, rap: false, rh: 0 };

const packets: readonly Packet[] = [
  { cmd: 'publish', topic: 'demo/x', payload: 'p', qos: 0, dup: false, retain: false },
  {
    cmd: 'publish',
    topic: 'demo/x',
    payload: 'p',
    qos: 1,
    messageId: 1,
    dup: false,
    retain: false,
    properties: {
      payloadFormatIndicator: true,
      messageExpiryInterval: 60,
      contentType: 'text',
      responseTopic: 'demo/answers',
      correlationData: Buffer.from('1'),
      userProperties,
    },
  },
  { cmd: 'publish', topic: 'demo/x', payload: '', qos: 2, messageId: 2, dup: false, retain: true },
  { cmd: 'pubrel', messageId: 2, reasonCode: 0, properties: { reasonString: 'r' } },
  { cmd: 'puback', messageId: 3, reasonCode: 0, properties: { userProperties } },
  { cmd: 'pubrec', messageId: 3, reasonCode: 0x80 },
  { cmd: 'pubcomp', messageId: 3 },
  { cmd: 'subscribe', messageId: 4, subscriptions: [filter], properties: { subscriptionIdentifier: 5 } },
  { cmd: 'unsubscribe', messageId: 5, unsubscriptions: ['demo/#'] },
  { cmd: 'pingreq' },
  { cmd: 'disconnect', reasonCode: 4, properties: { sessionExpiryInterval: 9, reasonString: 'r' } },
];

const encoded = packets.map((packet) => generate(packet, { protocolVersion: 5 }));

/** Inserted where they hurt: lengths, and properties that belong elsewhere or come twice. */
const snippets = ['00', 'ff', 'ffffffff', '8080808001', '1100000001', '1800000001', '0b01', '230001', '0101', '260000'];

function bend(bytes: Buffer, random: Random): Buffer {
  const at = random(bytes.length);
  switch (random(6)) {
    case 0:
      return Buffer.concat([bytes.subarray(0, at), Buffer.of(random(256)), bytes.subarray(at + 1)]);
    case 1:
      return bytes.subarray(0, at);
    case 2: {
      const snippet = Buffer.from(snippets[random(snippets.length)] ?? '', 'hex');
      return Buffer.concat([bytes.subarray(0, at), snippet, bytes.subarray(at)]);
    }
    case 3:
      return insertWithLength(bytes, Buffer.from(snippets[random(snippets.length)] ?? '', 'hex'), random);
    case 4:
      return Buffer.concat([bytes, bytes]);
    default:
      return Buffer.from(Array.from({ length: 1 + random(40) }, () => random(256)));
  }
}

/** The remaining length of a short packet grows with it, so that the packet is whole and what is wrong lies inside. */
function insertWithLength(bytes: Buffer, snippet: Buffer, random: Random): Buffer {
  const at = Math.min(bytes.length, 2 + random(bytes.length));
  const bent = Buffer.concat([bytes.subarray(0, at), snippet, bytes.subarray(at)]);
  if (bent.length - 2 < 128) bent.writeUInt8(bent.length - 2, 1);
  return bent;
}

/** What a client sends behind its CONNECT: packets, each of them bent with some chance. */
export function buildHostileTail(random: Random): Buffer {
  const parts = Array.from({ length: 1 + random(8) }, () => {
    const packet = encoded[random(encoded.length)] ?? Buffer.alloc(0);
    return random(3) === 0 ? bend(packet, random) : packet;
  });
  return Buffer.concat(parts);
}

export function bendConnect(connect: Buffer, random: Random): Buffer {
  return bend(connect, random);
}
