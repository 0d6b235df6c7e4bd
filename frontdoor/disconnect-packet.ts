// DISCONNECT as a client sends it: read strictly, and written anew for the broker, which then hears nothing that the front
// door has not understood (S10).
import { ByteReader, MalformedPacket } from './byte-reader.ts';
import type { ProtocolVersion } from './connect-packet.ts';
import { encodeWithLength, frame } from './packet-framer.ts';
import { numberProperty, type Property, property, readProperties } from './properties.ts';

export type DecodedDisconnect =
  | {
      readonly kind: 'disconnect';
      /** In seconds; undefined where the packet leaves the session's expiry as it is. */
      readonly sessionExpiryInterval: number | undefined;
      /** The same packet for the broker. */
      readonly bytes: Buffer;
    }
  | { readonly kind: 'malformed' };

export const disconnectFirstByte = 0xe0;

const normalDisconnection = 0x00;

/** Reason codes that a client may send: MQTT 5, table 3-10. */
const clientReasonCodes: ReadonlySet<number> = new Set([
  normalDisconnection,
  0x04,
  0x80,
  0x81,
  0x82,
  0x83,
  0x90,
  0x93,
  0x94,
  0x95,
  0x96,
  0x97,
  0x98,
  0x99,
]);

/** Properties that a client may send: all of a DISCONNECT but Server Reference [MQTT-3.14.2.2.5]. */
const clientProperties = [property.sessionExpiryInterval, property.reasonString, property.userProperty] as const;

/**
 * `askedExpirySeconds`: what the CONNECT asked for; an expiry that was 0 stays 0 [MQTT-3.14.2-2]. The reason code and
 * then the properties may be left out [MQTT-3.14.2.1]; MQTT 3 has neither.
 */
export function decodeDisconnect(
  body: Buffer,
  protocolVersion: ProtocolVersion,
  askedExpirySeconds: number,
): DecodedDisconnect {
  if (protocolVersion < 5) return body.length === 0 ? disconnect(normalDisconnection, body, []) : { kind: 'malformed' };
  try {
    const reader = new ByteReader(body);
    const reasonCode = reader.done ? normalDisconnection : reader.byte();
    const properties = reader.done ? [] : readProperties(reader, clientProperties);
    if (!reader.done || !clientReasonCodes.has(reasonCode)) return { kind: 'malformed' };
    const decoded = disconnect(reasonCode, body, properties);
    const makesPersistent = askedExpirySeconds === 0 && (decoded.sessionExpiryInterval ?? 0) > 0;
    return makesPersistent ? { kind: 'malformed' } : decoded;
  } catch (error) {
    if (error instanceof MalformedPacket) return { kind: 'malformed' };
    throw error;
  }
}

function disconnect(
  reasonCode: number,
  body: Buffer,
  properties: readonly Property[],
): DecodedDisconnect & { readonly kind: 'disconnect' } {
  const fields = properties.map(({ start, end }) => body.subarray(start, end));
  const isShort = reasonCode === normalDisconnection && fields.length === 0;
  return {
    kind: 'disconnect',
    sessionExpiryInterval: numberProperty(properties, property.sessionExpiryInterval),
    bytes: frame(disconnectFirstByte, isShort ? [] : [Buffer.of(reasonCode), encodeWithLength(fields)]),
  };
}
