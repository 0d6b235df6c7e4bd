// Finds where MQTT control packets begin and end in a stream of chunks. It keeps a few numbers, never a packet that
// nobody asked for: a PUBLISH of any size passes by without being gathered. It knows nothing of what packets mean.

export interface FramedPacket {
  readonly firstByte: number;
  /** What follows the remaining length. */
  readonly body: Buffer;
}

/** What to do with a packet, decided when its fixed header is known. */
export type Interest = 'keep' | 'skip' | 'refuse';

export interface FramerStep {
  /** Where in the chunk to go on; the chunk's length when it is used up. */
  readonly next: number;
  /** A packet that was to be kept and ends at `next`. */
  readonly packet?: FramedPacket;
  /** The packet that ends at `next`, or that the chunk's end cuts off. Absent where a packet that passes by ends there. */
  readonly last?: {
    readonly firstByte: number;
    /** Where in the chunk it begins; where the step began, if it begins in an earlier chunk. */
    readonly start: number;
  };
}

const firstAllocationBytes = 1_024;

export class PacketFramer {
  readonly #interestIn: (firstByte: number, length: number) => Interest;
  #firstByte = -1;
  #lengthBytes = 0;
  #length = 0;
  /** Bytes of the body that are still to come; -1 while the fixed header is not whole. */
  #missing = -1;
  #body: Buffer | undefined;

  constructor(interestIn: (firstByte: number, length: number) => Interest) {
    this.#interestIn = interestIn;
  }

  /** Frames from `from` to the end of the chunk, or of the first packet to be kept. Undefined: malformed or refused. */
  step(chunk: Buffer, from: number): FramerStep | undefined {
    let at = from;
    let start = from;
    while (at < chunk.length) {
      if (this.#firstByte < 0) start = at;
      if (this.#missing < 0) {
        if (!this.#readHeader(chunk.readUInt8(at))) return undefined;
        at += 1;
      } else {
        const part = Math.min(this.#missing, chunk.length - at);
        this.#gather(chunk, at, part);
        at += part;
      }
      if (this.#missing === 0) {
        const firstByte = this.#firstByte;
        const packet = this.#body === undefined ? undefined : { firstByte, body: this.#body };
        this.#reset();
        if (packet !== undefined) return { next: at, packet, last: { firstByte, start } };
      }
    }
    return this.#firstByte < 0 ? { next: at } : { next: at, last: { firstByte: this.#firstByte, start } };
  }

  /** False for a remaining length of more than four bytes [MQTT-1.5.5], and where the packet is refused. */
  #readHeader(byte: number): boolean {
    if (this.#firstByte < 0) {
      this.#firstByte = byte;
      return true;
    }
    this.#length += (byte & 0x7f) * 128 ** this.#lengthBytes;
    this.#lengthBytes += 1;
    if (byte >= 0x80) return this.#lengthBytes < 4;
    const interest = this.#interestIn(this.#firstByte, this.#length);
    if (interest === 'refuse') return false;
    if (interest === 'keep') this.#body = Buffer.allocUnsafe(Math.min(this.#length, firstAllocationBytes));
    this.#missing = this.#length;
    return true;
  }

  /** The buffer grows with what came, not with what the header claims: a claim alone costs us no memory. */
  #gather(chunk: Buffer, at: number, part: number): void {
    if (this.#body !== undefined) {
      const have = this.#length - this.#missing;
      if (have + part > this.#body.length) {
        const grown = Buffer.allocUnsafe(Math.min(this.#length, Math.max(have + part, this.#body.length * 2)));
        this.#body.copy(grown, 0, 0, have);
        this.#body = grown;
      }
      chunk.copy(this.#body, have, at, at + part);
    }
    this.#missing -= part;
  }

  #reset(): void {
    this.#firstByte = -1;
    this.#lengthBytes = 0;
    this.#length = 0;
    this.#missing = -1;
    this.#body = undefined;
  }
}

/** A control packet: its first byte, the remaining length, the rest. */
export function frame(firstByte: number, parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.of(firstByte), encodeWithLength(parts)]);
}

/** The parts after their length as a variable byte integer, as a packet and an MQTT 5 properties field have it. */
export function encodeWithLength(parts: readonly Uint8Array[]): Buffer {
  const length: number[] = [];
  let rest = parts.reduce((sum, part) => sum + part.length, 0);
  do {
    length.push(rest >= 128 ? (rest & 0x7f) | 0x80 : rest);
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.concat([Buffer.from(length), ...parts]);
}
