// The server name of a TLS client, read from the raw ClientHello. Node 20 tells no name on a resumed TLS 1.2 session, and
// the name of this handshake decides which deployment is meant (S25), so the front door reads the name itself. It must
// not know of certificates, keys or sessions: the bytes go on unchanged to TLS, which judges them again.
import type { Socket } from 'node:net';
import { ByteReader, MalformedPacket } from './byte-reader.ts';

/**
 * The longest ClientHello that is taken, with the headers of its records. Real ones have 200 to 2,500 bytes, the key
 * shares of post-quantum groups included.
 */
export const maxHelloBytes = 16_384;

export type ClientHello =
  | {
      readonly kind: 'hello';
      /** In lower case; undefined where the client names no server. */
      readonly serverName: string | undefined;
    }
  /** There is no decision before this many bytes are here, counted from the first. */
  | { readonly kind: 'more'; readonly neededBytes: number }
  | { readonly kind: 'not_tls'; readonly problem: string };

const handshakeRecord = 22;
const recordHeaderBytes = 5;
const recordMaxBytes = 16_384;
const clientHelloMessage = 1;
const messageHeaderBytes = 4;
const serverNameExtension = 0;
const hostNameType = 0;
const hostNameMaxBytes = 255;

/**
 * Reads one stream from its first byte on. A ClientHello may be cut into several records at any byte [RFC 8446, 5.1].
 * Reading goes on where it stopped, so a ClientHello that comes byte by byte costs no more than a whole one. What it
 * answers depends on the stream only, never on the pieces in which the stream comes.
 */
export class ClientHelloReader {
  /** Where the record begins that is read now. */
  #at = 0;
  /** How much of the message the records before it hold. */
  #have = 0;
  /** The first bytes of the message: its type and length. */
  readonly #head: number[] = [];

  /** `bytes`: all of the stream that is here. What follows the ClientHello is not looked at. */
  read(bytes: Buffer): ClientHello {
    try {
      return this.#read(bytes);
    } catch (error) {
      if (error instanceof MalformedPacket) return { kind: 'not_tls', problem: error.message };
      throw error;
    }
  }

