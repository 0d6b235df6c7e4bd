// CONNECT: read with every check that MQTT asks for, and written again for the broker with another client id and user
// name. What is not changed is copied byte by byte, because decoding and encoding loses things: the order of a will's
// user properties, which must be kept [MQTT-3.1.3-10], is one.
import { ByteReader, encodeString, MalformedPacket } from './byte-reader.ts';
import { frame } from './packet-framer.ts';
import { allowedIn, hasProperty, numberProperty, property, readProperties } from './properties.ts';

export type ProtocolVersion = 3 | 4 | 5;

export interface ConnectPacket {
  readonly protocolVersion: ProtocolVersion;
  readonly cleanStart: boolean;
  readonly clientId: string;
  /** With its suffix. */
  readonly userName: string | undefined;
  readonly password: Buffer | undefined;
  /** MQTT 5 only; 0 where the packet has none. */
  readonly sessionExpiryInterval: number;
  /** The longest packet that the client takes, in bytes. */
  readonly maximumPacketSize: number;
  readonly enhancedAuthentication: boolean;
  readonly body: Buffer;
  /** Where the flags, the client id and what follows the will stand in `body`. */
  readonly flagsAt: number;
  readonly clientIdAt: number;
  readonly willAt: number;
  readonly userNameAt: number;
}

export type DecodedConnect =
  | { readonly kind: 'connect'; readonly packet: ConnectPacket }
  /** Says which family of CONNACK such a client can read. */
  | { readonly kind: 'unsupported_version'; readonly answerVersion: 4 | 5 }
  | { readonly kind: 'malformed'; readonly problem: string };

const flagBits = {
  reserved: 0x01,
  cleanStart: 0x02,
  will: 0x04,
  willQos: 0x18,
  willRetain: 0x20,
  password: 0x40,
  userName: 0x80,
};

export function decodeConnect(body: Buffer): DecodedConnect {
  try {
    return readConnect(new ByteReader(body));
  } catch (error) {
    if (error instanceof MalformedPacket) return { kind: 'malformed', problem: error.message };
    throw error;
  }
}

function readConnect(reader: ByteReader): DecodedConnect {
  const protocolName = reader.string();
  const level = reader.byte();
  if (protocolName !== 'MQTT' && protocolName !== 'MQIsdp') throw new MalformedPacket('not the protocol name of MQTT');
  const protocolVersion = parseVersion(protocolName, level);
  // A bridge sets the highest bit over MQTT 3 levels; told 0x01, it comes again without.
  if (protocolVersion === undefined) return { kind: 'unsupported_version', answerVersion: (level & 0x7f) < 5 ? 4 : 5 };

  const flagsAt = reader.offset;
  const flags = reader.byte();
  checkFlags(flags, protocolVersion);
  reader.uint16(); // keep alive
  const properties = protocolVersion === 5 ? readProperties(reader, allowedIn.connect) : [];
  const receiveMaximum = numberProperty(properties, property.receiveMaximum);
  const maximumPacketSize = numberProperty(properties, property.maximumPacketSize);
  if (receiveMaximum === 0 || maximumPacketSize === 0) throw new MalformedPacket('a maximum is 0');
  const enhancedAuthentication = hasProperty(properties, property.authenticationMethod);
  if (!enhancedAuthentication && hasProperty(properties, property.authenticationData))
    throw new MalformedPacket('authentication data without a method');

  // U+0000 in these two is answered as any other character that cannot be tracked (S8), once credentials were checked.
  const clientIdAt = reader.offset;
  const clientId = reader.stringWithAnyCharacter();
  const willAt = reader.offset;
  if (flags & flagBits.will) {
    if (protocolVersion === 5) readProperties(reader, allowedIn.will);
    reader.topicName();
    reader.binary();
  }
  const userNameAt = reader.offset;
  const userName = flags & flagBits.userName ? reader.stringWithAnyCharacter() : undefined;
  const password = flags & flagBits.password ? reader.binary() : undefined;
  if (!reader.done) throw new MalformedPacket('bytes follow the last field');

  return {
    kind: 'connect',
    packet: {
      protocolVersion,
      cleanStart: (flags & flagBits.cleanStart) !== 0,
      clientId,
      userName,
      password,
      sessionExpiryInterval: numberProperty(properties, property.sessionExpiryInterval) ?? 0,
      maximumPacketSize: maximumPacketSize ?? Number.POSITIVE_INFINITY,
      enhancedAuthentication,
      body: reader.body,
      flagsAt,
      clientIdAt,
      willAt,
      userNameAt,
    },
  };
}

function parseVersion(protocolName: 'MQTT' | 'MQIsdp', level: number): ProtocolVersion | undefined {
  if (protocolName === 'MQIsdp') return level === 3 ? 3 : undefined;
  return level === 4 || level === 5 ? level : undefined;
}

/** [MQTT-3.1.2-3], [MQTT-3.1.2-11] to [MQTT-3.1.2-15], and for MQTT 3: no password without a user name. */
function checkFlags(flags: number, protocolVersion: ProtocolVersion): void {
  if (flags & flagBits.reserved) throw new MalformedPacket('the reserved flag is set');
  if (!(flags & flagBits.will) && flags & (flagBits.willQos | flagBits.willRetain))
    throw new MalformedPacket('will flags without a will');
  if ((flags & flagBits.willQos) === flagBits.willQos) throw new MalformedPacket('the will has QoS 3');
  if (protocolVersion < 5 && flags & flagBits.password && !(flags & flagBits.userName))
    throw new MalformedPacket('a password without a user name');
}

export interface BrokerConnect {
  readonly clientId: string;
  readonly userName: string;
  readonly cleanStart: boolean;
}

/** The same CONNECT for the broker. It carries no password: the ticket in the user name stands for it. */
export function encodeBrokerConnect(packet: ConnectPacket, change: BrokerConnect): Buffer {
  const { body, flagsAt, clientIdAt, willAt, userNameAt } = packet;
  const kept = body.readUInt8(flagsAt) & ~(flagBits.password | flagBits.cleanStart);
  const flags = kept | flagBits.userName | (change.cleanStart ? flagBits.cleanStart : 0);
  return frame(0x10, [
    body.subarray(0, flagsAt),
    Buffer.of(flags),
    body.subarray(flagsAt + 1, clientIdAt),
    encodeString(change.clientId),
    body.subarray(willAt, userNameAt),
    encodeString(change.userName),
  ]);
}
