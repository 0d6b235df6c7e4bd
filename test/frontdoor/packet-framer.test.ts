import fc from 'fast-check';
import { generate } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { PacketFramer } from '../../frontdoor/packet-framer.ts';

interface Kept {
  readonly firstByte: number;
  readonly body: string;
}

/** Frames the chunks, keeping packets whose type is odd; 'malformed' where it gave up. */
function framed(chunks: readonly Buffer[]): readonly Kept[] | 'malformed' {
  const framer = new PacketFramer((firstByte) => ((firstByte >> 4) % 2 === 1 ? 'keep' : 'skip'));
  const kept: Kept[] = [];
  for (const chunk of chunks)
    for (let at = 0; at < chunk.length; ) {
      const step = framer.step(chunk, at);
      if (step === undefined) return 'malformed';
      if (step.packet) kept.push({ firstByte: step.packet.firstByte, body: step.packet.body.toString('hex') });
      at = step.next;
    }
  return kept;
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...chunks, bytes.subarray(at)];
}

const publish = fc
  .record({ qos: fc.constantFrom(0, 1, 2), size: fc.oneof(fc.nat(300), fc.nat(40_000)) })
  .map(({ qos, size }) =>
    generate(
      {
        cmd: 'publish',
        topic: 't',
        payload: Buffer.alloc(size, 0xe0),
        qos: qos === 1 ? 1 : qos === 2 ? 2 : 0,
        dup: false,
        retain: false,
        messageId: 7,
      },
      { protocolVersion: 5 },
    ),
  );
const others = fc.constantFrom(
  generate({ cmd: 'pingreq' }),
  generate({ cmd: 'disconnect', reasonCode: 4 }, { protocolVersion: 5 }),
);
const chunking = fc.array(fc.oneof(fc.nat(3), fc.nat(5_000)), { maxLength: 200 });

test('the framer gives the same packets however the stream is cut into chunks', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(publish, others), { maxLength: 8 }), chunking, (packets, sizes) => {
      const expected = packets
        .filter((packet) => (packet.readUInt8(0) >> 4) % 2 === 1)
        .map((packet) => {
          const headerBytes = 1 + [...packet.subarray(1, 5)].findIndex((byte) => byte < 0x80) + 1;
          return { firstByte: packet.readUInt8(0), body: packet.subarray(headerBytes).toString('hex') };
        });
      expect(framed(cut(Buffer.concat(packets), sizes))).toEqual(expected);
    }),
  );
});

test('the framer says the same of any bytes at all, however they are cut', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), chunking, (raw, sizes) => {
      const bytes = Buffer.from(raw);
      expect(framed(cut(bytes, sizes))).toEqual(framed([bytes]));
    }),
  );
});

test('a remaining length of more than four bytes is malformed', () => {
  expect(framed([Buffer.of(0x30, 0xff, 0xff, 0xff, 0x7f)])).toEqual([]);
  expect(framed([Buffer.of(0x30, 0xff, 0xff, 0xff, 0xff)])).toBe('malformed');
});
