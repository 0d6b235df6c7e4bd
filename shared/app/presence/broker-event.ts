// Parses an IoT Core presence event strictly: refuses anything else with a reason, and guesses nothing. The timestamp is
// approximate and never orders events. It tells when a connection was made or ended, and whether the event is stale.

import { type ClientId, type DeploymentId, type Parsed, parseBrokerClientId } from '../../domain/ids.ts';
import type { Pair } from '../../domain/session/record.ts';
import { type Ms, ms } from '../../domain/time.ts';

interface Common {
  readonly deploymentId: DeploymentId;
  readonly clientId: ClientId;
  readonly at: Ms;
}

export type BrokerEvent =
  | (Common & { readonly type: 'connected'; readonly pair: Pair; readonly ipAddress?: string })
  | (Common & { readonly type: 'disconnected'; readonly pair: Pair; readonly reason?: string })
  | (Common & { readonly type: 'connect_failed' });

/** `latestAt`: an event cannot have happened after it was received. */
export function parseBrokerEvent(raw: unknown, latestAt: Ms): Parsed<BrokerEvent> {
  if (typeof raw !== 'object' || raw === null) return { ok: false, problem: 'a presence event is an object' };
  const event = raw as Readonly<Record<string, unknown>>;
  if (typeof event.clientId !== 'string') return { ok: false, problem: 'a presence event has a clientId' };
  const names = parseBrokerClientId(event.clientId);
  if (!names.ok) return names;
  if (typeof event.timestamp !== 'number' || !Number.isFinite(event.timestamp)) {
    return { ok: false, problem: 'a presence event has a timestamp in milliseconds' };
  }
  const common: Common = { ...names.value, at: ms(Math.min(event.timestamp, latestAt)) };
  if (event.eventType === 'connect_failed') return { ok: true, value: { ...common, type: 'connect_failed' } };
  if (event.eventType !== 'connected' && event.eventType !== 'disconnected') {
    return { ok: false, problem: 'eventType is connected, disconnected or connect_failed' };
  }
  if (typeof event.sessionIdentifier !== 'string' || typeof event.versionNumber !== 'number') {
    return { ok: false, problem: 'a presence event has a sessionIdentifier and a versionNumber' };
  }
  const pair = { sessionIdentifier: event.sessionIdentifier, versionNumber: event.versionNumber };
  if (event.eventType === 'connected') {
    const ip = typeof event.ipAddress === 'string' ? { ipAddress: event.ipAddress } : {};
    return { ok: true, value: { ...common, type: 'connected', pair, ...ip } };
  }
  const reason = typeof event.disconnectReason === 'string' ? { reason: event.disconnectReason } : {};
  return { ok: true, value: { ...common, type: 'disconnected', pair, ...reason } };
}