  #read(bytes: Buffer): ClientHello {
    for (;;) {
      // The first byte alone tells most of what is no TLS at all.
      if (bytes.length === this.#at) return more(this.#at + 1);
      if (bytes.readUInt8(this.#at) !== handshakeRecord) throw new MalformedPacket('no handshake record');
      const start = this.#at + recordHeaderBytes;
      if (bytes.length < start) return more(start);
      const length = lengthOfRecord(bytes, this.#at);
      const end = start + length;
      while (this.#head.length < messageHeaderBytes) {
        const next = start + this.#head.length - this.#have;
        if (next === end) break;
        if (bytes.length === next) return more(next + 1);
        this.#head.push(bytes.readUInt8(next));
      }
      const messageBytes = lengthOfMessage(this.#head);
      if (this.#have + length >= messageBytes) {
        const needed = start + messageBytes - this.#have;
        const missing = more(needed);
        return bytes.length < needed ? missing : readHello(messageOf(bytes, messageBytes));
      }
      if (bytes.length < end) return more(end);
      this.#have += length;
      this.#at = end;
    }
  }
}

/** Throws beyond the bound, also where the bytes are here: all that is held must fit into it. */
function more(neededBytes: number): ClientHello {
  if (neededBytes > maxHelloBytes) throw new MalformedPacket('a ClientHello longer than the bound');
  return { kind: 'more', neededBytes };
}

function lengthOfRecord(bytes: Buffer, at: number): number {
  const length = bytes.readUInt16BE(at + 3);
  if (bytes.readUInt8(at + 1) !== 3 || length === 0 || length > recordMaxBytes)
    throw new MalformedPacket('no record of TLS');
  return length;
}

/** With its header; infinite while that is not whole. Told early, so that a claim of megabytes ends at once. */
function lengthOfMessage(head: readonly number[]): number {
  const [type, high = 0, middle = 0, low] = head;
  if (type !== clientHelloMessage) throw new MalformedPacket('no ClientHello');
  if (low === undefined) return Number.POSITIVE_INFINITY;
  const length = messageHeaderBytes + high * 65_536 + middle * 256 + low;
  if (length > maxHelloBytes) throw new MalformedPacket('a ClientHello longer than the bound');
  return length;
}

function messageOf(bytes: Buffer, messageBytes: number): Buffer {
  const fragments: Buffer[] = [];
  for (let at = 0, have = 0; have < messageBytes; ) {
    const start = at + recordHeaderBytes;
    at = start + lengthOfRecord(bytes, at);
    fragments.push(bytes.subarray(start, at));
    have += at - start;
  }
  return Buffer.concat(fragments, messageBytes);
}

/** [RFC 8446, 4.1.2] and [RFC 5246, 7.4.1.2], which differ in nothing that is read here. */
function readHello(message: Buffer): ClientHello {
  const reader = new ByteReader(message, messageHeaderBytes);
  reader.part(2 + 32); // version, random
  reader.part(reader.byte()); // session id
  reader.part(reader.uint16()); // cipher suites
  reader.part(reader.byte()); // compression methods
  if (reader.done) return { kind: 'hello', serverName: undefined };
  const extensions = reader.part(reader.uint16());
  if (!reader.done) throw new MalformedPacket('bytes follow the extensions');
  let serverName: string | undefined;
  while (!extensions.done) {
    const type = extensions.uint16();
    const extension = extensions.part(extensions.uint16());
    if (type !== serverNameExtension) continue;
    if (serverName !== undefined) throw new MalformedPacket('two server name extensions');
    serverName = readServerName(extension);
  }
  return { kind: 'hello', serverName };
}

/** One name of the type host name, as OpenSSL takes it [RFC 6066, 3]. */
function readServerName(extension: ByteReader): string {
  const list = extension.part(extension.uint16());
  const type = list.byte();
  const name = list.binary();
  if (!extension.done || !list.done || type !== hostNameType) throw new MalformedPacket('not exactly one server name');
  if (name.length === 0 || name.length > hostNameMaxBytes || name.includes(0))
    throw new MalformedPacket('no server name');
  return name.toString('latin1').toLowerCase();
}

/**
 * Reads the beginning of a socket up to its whole ClientHello, puts every byte back, and tells the name once. A socket
 * that begins with anything else, or ends before, is destroyed, and nothing is told. `told` must take the socket over
 * in the same tick. The time for all this is the caller's affair.
 */
export function awaitClientHello(socket: Socket, told: (serverName: string | undefined) => void): void {
  const reader = new ClientHelloReader();
  let held: Buffer = Buffer.alloc(0);
  let heldBytes = 0;
  let neededBytes = 1;

  function take(chunk: Buffer): void {
    // Most come in one piece, which is not copied.
    const alone = heldBytes === 0 && chunk.length >= neededBytes;
    if (!alone) hold(chunk);
    const bytes = alone ? chunk : held.subarray(0, heldBytes);
    if (bytes.length < neededBytes) return;
    const hello = reader.read(bytes);
    if (hello.kind === 'not_tls') leave();
    else if (hello.kind === 'more') {
      neededBytes = hello.neededBytes;
      if (alone) hold(chunk);
    } else {
      socket.off('data', take).off('end', leave).off('close', release);
      socket.pause();
      socket.unshift(bytes);
      told(hello.serverName);
    }
  }

  /** Copied into one buffer: a chunk of one byte costs an object of some hundred. */
  function hold(chunk: Buffer): void {
    if (heldBytes + chunk.length > held.length) {
      const grown = Buffer.allocUnsafe(Math.max(heldBytes + chunk.length, Math.min(2 * held.length, maxHelloBytes)));
      held.copy(grown, 0, 0, heldBytes);
      held = grown;
    }
    chunk.copy(held, heldBytes);
    heldBytes += chunk.length;
  }

  function leave(): void {
    socket.destroy();
    release();
  }

  function release(): void {
    socket.off('data', take);
    held = Buffer.alloc(0);
  }

  socket.on('data', take).once('end', leave).once('close', release);
}
