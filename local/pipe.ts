// Two ends of a stream inside this process, in the place of a TCP connection. The local broker has no port: its parser
// must never meet bytes that the front door has not read first.

import { Duplex } from 'node:stream';

/** Bytes that wait for a reader before its writer waits, too. */
const highWaterMark = 65_536;

class End extends Duplex {
  #peer: End | undefined;
  /** What the peer wrote in this tick; null is its end. */
  #inbox: (Buffer | null)[] = [];
  #inboxBytes = 0;
  #peerEnded = false;
  #writerWaits: ((error?: Error | null) => void) | undefined;

  constructor() {
    super({ allowHalfOpen: false, highWaterMark });
  }

  static pair(): readonly [Duplex, Duplex] {
    const ends = [new End(), new End()] as const;
    ends[0].#peer = ends[1];
    ends[1].#peer = ends[0];
    return ends;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const peer = this.#peer;
    if (peer === undefined || peer.destroyed) done(brokenPipe());
    else peer.#receive(chunk, done);
  }

  override _final(done: () => void): void {
    if (this.#peer !== undefined) this.#peer.#receiveEnd();
    done();
  }

  override _read(): void {
    const go = this.#writerWaits;
    this.#writerWaits = undefined;
    go?.();
  }

  /** As with a socket, what was written before the end arrives. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (this.#peer !== undefined) this.#peer.#receiveEnd();
    const go = this.#writerWaits;
    this.#writerWaits = undefined;
    go?.(brokenPipe());
    done(error);
  }

  #receive(chunk: Buffer, done: () => void): void {
    this.#put(chunk);
    this.#inboxBytes += chunk.length;
    if (this.readableLength + this.#inboxBytes < highWaterMark) done();
    else this.#writerWaits = done;
  }

  #receiveEnd(): void {
    if (this.#peerEnded) return;
    this.#peerEnded = true;
    this.#put(null);
  }

  // Never in the writer's own call: a reader that answers at once would run inside it.
  #put(chunk: Buffer | null): void {
    if (this.#inbox.length === 0) process.nextTick(() => this.#deliver());
    this.#inbox.push(chunk);
  }

  #deliver(): void {
    const inbox = this.#inbox;
    this.#inbox = [];
    this.#inboxBytes = 0;
    for (const chunk of inbox) if (!this.destroyed) this.push(chunk);
  }
}

function brokenPipe(): Error {
  return Object.assign(new Error('the other end of the pipe is gone'), { code: 'EPIPE' });
}

/** What one end writes, the other end reads; when one end is destroyed, the other one ends. */
export function createPipe(): readonly [Duplex, Duplex] {
  return End.pair();
}
