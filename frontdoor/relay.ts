// Two open streams, piped into each other byte for byte. The only packet looked at is the client's DISCONNECT: it may
// change the session's expiry, so the broker gets it as the relay understood it, and nothing that comes behind it.
// What a DISCONNECT asks for is no proof: the broker may have closed the connection on an earlier packet (S10).
// Small on purpose: ten thousand of these sit idle in one process.
import type { Duplex } from 'node:stream';
import type { ProtocolVersion } from './connect-packet.ts';
import { decodeDisconnect, disconnectFirstByte } from './disconnect-packet.ts';
import { brokerLingerMs, clientLingerMs, hangUp } from './hang-up.ts';
import { PacketFramer } from './packet-framer.ts';

/** A DISCONNECT carries at most a reason string and user properties; one beyond this is not passed on. */
const maxDisconnectBytes = 65_536;

export interface RelayStart {
  readonly client: Duplex;
  readonly broker: Duplex;
  readonly protocolVersion: ProtocolVersion;
  /** What the CONNECT asked for: if that was 0, a DISCONNECT cannot change it [MQTT-3.14.2-2]. */
  readonly askedExpirySeconds: number;
  readonly grantedExpirySeconds: number;
}

/** How a connection ended. */
export interface RelayEnd {
  /** The longest that the broker may keep the session, in seconds. */
  readonly expirySeconds: number;
  /** The DISCONNECT asked for this other expiry, in seconds. Whether the broker read it, the broker alone knows. */
  readonly changedToSeconds?: number;
}

export class Relay {
  /** Resolves when the broker's stream has closed. */
  readonly ended: Promise<RelayEnd>;
  readonly #client: Duplex;
  readonly #broker: Duplex;
  readonly #framer = new PacketFramer(interestInDisconnect);
  readonly #protocolVersion: ProtocolVersion;
  readonly #askedExpirySeconds: number;
  #tellEnd: (end: RelayEnd) => void = () => {};
  #end: RelayEnd;
  #over = false;

  constructor(start: RelayStart) {
    this.#client = start.client;
    this.#broker = start.broker;
    this.#protocolVersion = start.protocolVersion;
    this.#askedExpirySeconds = start.askedExpirySeconds;
    this.#end = { expirySeconds: start.grantedExpirySeconds };
    this.ended = new Promise((resolve) => {
      this.#tellEnd = resolve;
    });
  }

  /** The broker's stream is paused. `fromBroker` and `fromClient` came before; `clientGone`: its end was noticed before, too. */
  start(fromBroker: readonly Buffer[], fromClient: readonly Buffer[], clientGone: boolean): void {
    const client = this.#client;
    const broker = this.#broker;
    client.on('drain', () => broker.resume());
    broker.on('drain', () => client.resume());
    client.once('end', this.#hangUp).once('close', this.#hangUp);
    broker.once('end', this.#hangUp);
    // Before the broker's end, if that came meanwhile: what it said first is said to the client first.
    for (const chunk of fromBroker) this.#fromBroker(chunk);
    if (broker.closed) this.#close();
    else broker.once('close', this.#close);

    client.on('data', this.#fromClient);
    broker.on('data', this.#fromBroker);
    client.resume();
    if (!client.writableNeedDrain) broker.resume();
    for (const chunk of fromClient) this.#fromClient(chunk);
    if (clientGone) this.#hangUp();
  }

  readonly #fromClient = (chunk: Buffer): void => {
    if (this.#over) return;
    const step = this.#framer.step(chunk, 0);
    // What the broker would make of bytes that we cannot frame is not known. So the chunk stays here, and to the broker
    // this is a lost connection.
    if (step === undefined) {
      this.#hangUp();
      return;
    }
    // No byte of a DISCONNECT passes before all of it is here.
    const { last } = step;
    this.#toBroker(last !== undefined && isDisconnect(last.firstByte) ? chunk.subarray(0, last.start) : chunk);
    if (step.packet !== undefined) this.#disconnect(step.packet.body);
  };

  #toBroker(bytes: Buffer): void {
    if (bytes.length > 0 && !this.#broker.write(bytes)) this.#client.pause();
  }

  /** The last packet of the client, understood or not. */
  #disconnect(body: Buffer): void {
    const packet = decodeDisconnect(body, this.#protocolVersion, this.#askedExpirySeconds);
    if (packet.kind === 'disconnect') {
      this.#toBroker(packet.bytes);
      const { expirySeconds } = this.#end;
      const asked = packet.sessionExpiryInterval ?? expirySeconds;
      if (asked !== expirySeconds)
        this.#end = { expirySeconds: Math.max(expirySeconds, asked), changedToSeconds: asked };
    }
    this.#hangUp();
  }

  readonly #fromBroker = (chunk: Buffer): void => {
    if (this.#over || this.#client.destroyed) return;
    if (!this.#client.write(chunk)) this.#broker.pause();
  };

  readonly #hangUp = (): void => {
    if (this.#over) return;
    this.#over = true;
    hangUp(this.#broker, brokerLingerMs);
    hangUp(this.#client, clientLingerMs);
  };

  readonly #close = (): void => {
    this.#hangUp();
    this.#tellEnd(this.#end);
  };
}

/** By its type: whatever its flags, no byte of it passes. */
function isDisconnect(firstByte: number): boolean {
  return firstByte >> 4 === disconnectFirstByte >> 4;
}

function interestInDisconnect(firstByte: number, length: number): 'keep' | 'skip' | 'refuse' {
  if (!isDisconnect(firstByte)) return 'skip';
  return firstByte === disconnectFirstByte && length <= maxDisconnectBytes ? 'keep' : 'refuse';
}
