// Stands for AWS IoT Core: a real MQTT broker (3.1, 3.1.1 and 5) that asks the custom authorizer at CONNECT, enforces
// the policy documents of its answer, tells of connections by presence events, and answers GetConnection and
// DeleteConnection. It must not know what the authorizer decides by: deployments, limits, the table.

import { randomUUID } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { Aedes, type Client, type ConnectPacket } from 'aedes';
import { sessionExpirySecondsMax } from '../shared/config/constants.ts';
import { type Seconds, seconds } from '../shared/domain/time.ts';
import type { Clock } from '../shared/ports/common/clock.ts';
import type { Broker } from '../shared/ports/presence/broker.ts';
import {
  allowDoublePubrel,
  dropClosedClient,
  editConnack,
  filterBytes,
  onInbound,
  watchDelayedWills,
  wipeSession,
} from './aedes-internals.ts';
import { type Authorize, askAuthorizer, authorizerAnswerMs } from './authorizer-call.ts';
import { type Access, createConnections } from './broker-connections.ts';
import { createBrokerSessions, type Memory } from './broker-sessions.ts';
import { enforcePolicy } from './enforce-policy.ts';
import { type Faults, withFaults } from './faults.ts';
import { createInbound } from './inbound-check.ts';
import { buildConnectFailed, createVersions, hasPresence } from './presence-events.ts';
import { realSchedule, type Schedule } from './schedule.ts';
import { createSharedSubscriptions, renameShared } from './shared-subscriptions.ts';
import { createTurns } from './turns.ts';

export interface LocalBrokerOptions {
  readonly authorize: Authorize;
  /** Must not throw. */
  readonly onPresence: (event: object) => void;
  readonly clock: Clock;
  /** How long a session of MQTT 3 without clean session outlives its connection. */
  readonly persistentExpirySeconds: (deploymentId: string) => number | Promise<number>;
  /** How long the authorizer may take; IoT Core's 5 s unless told. */
  readonly answerMs?: number;
  /** Of presence events. */
  readonly faults?: Faults;
  readonly schedule?: Schedule;
  /** Where the sessions outlive the process. */
  readonly memory?: Memory | undefined;
  /** Hears of what must not happen inside aedes; it costs one client its connection. */
  readonly onDefect?: (error: unknown) => void;
}

export interface LocalBroker extends Broker {
  /** Takes a client in. No port leads here: a stream comes from the front door, or from a test that opens one. */
  accept(stream: Duplex, ipAddress: string): void;
  /** Ends all connections, with a presence event each, and resolves when they are over. */
  close(): Promise<void>;
}

interface Admitted {
  readonly access: Access;
  /** A session of the client id was there and goes on. */
  readonly resumed: boolean;
  readonly endTurn: () => void;
}

/** MQTT 5 reason codes of a DISCONNECT. */
const sessionTakenOver = 0x8e;
const administrativeAction = 0x98;
const malformedPacket = 0x81;

/** MQTT 3 return codes; aedes translates them for MQTT 5. */
const refusals = { unavailable: 3, notAuthorized: 5 } as const;

// How long aedes may still be at work on a CONNECT whose socket has ended.
const abandonedMs = 100;

/** The deployment that a client id names; empty where it names none. */
function deploymentOf(clientId: string): string {
  return clientId.slice(0, Math.max(0, clientId.indexOf(':')));
}

