// DISCONNECT as an MQTT 5 client sends it: all that matters here is whether it changes the session's expiry.
import { ByteReader, MalformedPacket } from './byte-reader.ts';
import { allowedIn, numberProperty, property, readProperties } from './properties.ts';

export type DecodedDisconnect =
  | { readonly kind: 'disconnect'; readonly sessionExpiryInterval: number | undefined }
  | { readonly kind: 'malformed' };

/** The reason code and then the properties may be left out [MQTT-3.14.2.1]. */
export function decodeDisconnect(body: Buffer): DecodedDisconnect {
  try {
    const reader = new ByteReader(body);
    if (!reader.done) reader.byte();
    const properties = reader.done ? [] : readProperties(reader, allowedIn.disconnect);
    if (!reader.done) return { kind: 'malformed' };
    return { kind: 'disconnect', sessionExpiryInterval: numberProperty(properties, property.sessionExpiryInterval) };
  } catch (error) {
    if (error instanceof MalformedPacket) return { kind: 'malformed' };
    throw error;
  }
}
