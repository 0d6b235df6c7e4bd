// Reads the data types of MQTT out of one packet's body. It never reads beyond that body.
import { isUtf8 } from 'node:buffer';

/** Thrown inside a decoder and caught at its edge, where it becomes an answer: it saves a check after every field. */
export class MalformedPacket extends Error {
  override readonly name = 'MalformedPacket';
}

export class ByteReader {
  readonly body: Buffer;
  offset: number;
  readonly #end: number;

  constructor(body: Buffer, offset = 0, end = body.length) {
    this.body = body;
    this.offset = offset;
    this.#end = end;
  }

  get done(): boolean {
    return this.offset === this.#end;
  }

  byte(): number {
    return this.#take(1).readUInt8(0);
  }

  uint16(): number {
    return this.#take(2).readUInt16BE(0);
  }

  uint32(): number {
    return this.#take(4).readUInt32BE(0);
  }

  /** Variable byte integer: at most four bytes, and no more than it takes [MQTT-1.5.5-1]. */
  varint(): number {
    let value = 0;
    for (let bytes = 0; bytes < 4; bytes += 1) {
      const byte = this.byte();
      value += (byte & 0x7f) * 128 ** bytes;
      if (byte === 0 && bytes > 0) throw new MalformedPacket('a variable byte integer is longer than it need be');
      if (byte < 0x80) return value;
    }
    throw new MalformedPacket('a variable byte integer has more than four bytes');
  }

  binary(): Buffer {
    return this.#take(this.uint16());
  }

  /** Well-formed UTF-8 [MQTT-1.5.4-1] without U+0000 [MQTT-1.5.4-2]. */
  string(): string {
    const text = this.stringWithAnyCharacter();
    if (text.includes('\u0000')) throw new MalformedPacket('a string holds U+0000');
    return text;
  }

  /** Where a message is published to: not empty [MQTT-4.7.3-1], and without wildcards [MQTT-3.3.2-2]. */
  topicName(): string {
    const topic = this.string();
    if (topic === '' || /[#+]/.test(topic)) throw new MalformedPacket('a topic name is empty or holds a wildcard');
    return topic;
  }

  /** As `string`, but U+0000 passes: for fields whose owner answers it with a reason of its own. */
  stringWithAnyCharacter(): string {
    const bytes = this.binary();
    if (!isUtf8(bytes)) throw new MalformedPacket('a string is not UTF-8');
    return bytes.toString('utf8');
  }

  /** A reader of the next `length` bytes, which count as read here. */
  part(length: number): ByteReader {
    const start = this.offset;
    this.#take(length);
    return new ByteReader(this.body, start, this.offset);
  }

  #take(length: number): Buffer {
    const start = this.offset;
    if (start + length > this.#end) throw new MalformedPacket('the packet ends inside a field');
    this.offset = start + length;
    return this.body.subarray(start, this.offset);
  }
}

/** A string with its length before it. */
export function encodeString(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  const length = Buffer.allocUnsafe(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
