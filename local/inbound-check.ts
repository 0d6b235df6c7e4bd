// What a client sends, checked packet by packet before aedes parses it: aedes takes malformed properties and forwards
// them, and some of them end its process. A client that breaks MQTT's rules harms its own connection only.

import { ByteReader, MalformedPacket } from '../frontdoor/byte-reader.ts';
import { decodeConnect, type ProtocolVersion } from '../frontdoor/connect-packet.ts';
import { decodeDisconnect } from '../frontdoor/disconnect-packet.ts';
import { frame, PacketFramer } from '../frontdoor/packet-framer.ts';
import { allowedIn, numberProperty, property, readProperties } from '../frontdoor/properties.ts';

export interface Inbound {
  /** Hands whole, well-formed packets to `parse`, and nothing behind a DISCONNECT [MQTT-3.14.4-2]. */
  read(bytes: Buffer, parse: (packet: Buffer) => void): void;
}

export interface InboundEnd {
  /** The client sent what is malformed or not allowed. */
  refuse(): void;
  /** `parse` threw. */
  fail(error: unknown): void;
}

/** By the CONNECT. */
interface AskedFor {
  readonly version: ProtocolVersion;
  readonly expirySeconds: number;
}

/** The first four bits of a DISCONNECT. */
const disconnectType = 14;

export function createInbound(end: InboundEnd): Inbound {
  const framer = new PacketFramer(() => 'keep');
  let session: AskedFor | undefined;
  let over = false;

  const takes = (firstByte: number, body: Buffer): boolean => {
    if (session !== undefined) return takesPacket(firstByte, body, session);
    const connect = firstByte === 0x10 ? decodeConnect(body) : undefined;
    if (connect?.kind !== 'connect') return false;
    const { protocolVersion, sessionExpiryInterval = 0 } = connect.packet;
    session = { version: protocolVersion, expirySeconds: sessionExpiryInterval };
    return true;
  };
  const takesWhole = (firstByte: number, body: Buffer): boolean => {
    try {
      return takes(firstByte, body);
    } catch (error) {
      if (error instanceof MalformedPacket) return false;
      throw error;
    }
  };

  return {
    read(bytes, parse) {
      for (let at = 0; at < bytes.length && !over; ) {
        const step = framer.step(bytes, at);
        if (step !== undefined && step.packet === undefined) return;
        const packet = step?.packet;
        if (step === undefined || packet === undefined || !takesWhole(packet.firstByte, packet.body)) {
          over = true;
          return end.refuse();
        }
        at = step.next;
        over = packet.firstByte >> 4 === disconnectType;
        try {
          parse(frame(packet.firstByte, [packet.body]));
        } catch (error) {
          over = true;
          return end.fail(error);
        }
      }
    },
  };
}

/** A packet behind the CONNECT. A server's packets, a second CONNECT and AUTH are protocol errors [MQTT-3.1.0-2]. */
function takesPacket(firstByte: number, body: Buffer, { version, expirySeconds }: AskedFor): boolean {
  const reader = new ByteReader(body);
  switch (firstByte >> 4) {
    case 3:
      return takesPublish(firstByte & 0x0f, reader, version);
    case 4:
    case 5:
    case 7:
      return (firstByte & 0x0f) === 0 && takesAcknowledgement(reader, version);
    case 6:
      return (firstByte & 0x0f) === 2 && takesAcknowledgement(reader, version);
    case 8:
      return (firstByte & 0x0f) === 2 && takesSubscribe(reader, version);
    case 10:
      return (firstByte & 0x0f) === 2 && takesUnsubscribe(reader, version);
    case 12:
      return firstByte === 0xc0 && reader.done;
    case 14:
      return firstByte === 0xe0 && decodeDisconnect(body, version, expirySeconds).kind === 'disconnect';
    default:
      return false;
  }
}

/** What a topic may hold is aedes's to say. */
function takesPublish(flags: number, reader: ByteReader, version: ProtocolVersion): boolean {
  const qos = (flags >> 1) & 3;
  // [MQTT-3.3.1-2], [MQTT-3.3.1-4]
  if (qos === 3 || (qos === 0 && (flags & 8) !== 0)) return false;
  reader.string();
  if (qos > 0 && reader.uint16() === 0) return false;
  for (const { id, value } of version === 5 ? readProperties(reader, allowedIn.publish) : [])
    if (id === property.responseTopic && value === '') return false;
  return true;
}

function takesAcknowledgement(reader: ByteReader, version: ProtocolVersion): boolean {
  if (reader.uint16() === 0) return false;
  if (version === 5 && !reader.done) {
    reader.byte();
    if (!reader.done) readProperties(reader, allowedIn.acknowledgement);
  }
  return reader.done;
}

function takesSubscribe(reader: ByteReader, version: ProtocolVersion): boolean {
  if (reader.uint16() === 0) return false;
  if (
    version === 5 &&
    numberProperty(readProperties(reader, allowedIn.subscribe), property.subscriptionIdentifier) === 0
  )
    return false;
  // [MQTT-3.8.3-2]
  if (reader.done) return false;
  for (; !reader.done; ) {
    reader.string();
    if (!takesOptions(reader.byte(), version)) return false;
  }
  return true;
}

/** QoS, and in MQTT 5 no local, retain as published, retain handling; the rest is reserved [MQTT-3.8.3-5]. */
function takesOptions(options: number, version: ProtocolVersion): boolean {
  if (version < 5) return options <= 2;
  return options < 0x40 && (options & 0x03) !== 0x03 && (options & 0x30) !== 0x30;
}

function takesUnsubscribe(reader: ByteReader, version: ProtocolVersion): boolean {
  if (reader.uint16() === 0) return false;
  if (version === 5) readProperties(reader, allowedIn.unsubscribe);
  // [MQTT-3.10.3-2]
  if (reader.done) return false;
  for (; !reader.done; ) reader.string();
  return true;
}
