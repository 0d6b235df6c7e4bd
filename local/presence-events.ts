// Presence events as IoT Core sends them: their fields, and the numbering of connections.

import type { Ms } from '../shared/domain/time.ts';
import type { Clock } from '../shared/ports/common/clock.ts';

export type DisconnectReason =
  | 'AUTH_ERROR'
  | 'CLIENT_INITIATED_DISCONNECT'
  | 'CLIENT_ERROR'
  | 'CONNECTION_LOST'
  | 'DUPLICATE_CLIENTID'
  | 'MQTT_KEEP_ALIVE_TIMEOUT'
  | 'SERVER_INITIATED_DISCONNECT'
  | 'API_INITIATED_DISCONNECT'
  | 'CUSTOMAUTH_TTL_EXPIRATION';

/** What all events of one connection have in common. */
export interface PresenceOf {
  readonly clientId: string;
  readonly sessionIdentifier: string;
  readonly principalIdentifier: string;
  readonly versionNumber: number;
  readonly ipAddress: string;
}

/** [AWS: client ids that contain # or + do not receive lifecycle events] */
export function hasPresence(clientId: string): boolean {
  return clientId !== '' && !/[#+]/.test(clientId);
}

export function buildConnected(of: PresenceOf, at: Ms): object {
  const { clientId, sessionIdentifier, principalIdentifier, ipAddress, versionNumber } = of;
  const eventType = 'connected';
  return { clientId, timestamp: at, eventType, sessionIdentifier, principalIdentifier, ipAddress, versionNumber };
}

export function buildDisconnected(of: PresenceOf, disconnectReason: DisconnectReason, at: Ms): object {
  const { clientId, sessionIdentifier, principalIdentifier, versionNumber } = of;
  return {
    clientId,
    timestamp: at,
    eventType: 'disconnected',
    clientInitiatedDisconnect: disconnectReason === 'CLIENT_INITIATED_DISCONNECT',
    disconnectReason,
    sessionIdentifier,
    principalIdentifier,
    versionNumber,
  };
}

export function buildConnectFailed(of: Omit<PresenceOf, 'versionNumber'>, at: Ms): object {
  const { clientId, sessionIdentifier, principalIdentifier, ipAddress } = of;
  return {
    clientId,
    timestamp: at,
    eventType: 'connect_failed',
    connectFailureReason: 'AUTHORIZATION_FAILED',
    principalIdentifier,
    sessionIdentifier,
    ipAddress,
  };
}

/** Numbers the connections of each client id. */
export interface Versions {
  next(clientId: string): number;
  /** The client id has neither a connection nor a session any more. */
  gone(clientId: string): void;
}

const forgetMs = 3_600_000;

/** A client id that has been gone for an hour starts again at 0, as on IoT Core. */
export function createVersions(clock: Clock): Versions {
  const last = new Map<string, number>();
  const goneAt = new Map<string, Ms>();

  // Oldest first: a map keeps the order of insertion, and nothing in it is ever changed.
  const forget = (): void => {
    for (const [clientId, at] of goneAt) {
      if (clock.now() - at < forgetMs) return;
      goneAt.delete(clientId);
      last.delete(clientId);
    }
  };

  return {
    next(clientId) {
      forget();
      goneAt.delete(clientId);
      const version = (last.get(clientId) ?? -1) + 1;
      last.set(clientId, version);
      return version;
    },
    gone(clientId) {
      if (last.has(clientId) && !goneAt.has(clientId)) goneAt.set(clientId, clock.now());
    },
  };
}
