// MQTT 5 properties: read and checked, so that a packet with a bad one is refused here and not counted first.
import { type ByteReader, MalformedPacket } from './byte-reader.ts';

/** The properties that the front door looks at, by the numbers of MQTT 5 section 2.2.2.2. */
export const property = {
  responseTopic: 0x08,
  subscriptionIdentifier: 0x0b,
  sessionExpiryInterval: 0x11,
  assignedClientIdentifier: 0x12,
  authenticationMethod: 0x15,
  authenticationData: 0x16,
  reasonString: 0x1f,
  receiveMaximum: 0x21,
  topicAlias: 0x23,
  userProperty: 0x26,
  maximumPacketSize: 0x27,
} as const;

export interface Property {
  readonly id: number;
  /** Where it stands in the packet's body, its number included. */
  readonly start: number;
  readonly end: number;
  /** Absent for a user property, which may come more than once and means nothing here. */
  readonly value?: number | string | Buffer;
}

type Read = (reader: ByteReader) => number | string | Buffer | undefined;

const flag: Read = (reader) => {
  const value = reader.byte();
  if (value > 1) throw new MalformedPacket('a property that is 0 or 1 is neither');
  return value;
};
const uint16: Read = (reader) => reader.uint16();
const uint32: Read = (reader) => reader.uint32();
const varint: Read = (reader) => reader.varint();
const string: Read = (reader) => reader.string();
const topicName: Read = (reader) => reader.topicName();
const binary: Read = (reader) => reader.binary();
const pair: Read = (reader) => {
  reader.string();
  reader.string();
  return undefined;
};

/** What each property looks like; the same in every packet that may carry it. */
const readers: ReadonlyMap<number, Read> = new Map([
  ...[0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2a].map((id) => [id, flag] as const),
  ...[0x13, 0x21, 0x22, 0x23].map((id) => [id, uint16] as const),
  ...[0x02, 0x11, 0x18, 0x27].map((id) => [id, uint32] as const),
  [property.responseTopic, topicName],
  ...[0x03, 0x12, 0x15, 0x1a, 0x1c, 0x1f].map((id) => [id, string] as const),
  ...[0x09, 0x16].map((id) => [id, binary] as const),
  [property.subscriptionIdentifier, varint],
  [property.userProperty, pair],
]);

/** Which properties a packet, or its will, may carry: table 2-4 of MQTT 5. */
export const allowedIn = {
  connect: [0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, 0x26, 0x27],
  will: [0x01, 0x02, 0x03, 0x08, 0x09, 0x18, 0x26],
  connack: [0x11, 0x12, 0x13, 0x15, 0x16, 0x1a, 0x1c, 0x1f, 0x21, 0x22, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a],
  publish: [0x01, 0x02, 0x03, 0x08, 0x09, 0x23, 0x26],
  acknowledgement: [0x1f, 0x26],
  subscribe: [0x0b, 0x26],
  unsubscribe: [0x26],
} as const;

/** Reads a properties field, its length included. Throws MalformedPacket for one that is not allowed or comes twice. */
export function readProperties(packet: ByteReader, allowed: readonly number[]): readonly Property[] {
  const reader = packet.part(packet.varint());
  const properties: Property[] = [];
  while (!reader.done) {
    const start = reader.offset;
    const id = reader.byte();
    const read = readers.get(id);
    if (read === undefined || !allowed.includes(id))
      throw new MalformedPacket('a property does not belong to this packet');
    if (id !== property.userProperty && properties.some((earlier) => earlier.id === id))
      throw new MalformedPacket('a property comes twice');
    const value = read(reader);
    properties.push({ id, start, end: reader.offset, ...(value === undefined ? {} : { value }) });
  }
  return properties;
}

export function hasProperty(properties: readonly Property[], id: number): boolean {
  return properties.some((each) => each.id === id);
}

/** Undefined where there is none. */
export function numberProperty(properties: readonly Property[], id: number): number | undefined {
  const value = properties.find((each) => each.id === id)?.value;
  return typeof value === 'number' ? value : undefined;
}
