// Everything that the local broker takes of aedes beyond its documented face, in one place, because the exact version
// is pinned: what it parses, its persistence, and the first packet it writes. A missing part fails at once and by
// name, so that an update of aedes cannot silently change what is enforced.

import type { Aedes, Client } from 'aedes';
import { generate, type Packet, parser } from 'mqtt-packet';

interface Persistence {
  cleanSubscriptions(client: { readonly id: string }): Promise<unknown>;
  removeSubscriptions(client: { readonly id: string }, filters: readonly string[]): Promise<unknown>;
  outgoingStream(client: { readonly id: string }): AsyncIterable<object>;
  outgoingClearMessageId(client: { readonly id: string }, packet: object): Promise<unknown>;
  delWill(client: { readonly id: string; readonly brokerId: string }): Promise<unknown>;
  incomingDelPacket: (client: object, packet: object) => Promise<unknown>;
}

function take<T>(owner: object, name: string, has: (part: object) => part is T & object): T {
  const part: unknown = Reflect.get(owner, name);
  if (typeof part === 'object' && part !== null && has(part)) return part;
  throw new Error(`aedes has no ${name} as this project knows it; see local/aedes-internals.ts`);
}

const isPersistence = (part: object): part is Persistence =>
  [
    'cleanSubscriptions',
    'removeSubscriptions',
    'outgoingStream',
    'outgoingClearMessageId',
    'delWill',
    'incomingDelPacket',
  ].every((name) => typeof Reflect.get(part, name) === 'function');

interface PacketSource {
  prependListener(event: 'packet', listener: (packet: Packet) => void): void;
}

const isPacketSource = (part: object): part is PacketSource =>
  typeof Reflect.get(part, 'prependListener') === 'function';

/** Shows every packet of a client before aedes handles it. The listener may change the packet. */
export function onInbound(client: Client, listener: (packet: Packet) => void): void {
  take(client, '_parser', isPacketSource).prependListener('packet', listener);
}

interface ByteSink {
  parse: (bytes: Buffer) => unknown;
}

const isByteSink = (part: object): part is ByteSink => typeof Reflect.get(part, 'parse') === 'function';

/** Puts `read` between a client's bytes and aedes's parser: what `read` hands on is parsed. */
export function filterBytes(client: Client, read: (bytes: Buffer, parse: (bytes: Buffer) => void) => void): void {
  const sink = take(client, '_parser', isByteSink);
  const parse = sink.parse.bind(sink);
  sink.parse = (bytes) => read(bytes, parse);
}

/** Drops subscriptions, queued messages and will of a client id that has no connection. */
export async function wipeSession(aedes: Aedes, clientId: string): Promise<void> {
  const persistence = take(aedes, 'persistence', isPersistence);
  const client = { id: clientId, brokerId: aedes.id };
  await persistence.cleanSubscriptions(client);
  await persistence.delWill(client);
  for await (const packet of persistence.outgoingStream(client))
    await persistence.outgoingClearMessageId(client, packet);
}

/** Of two PUBRELs that come at once, the second finds no packet: aedes leaves that rejection to end the process. */
export function allowDoublePubrel(aedes: Aedes): void {
  const persistence = take(aedes, 'persistence', isPersistence);
  const remove = persistence.incomingDelPacket.bind(persistence);
  persistence.incomingDelPacket = (client, packet) => remove(client, packet).catch(() => undefined);
}

/** Takes out of a session what aedes keeps though it was refused: it stores a SUBSCRIBE whole if one filter is granted. */
export async function forgetFilters(aedes: Aedes, client: Client, filters: readonly string[]): Promise<void> {
  await take(aedes, 'persistence', isPersistence).removeSubscriptions(client, filters);
}

/** Takes a client out that aedes registered although its socket had ended meanwhile: aedes would never do it. */
export function dropClosedClient(aedes: Aedes, client: Client): void {
  const remove: unknown = Reflect.get(aedes, 'deleteClient');
  if (typeof remove !== 'function') throw new Error('aedes has no deleteClient; see local/aedes-internals.ts');
  Reflect.apply(remove, aedes, [client.id]);
}

interface WillTimers {
  scheduleWill(client: Client, will: object, delaySeconds: number): void;
  clearDelayedWill(clientId: string): void;
  publishWill(client: Client, will: object): void;
}

const isWillTimers = (aedes: object): aedes is WillTimers =>
  ['scheduleWill', 'clearDelayedWill', 'publishWill'].every((name) => typeof Reflect.get(aedes, name) === 'function');

export interface DelayedWills {
  /** The session of a client id is over: its will does not wait any longer [MQTT-3.1.3.2.2]. */
  publish(clientId: string): void;
}

/** Keeps what aedes hides in a timer: the wills that wait for their delay. */
export function watchDelayedWills(aedes: Aedes): DelayedWills {
  if (!isWillTimers(aedes)) throw new Error('aedes has no delayed wills; see local/aedes-internals.ts');
  const waiting = new Map<string, () => void>();
  const schedule = aedes.scheduleWill.bind(aedes);
  const clear = aedes.clearDelayedWill.bind(aedes);
  const publish = aedes.publishWill.bind(aedes);
  aedes.scheduleWill = (client, will, delaySeconds) => {
    // First: aedes clears what waits under the client id before it schedules.
    schedule(client, will, delaySeconds);
    waiting.set(client.id, () => aedes.publishWill(client, will));
  };
  aedes.clearDelayedWill = (clientId) => {
    waiting.delete(clientId);
    clear(clientId);
  };
  aedes.publishWill = (client, will) => {
    waiting.delete(client.id);
    publish(client, will);
  };
  return {
    publish(clientId) {
      const send = waiting.get(clientId);
      aedes.clearDelayedWill(clientId);
      send?.();
    },
  };
}

export interface FirstWriting {
  write: (chunk: string | Uint8Array) => boolean;
}

/** Lets `edit` change the first packet that is written to a client: the CONNACK. */
export function editConnack(client: Client, protocolVersion: 3 | 4 | 5, edit: (packet: Packet) => Packet): void {
  const socket: FirstWriting = client.conn;
  const reader = parser({ protocolVersion });
  reader.on('packet', (packet) => {
    // The own property gone, the class's method is back.
    Reflect.deleteProperty(socket, 'write');
    socket.write(generate(edit(packet), { protocolVersion }));
  });
  socket.write = (chunk) => {
    reader.parse(Buffer.from(chunk));
    return true;
  };
}
