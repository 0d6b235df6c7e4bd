// Shared subscriptions (`$share/<group>/<filter>`), which IoT Core has and aedes has not. Each lives in aedes as a
// plain subscription to a topic that nothing is published to, so that it is acknowledged, kept with the session,
// restored and removed like any other; each message goes to one member of each group that matches it.

import type { AedesPublishPacket, Client } from 'aedes';
import type { Packet, QoS } from 'mqtt-packet';

const sharePrefix = '$share/';
const standInPrefix = '$headcount-share/';

interface Group {
  readonly filter: readonly string[];
  readonly members: Map<Client, QoS>;
}

export interface SharedSubscriptions {
  /** A member's session is subscribed; does nothing for a filter that is not shared. */
  join(client: Client, standIn: string, qos: QoS): void;
  leave(client: Client, standIns: readonly string[]): void;
  leaveAll(client: Client): void;
  /** Hands a message that was published to one member of each group. */
  route(packet: AedesPublishPacket): void;
}

/** The filter as the client sent it. */
export function toClientFilter(filter: string): string {
  return filter.startsWith(standInPrefix) ? `${sharePrefix}${filter.slice(standInPrefix.length)}` : filter;
}

function toStandIn(filter: string): string {
  return filter.startsWith(sharePrefix) ? `${standInPrefix}${filter.slice(sharePrefix.length)}` : filter;
}

/** Renames shared filters in what a client sends, before aedes sees it. */
export function renameShared(packet: Packet): void {
  if (packet.cmd === 'subscribe') {
    for (const subscription of packet.subscriptions) subscription.topic = toStandIn(subscription.topic);
  } else if (packet.cmd === 'unsubscribe') packet.unsubscriptions = packet.unsubscriptions.map(toStandIn);
}

/** Whether a filter that the client sent is shared, and well formed as such [MQTT-4.8.2-1, MQTT-4.8.2-2]. */
export function parseShared(filter: string): 'not_shared' | 'malformed' | 'shared' {
  if (!filter.startsWith(sharePrefix)) return 'not_shared';
  return /^\$share\/[^/+#]+\/./.test(filter) ? 'shared' : 'malformed';
}

/** MQTT's own wildcards, levels apart. */
export function matchesFilter(filter: readonly string[], topic: readonly string[]): boolean {
  // [MQTT-4.7.2-1]
  if (topic[0]?.startsWith('$') && (filter[0] === '+' || filter[0] === '#')) return false;
  for (const [index, level] of filter.entries()) {
    if (level === '#') return true;
    if (index >= topic.length || (level !== '+' && level !== topic[index])) return false;
  }
  return filter.length === topic.length;
}

export function createSharedSubscriptions(brokerId: string): SharedSubscriptions {
  const groups = new Map<string, Group>();
  let counter = 0;

  const leaveOne = (client: Client, standIn: string): void => {
    const group = groups.get(standIn);
    group?.members.delete(client);
    if (group?.members.size === 0) groups.delete(standIn);
  };

  // A member that had its turn goes to the end of the line.
  const nextMember = (group: Group): readonly [Client, QoS] | undefined => {
    for (const [client, qos] of group.members) {
      if (!client.connected || client.closed) continue;
      group.members.delete(client);
      group.members.set(client, qos);
      return [client, qos];
    }
    return undefined;
  };

  return {
    join(client, standIn, qos) {
      if (!standIn.startsWith(standInPrefix)) return;
      const [, , ...filter] = standIn.split('/');
      const group = groups.get(standIn) ?? { filter, members: new Map() };
      group.members.set(client, qos);
      groups.set(standIn, group);
    },
    leave(client, standIns) {
      for (const standIn of standIns) leaveOne(client, standIn);
    },
    leaveAll(client) {
      for (const standIn of [...groups.keys()]) leaveOne(client, standIn);
    },
    route(packet) {
      const levels = packet.topic.split('/');
      for (const group of groups.values()) {
        const member = matchesFilter(group.filter, levels) ? nextMember(group) : undefined;
        if (member === undefined) continue;
        const [client, qos] = member;
        // aedes takes a message with a lower number than the last one of the same origin for a duplicate. These are
        // numbered apart from its own, or a message on its way to the same client would be lost.
        counter += 1;
        const copy = {
          ...packet,
          brokerId: `${brokerId}-share`,
          brokerCounter: counter,
          qos: Math.min(packet.qos, qos) as QoS,
          retain: false,
          dup: false,
        };
        client.publish(copy, () => undefined);
      }
    },
  };
}
