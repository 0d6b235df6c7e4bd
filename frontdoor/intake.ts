// The beginning of a client's stream: the CONNECT, and whatever the client sends before anybody wants it. The socket is
// read on while a decision is made, because only a socket that is read tells of its end; but only up to a bound.
import type { Duplex } from 'node:stream';
import { PacketFramer } from './packet-framer.ts';

/** What may be held behind a CONNECT until the broker has answered it; then the client is left to wait. */
const maxHeldBytes = 65_536;

export class Intake {
  readonly #client: Duplex;
  readonly #framer: PacketFramer;
  readonly #onKept: (bytes: number) => void;
  #settle: ((body: Buffer | undefined) => void) | undefined;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #ended = false;
  readonly #departure = new AbortController();

  constructor(client: Duplex, maxConnectBytes: number, onKept: (bytes: number) => void = () => {}) {
    this.#client = client;
    this.#onKept = onKept;
    // The flags of a CONNECT's first byte are reserved [MQTT-2.1.3-1].
    this.#framer = new PacketFramer((firstByte, length) =>
      firstByte === 0x10 && length <= maxConnectBytes ? 'keep' : 'refuse',
    );
  }

  /** The body of the CONNECT; undefined where something else comes, too much of it, or the end. */
  connect(): Promise<Buffer | undefined> {
    return new Promise((settle) => {
      this.#settle = settle;
      this.#client.on('data', this.#take).once('end', this.#end).once('close', this.#close);
      if (this.#client.destroyed) this.#close();
    });
  }

  /**
   * Aborted when the client has left (S24): its socket has closed or failed, or it has ended its stream with nothing whole
   * behind its CONNECT. A client that sends its messages and ends the stream is still to be served.
   */
  get left(): AbortSignal {
    return this.#departure.signal;
  }

  /** The client sends no more than what is held. */
  get ended(): boolean {
    return this.#ended || this.#client.destroyed;
  }

  /** Ends the intake and hands over what came behind the CONNECT. Whoever reads on begins in the same tick. */
  release(): readonly Buffer[] {
    this.#client.off('data', this.#take).off('end', this.#end).off('close', this.#close);
    const held = this.#held;
    this.#held = [];
    return held;
  }

  readonly #take = (chunk: Buffer): void => {
    this.#onKept(chunk.length);
    if (this.#settle === undefined) {
      this.#hold(chunk);
      return;
    }
    const step = this.#framer.step(chunk, 0);
    if (step === undefined) this.#answer(undefined);
    else if (step.packet !== undefined) {
      this.#answer(step.packet.body);
      if (step.next < chunk.length) this.#hold(chunk.subarray(step.next));
    }
  };

  readonly #end = (): void => {
    this.#ended = true;
    if (this.#settle !== undefined || !beginsWithWholePacket(this.#held)) this.#departure.abort();
    this.#answer(undefined);
  };

  readonly #close = (): void => {
    this.#departure.abort();
    this.#answer(undefined);
  };

  #answer(body: Buffer | undefined): void {
    this.#settle?.(body);
    this.#settle = undefined;
  }

  #hold(chunk: Buffer): void {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes >= maxHeldBytes) this.#client.pause();
  }
}

/** Not more than the length of the first packet is looked at: what it is, the broker says. */
function beginsWithWholePacket(chunks: readonly Buffer[]): boolean {
  const framer = new PacketFramer((_firstByte, length) => (length <= maxHeldBytes * 2 ? 'keep' : 'refuse'));
  return chunks.some((chunk) => framer.step(chunk, 0)?.packet !== undefined);
}
