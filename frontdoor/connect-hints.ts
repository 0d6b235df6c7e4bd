// What only a party that reads the packets knows of a CONNECT, for the core.
import type { ConnectHints } from '../shared/domain/connect.ts';
import { seconds } from '../shared/domain/time.ts';
import type { ConnectPacket } from './connect-packet.ts';

/** A listener on all addresses sees IPv4 peers in this disguise; people look for the plain form. */
const ipv4InIpv6 = /^::ffff:(?=[\d.]+$)/;

export function hintsOf(packet: ConnectPacket, remoteAddress: string | undefined): ConnectHints {
  const { protocolVersion, cleanStart } = packet;
  const asked = askedExpiry(packet, cleanStart);
  return {
    protocolVersion,
    cleanStart,
    ...(asked === undefined ? {} : { expirySeconds: seconds(asked) }),
    ...(remoteAddress === undefined ? {} : { ipAddress: remoteAddress.replace(ipv4InIpv6, '') }),
  };
}

/**
 * The session expiry that this CONNECT would ask for, in seconds, with that clean start. Undefined for a persistent
 * session of MQTT 3, which cannot say for how long.
 */
export function askedExpiry(packet: ConnectPacket, cleanStart: boolean): number | undefined {
  if (packet.protocolVersion === 5) return packet.sessionExpiryInterval;
  return cleanStart ? 0 : undefined;
}
