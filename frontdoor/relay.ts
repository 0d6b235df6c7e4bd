// Two open streams, piped into each other byte for byte. The only packet looked at is an MQTT 5 client's DISCONNECT,
// because it may change the session's expiry. Small on purpose: ten thousand of these sit idle in one process.
import type { Duplex } from 'node:stream';
import { decodeDisconnect } from './disconnect-packet.ts';
import { brokerLingerMs, clientLingerMs, hangUp } from './hang-up.ts';
import { PacketFramer } from './packet-framer.ts';

/** A DISCONNECT carries at most a reason string and user properties; one beyond this is not passed on. */
const maxDisconnectBytes = 65_536;

export interface RelayStart {
  readonly client: Duplex;
  readonly broker: Duplex;
  readonly mqtt5: boolean;
  /** What the CONNECT asked for: if that was 0, a DISCONNECT cannot change it [MQTT-3.14.2-2]. */
  readonly askedExpirySeconds: number;
  readonly grantedExpirySeconds: number;
}

export class Relay {
  /** The session's expiry as it is when the broker's stream has closed. */
  readonly ended: Promise<number>;
  readonly #client: Duplex;
  readonly #broker: Duplex;
  readonly #framer: PacketFramer | undefined;
  readonly #mayChangeExpiry: boolean;
  #tellEnd: (expirySeconds: number) => void = () => {};
  #expirySeconds: number;
  #disconnected = false;
  #over = false;

  constructor(start: RelayStart) {
    this.#client = start.client;
    this.#broker = start.broker;
    this.#mayChangeExpiry = start.askedExpirySeconds > 0;
    this.#expirySeconds = start.grantedExpirySeconds;
    this.ended = new Promise((resolve) => {
      this.#tellEnd = resolve;
    });
    if (start.mqtt5) this.#framer = new PacketFramer(interestInDisconnect);
  }

  /** The broker's stream is paused. `fromBroker` and `fromClient` came before; `clientGone`: its end was noticed before, too. */
  start(fromBroker: readonly Buffer[], fromClient: readonly Buffer[], clientGone: boolean): void {
    const client = this.#client;
    const broker = this.#broker;
    client.on('drain', () => broker.resume());
    broker.on('drain', () => client.resume());
    client.once('end', this.#end).once('close', this.#end);
    broker.once('end', this.#end);
    // Before the broker's end, if that came meanwhile: what it said first is said to the client first.
    for (const chunk of fromBroker) this.#fromBroker(chunk);
    if (broker.closed) this.#close();
    else broker.once('close', this.#close);

    client.on('data', this.#fromClient);
    broker.on('data', this.#fromBroker);
    client.resume();
    if (!client.writableNeedDrain) broker.resume();
    for (const chunk of fromClient) this.#fromClient(chunk);
    if (clientGone) this.#end();
  }

  readonly #fromClient = (chunk: Buffer): void => {
    if (this.#over) return;
    if (!this.#watch(chunk)) {
      // The chunk stays here: what the broker would make of a DISCONNECT that we cannot read is not known, so to the
      // broker this is a lost connection, and the expiry stands.
      this.#end();
      return;
    }
    if (!this.#broker.write(chunk)) this.#client.pause();
  };

  readonly #fromBroker = (chunk: Buffer): void => {
    if (this.#over || this.#client.destroyed) return;
    if (!this.#client.write(chunk)) this.#broker.pause();
  };

  /** False for what is not MQTT. */
  #watch(chunk: Buffer): boolean {
    if (this.#framer === undefined || this.#disconnected) return true;
    for (let at = 0; at < chunk.length; ) {
      const step = this.#framer.step(chunk, at);
      if (step === undefined) return false;
      at = step.next;
      if (step.packet === undefined) continue;
      const packet = decodeDisconnect(step.packet.body);
      if (packet.kind === 'malformed') return false;
      this.#disconnected = true;
      if (packet.sessionExpiryInterval !== undefined && this.#mayChangeExpiry)
        this.#expirySeconds = packet.sessionExpiryInterval;
      return true;
    }
    return true;
  }

  readonly #end = (): void => {
    if (this.#over) return;
    this.#over = true;
    hangUp(this.#broker, brokerLingerMs);
    hangUp(this.#client, clientLingerMs);
  };

  readonly #close = (): void => {
    this.#end();
    this.#tellEnd(this.#expirySeconds);
  };
}

function interestInDisconnect(firstByte: number, length: number): 'keep' | 'skip' | 'refuse' {
  if (firstByte >> 4 !== 14) return 'skip';
  return firstByte === 0xe0 && length <= maxDisconnectBytes ? 'keep' : 'refuse';
}
