// Holds the clients of the local broker to the policy documents that the authorizer gave them, with IoT Core's
// consequences: a PUBLISH that is not allowed ends the connection, a SUBSCRIBE fails, a delivery is dropped.

import type { Aedes, Client } from 'aedes';
import { forgetFilters } from './aedes-internals.ts';
import type { Connections } from './broker-connections.ts';
import type { Action, Policy } from './policy.ts';
import { parseShared, type SharedSubscriptions, toClientFilter } from './shared-subscriptions.ts';

export interface Enforcement {
  /** Undefined for a client that was not admitted: nothing is allowed. */
  readonly policyOf: (client: Client) => Policy | undefined;
  readonly connections: Connections;
  readonly shared: SharedSubscriptions;
}

/** MQTT 5 reason code. */
const notAuthorized = 0x87;
/** What SUBACK grants goes up to this; all beyond is a refusal. */
const highestQos = 2;

export function enforcePolicy(aedes: Aedes, { policyOf, connections, shared }: Enforcement): void {
  const allows = (client: Client, action: Action, resource: string): boolean =>
    policyOf(client)?.(action, resource) ?? false;

  aedes.authorizePublish = (client, packet, done) => {
    // A will that aedes publishes for a broker that is no more: there is only this one.
    if (client === null) return done(new Error('no client'));
    // A will's delay is the broker's affair; no PUBLISH carries it [MQTT-3.3.2].
    if (packet.properties !== undefined) Reflect.deleteProperty(packet.properties, 'willDelayInterval');
    const resource = `topic/${packet.topic}`;
    const allowed =
      !packet.topic.startsWith('$') &&
      allows(client, 'iot:Publish', resource) &&
      (!packet.retain || allows(client, 'iot:RetainPublish', resource));
    if (allowed) return done(null);
    // A will comes when its connection is over already, and is just not published.
    if (client.closed) return done(new Error('will not authorized'));
    // IoT Core disconnects for it; aedes left to itself tells MQTT 5 clients by PUBACK and keeps them. Not calling
    // back leaves the packet where it is, and nothing follows the DISCONNECT.
    connections.blame(client, 'AUTH_ERROR');
    if (client.version === 5) void connections.end(client.id, 'AUTH_ERROR', notAuthorized);
    else done(new Error('PUBLISH not authorized'));
  };

  aedes.authorizeSubscribe = (client, subscription, done) => {
    const filter = toClientFilter(subscription.topic);
    const isShared = parseShared(filter);
    const allowed =
      (isShared === 'shared' || (isShared === 'not_shared' && !filter.startsWith('$'))) &&
      allows(client, 'iot:Subscribe', `topicfilter/${filter}`);
    if (allowed) shared.join(client, subscription.topic, subscription.qos);
    done(null, allowed ? subscription : null);
  };

  aedes.authorizeForward = (client, packet) => (allows(client, 'iot:Receive', `topic/${packet.topic}`) ? packet : null);

  aedes.on('subscribe', (subscriptions, client) => {
    const refused = subscriptions.filter((subscription) => subscription.qos > highestQos).map(({ topic }) => topic);
    if (refused.length > 0) void forgetFilters(aedes, client, refused);
  });
}