export async function createLocalBroker(options: LocalBrokerOptions): Promise<LocalBroker> {
  const { authorize, clock, persistentExpirySeconds, schedule = realSchedule, answerMs = authorizerAnswerMs } = options;
  const emit = withFaults(options.onPresence, options.faults, schedule);
  const aedes = new Aedes({
    connectTimeout: 10_000,
    // Of MQTT 3.1, which allows 23; IoT Core takes 128 in every version.
    maxClientsIdLength: 128,
    queueLimit: 1_000,
    // A client that does not read holds up everybody else's messages for as long.
    drainTimeout: 10_000,
    sessionExpiryIntervalLimit: sessionExpirySecondsMax,
  });
  const onDefect = options.onDefect ?? (() => undefined);
  (aedes as EventEmitter).on('error', onDefect);
  await aedes.listen();
  allowDoublePubrel(aedes);

  const versions = createVersions(clock);
  const delayedWills = watchDelayedWills(aedes);
  const sessions = createBrokerSessions({
    clock,
    schedule,
    memory: options.memory,
    async wipe(clientId) {
      versions.gone(clientId);
      // A will waits for its delay or for the end of its session, whichever comes first [MQTT-3.1.3.2.2].
      delayedWills.publish(clientId);
      await wipeSession(aedes, clientId);
    },
  });
  const connections = createConnections({ clock, schedule, sessions, versions, emit });
  const shared = createSharedSubscriptions(aedes.id);
  const turns = createTurns();
  const packets = new WeakMap<Client, ConnectPacket>();
  const addresses = new WeakMap<Client, string>();
  const admitted = new WeakMap<Client, Admitted>();

  async function askAccess(client: Client, packet: ConnectPacket): Promise<Access | undefined> {
    const ipAddress = addresses.get(client) ?? '';
    const { clientId, username, password } = packet;
    const answer = await askAuthorizer(authorize, { clientId, username, password }, schedule, answerMs);
    if (answer.kind === 'allowed' && answer.policy('iot:Connect', `client/${client.id}`)) {
      const { principalId, policy, disconnectAfterSeconds } = answer;
      const persistent = client.version !== 5 && !client.clean;
      const expirySeconds: Seconds = seconds(persistent ? await persistentExpirySeconds(deploymentOf(clientId)) : 0);
      return { principalId, policy, disconnectAfterSeconds, ipAddress, expirySeconds };
    }
    const of = { clientId, sessionIdentifier: randomUUID(), principalIdentifier: answer.principalId ?? '', ipAddress };
    if (hasPresence(clientId)) emit(buildConnectFailed(of, clock.now()));
    return undefined;
  }

  // A client that gives up while it waits must leave the connection and the session that it meets as they are.
  async function admit(client: Client, packet: ConnectPacket): Promise<boolean> {
    const access = await askAccess(client, packet);
    if (access === undefined) return false;
    const endTurn = await turns.take(client.id);
    client.conn.once('close', () => realSchedule(endTurn, abandonedMs));
    if (client.closed) {
      endTurn();
      return false;
    }
    // The old connection is over before aedes hears of the new one, so that the old session has its own end first:
    // with an expiry of 0 it is not resumed, and a clean start drops it, queue and all (S9).
    await connections.end(client.id, 'DUPLICATE_CLIENTID', sessionTakenOver);
    const resumed = packet.clean !== true && (await sessions.resumes(client.id));
    if (!resumed) await sessions.drop(client.id);
    admitted.set(client, { access, resumed, endTurn });
    return true;
  }

  aedes.preConnect = (client, packet, done) => {
    packets.set(client, packet);
    editConnack(client, packet.protocolVersion ?? 4, (answer) => {
      if (answer.cmd !== 'connack' || (answer.returnCode ?? 0) + (answer.reasonCode ?? 0) > 0) return answer;
      // aedes knows a session by its subscriptions only; MQTT 3.1 has no such flag.
      const sessionPresent = client.version !== 3 && (admitted.get(client)?.resumed ?? false);
      const { sharedSubscriptionAvailable: _, ...properties } = {
        sharedSubscriptionAvailable: false,
        ...answer.properties,
      };
      return { ...answer, sessionPresent, properties };
    });
    done(null, true);
  };

  aedes.authenticate = (client, _username, _password, done) => {
    const refuse = (returnCode: 3 | 5) => done(Object.assign(new Error('CONNECT refused'), { returnCode }), false);
    const packet = packets.get(client);
    if (packet === undefined) return refuse(refusals.unavailable);
    admit(client, packet).then(
      (allowed) => (allowed ? done(null, true) : refuse(refusals.notAuthorized)),
      () => refuse(refusals.unavailable),
    );
  };

  enforcePolicy(aedes, { policyOf: (client) => admitted.get(client)?.access.policy, connections, shared });

  aedes.on('client', (client) => {
    const arrival = admitted.get(client);
    if (arrival === undefined || client.closed) dropClosedClient(aedes, client);
    else connections.open(client, arrival.access);
    arrival?.endTurn();
  });
  aedes.on('clientDisconnect', (client) => {
    shared.leaveAll(client);
    connections.ended(client);
  });
  aedes.on('keepaliveTimeout', (client) => connections.blame(client, 'MQTT_KEEP_ALIVE_TIMEOUT'));
  aedes.on('clientError', (client, error) => {
    // What has a code comes from the socket; the rest is what aedes thinks of the client's packets.
    if (!('code' in error)) connections.blame(client, 'CLIENT_ERROR');
  });
  aedes.on('unsubscribe', (filters, client) => shared.leave(client, filters));
  aedes.on('publish', (packet, client) => {
    if (client !== null) shared.route(packet);
  });

  const streams = new Set<Duplex>();

  function accept(stream: Duplex, ipAddress: string): void {
    streams.add(stream);
    stream.once('close', () => streams.delete(stream));
    const client = aedes.handle(stream);
    addresses.set(client, ipAddress);
    onInbound(client, (packet) => {
      if (packet.cmd === 'disconnect') connections.blame(client, 'CLIENT_INITIATED_DISCONNECT');
      renameShared(packet);
    });
    const inbound = createInbound({
      refuse() {
        connections.blame(client, 'CLIENT_ERROR');
        client.disconnect({ reasonCode: malformedPacket });
      },
      fail(error) {
        onDefect(error);
        stream.destroy();
      },
    });
    filterBytes(client, inbound.read);
  }

  return {
    accept,
    getConnection: (id) => sessions.says(id),
    async deleteConnection(id, { cleanSession }) {
      const ended = await connections.end(id, 'API_INITIATED_DISCONNECT', administrativeAction);
      const left = (await sessions.says(id)).kind === 'retained';
      if (left && cleanSession) await sessions.drop(id);
      return ended === 'ended' || left ? 'done' : 'gone';
    },
    async close() {
      connections.endAll('SERVER_INITIATED_DISCONNECT');
      await new Promise<void>((resolve) => aedes.close(resolve));
      // Those that have not been connected yet.
      for (const stream of streams) stream.destroy();
      sessions.close();
    },
  };
}
