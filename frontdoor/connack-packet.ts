// CONNACK: written where the front door answers, read where the broker does.
import { ByteReader, encodeString, MalformedPacket } from './byte-reader.ts';
import type { ProtocolVersion } from './connect-packet.ts';
import { encodeWithLength, frame } from './packet-framer.ts';
import { allowedIn, numberProperty, type Property, property, readProperties } from './properties.ts';

/** Return codes and reason codes that are about the protocol; those about a decision are in the domain's table. */
export const protocolConnacks = {
  unsupportedVersion: { v5: 0x84, v3: 0x01, reasonString: 'Unsupported protocol version' },
  enhancedAuthentication: { v5: 0x8c, v3: 0x05, reasonString: 'Bad authentication method' },
} as const;

const firstByte = 0x20;

/**
 * A refusal. Undefined where not even the bare packet fits into what the client takes [MQTT-3.1.2-24]; the reason
 * string is left out where it would not fit [MQTT-3.2.2-19].
 */
export function encodeRefusal(
  protocolVersion: ProtocolVersion,
  connack: { readonly v5: number; readonly v3: number; readonly reasonString: string },
  maximumPacketSize = Number.POSITIVE_INFINITY,
): Buffer | undefined {
  if (protocolVersion < 5) return frame(firstByte, [Buffer.of(0, connack.v3)]);
  const reasonString = encodeWithLength([Buffer.of(property.reasonString), encodeString(connack.reasonString)]);
  const whole = frame(firstByte, [Buffer.of(0, connack.v5), reasonString]);
  const bare = frame(firstByte, [Buffer.of(0, connack.v5), encodeWithLength([])]);
  return [whole, bare].find((packet) => packet.length <= maximumPacketSize);
}

export interface BrokerConnack {
  /** 0 is success in both families. */
  readonly code: number;
  /** MQTT 5: Session Expiry Interval where the broker's differs from the one asked for. */
  readonly sessionExpiryInterval: number | undefined;
  /** The packet to pass on. */
  readonly bytes: Buffer;
}

/** Undefined for what is no CONNACK of this version. `prefix` is what the front door put before the client id. */
export function decodeConnack(
  body: Buffer,
  protocolVersion: ProtocolVersion,
  prefix: string,
): BrokerConnack | undefined {
  try {
    const reader = new ByteReader(body);
    reader.byte(); // session present
    const code = reader.byte();
    const propertiesAt = reader.offset;
    const properties = protocolVersion === 5 && !reader.done ? readProperties(reader, allowedIn.connack) : [];
    return {
      code,
      sessionExpiryInterval: numberProperty(properties, property.sessionExpiryInterval),
      bytes: withoutPrefix(body, propertiesAt, properties, prefix) ?? frame(firstByte, [body]),
    };
  } catch (error) {
    if (error instanceof MalformedPacket) return undefined;
    throw error;
  }
}

/**
 * A broker assigns an id only to a client that sent none, and the front door always sends one; but should it name the
 * id, the client must see the one that it knows. Undefined where there is nothing to change.
 */
function withoutPrefix(
  body: Buffer,
  propertiesAt: number,
  properties: readonly Property[],
  prefix: string,
): Buffer | undefined {
  const assigned = properties.find((each) => each.id === property.assignedClientIdentifier);
  if (typeof assigned?.value !== 'string' || !assigned.value.startsWith(prefix)) return undefined;
  const clientId = encodeString(assigned.value.slice(prefix.length));
  const kept = properties.map((each) =>
    each === assigned ? Buffer.concat([Buffer.of(each.id), clientId]) : body.subarray(each.start, each.end),
  );
  return frame(firstByte, [body.subarray(0, propertiesAt), encodeWithLength(kept)]);
}
