// The live connections of the local broker, one for each client id, and why each of them ended: this is where
// presence events come from.

import type { Client } from 'aedes';
import { type Seconds, seconds } from '../shared/domain/time.ts';
import type { Clock } from '../shared/ports/common/clock.ts';
import type { BrokerSessions } from './broker-sessions.ts';
import type { Policy } from './policy.ts';
import {
  buildConnected,
  buildDisconnected,
  type DisconnectReason,
  hasPresence,
  type PresenceOf,
  type Versions,
} from './presence-events.ts';
import type { Schedule } from './schedule.ts';

/** What the authorizer's answer gave a client. */
export interface Access {
  readonly principalId: string;
  readonly policy: Policy;
  readonly disconnectAfterSeconds: number | undefined;
  readonly ipAddress: string;
  /** Session expiry of an MQTT 3 client; an MQTT 5 client has its own. */
  readonly expirySeconds: Seconds;
}

export interface Connections {
  open(client: Client, access: Access): void;
  /** The first reason given is the one that is told; without any, the connection was lost. */
  blame(client: Client, reason: DisconnectReason): void;
  /** The client's connection is over. */
  ended(client: Client): void;
  /** Ends the connection of a client id; resolves when it is over. */
  end(clientId: string, reason: DisconnectReason, reasonCode: number): Promise<'ended' | 'none'>;
  endAll(reason: DisconnectReason): void;
}

export interface ConnectionsOptions {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly sessions: BrokerSessions;
  readonly versions: Versions;
  readonly emit: (event: object) => void;
}

interface Connection {
  readonly client: Client;
  readonly access: Access;
  readonly of: PresenceOf;
  readonly cancel: () => void;
  readonly over: Promise<void>;
  readonly markOver: () => void;
  reason: DisconnectReason | undefined;
}

/** MQTT 5 reason code: maximum connect time. */
const maximumConnectTime = 0xa0;

function expiryOf(client: Client, access: Access): Seconds {
  return client.version === 5 ? seconds(client.sessionExpiryInterval) : access.expirySeconds;
}

export function createConnections({ clock, schedule, sessions, versions, emit }: ConnectionsOptions): Connections {
  const live = new Map<string, Connection>();

  const find = (client: Client): Connection | undefined => {
    const connection = live.get(client.id);
    return connection?.client === client ? connection : undefined;
  };
  const tell = (clientId: string, event: object): void => {
    if (hasPresence(clientId)) emit(event);
  };

  async function end(clientId: string, reason: DisconnectReason, reasonCode: number): Promise<'ended' | 'none'> {
    const connection = live.get(clientId);
    if (connection === undefined) return 'none';
    connection.reason ??= reason;
    // aedes destroys the socket right after the farewell, read or not.
    connection.client.disconnect({ reasonCode });
    await connection.over;
    return 'ended';
  }

  return {
    open(client, access) {
      const { principalId, ipAddress, disconnectAfterSeconds } = access;
      const { sessionIdentifier } = sessions.connect(client.id, expiryOf(client, access));
      const versionNumber = versions.next(client.id);
      const of = { clientId: client.id, sessionIdentifier, principalIdentifier: principalId, versionNumber, ipAddress };
      const cancel =
        disconnectAfterSeconds === undefined
          ? () => undefined
          : schedule(() => {
              if (find(client) !== undefined) void end(client.id, 'CUSTOMAUTH_TTL_EXPIRATION', maximumConnectTime);
            }, disconnectAfterSeconds * 1000);
      let markOver = (): void => undefined;
      const over = new Promise<void>((resolve) => {
        markOver = resolve;
      });
      live.set(client.id, { client, access, of, cancel, over, markOver, reason: undefined });
      tell(client.id, buildConnected(of, clock.now()));
    },
    blame(client, reason) {
      const connection = find(client);
      if (connection !== undefined) connection.reason ??= reason;
    },
    ended(client) {
      const connection = find(client);
      if (connection === undefined) return;
      live.delete(client.id);
      connection.cancel();
      if (sessions.disconnect(client.id, expiryOf(client, connection.access)) === 'over') versions.gone(client.id);
      tell(client.id, buildDisconnected(connection.of, connection.reason ?? 'CONNECTION_LOST', clock.now()));
      connection.markOver();
    },
    end,
    endAll(reason) {
      for (const connection of live.values()) connection.reason ??= reason;
    },
  };
}
