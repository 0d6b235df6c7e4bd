// How sessions and counts are shown.

import type { Username } from '../../../domain/ids.ts';
import { decideLimit } from '../../../domain/limit.ts';
import type { Session } from '../../../domain/session/record.ts';
import type { ConnectSettings } from '../../../ports/settings/settings.ts';
import type { SessionState, SessionView, UsernameUsage } from '../../../ports/usage/usage.ts';
import type { Item } from '../presence/session-item.ts';
import { parseUsageItem } from './usage-item.ts';

/** `item`: the username's usage item, or its entry in the rank index. `whitelisted`: on the whitelist that `known` names. */
export function describeUsername(
  username: Username,
  used: number,
  known: ConnectSettings | undefined,
  item: Item | undefined,
  whitelisted: boolean,
): UsernameUsage {
  const { override, rejections } = parseUsageItem(item, known?.limit?.generation);
  return {
    username,
    used,
    limit: decideLimit(known?.limit, whitelisted, override),
    whitelisted,
    ...(rejections === undefined ? {} : { rejections }),
  };
}

export function stateOf(session: Session): SessionState {
  if (session.holding === 'connected') return 'connected';
  return session.leaseUntil === undefined ? 'retained' : 'pending';
}

export function viewSession(session: Session): SessionView {
  const state = stateOf(session);
  return {
    clientId: session.clientId,
    username: session.username,
    state,
    ...(session.connectedAt === undefined ? {} : { connectedAt: session.connectedAt }),
    ...(state === 'connected' || session.disconnectedAt === undefined
      ? {}
      : { disconnectedAt: session.disconnectedAt }),
    ...(state === 'retained' ? { expiresAt: session.countsUntil } : {}),
    ...(session.protocolVersion === undefined ? {} : { protocolVersion: session.protocolVersion }),
    ...(session.ipAddress === undefined ? {} : { ipAddress: session.ipAddress }),
    sessionExpirySeconds: session.expirySeconds,
  };
}
