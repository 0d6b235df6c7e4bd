// How sessions and counts are shown.

import type { Username } from '../../domain/ids.ts';
import { decideLimit } from '../../domain/limit.ts';
import type { Session } from '../../domain/session.ts';
import type { ConnectSettings } from '../../ports/settings.ts';
import type { SessionState, SessionView, UsernameUsage } from '../../ports/usage.ts';
import { parseRejectionItem } from './rejection-store.ts';
import type { Item } from './session-item.ts';
import { parseOverrideItem } from './settings-item.ts';

export function describeUsername(
  username: Username,
  used: number,
  known: ConnectSettings | undefined,
  items: {
    readonly rejections: Item | undefined;
    readonly override: Item | undefined;
    readonly whitelisted: boolean;
  },
): UsernameUsage {
  const { whitelisted } = items;
  const override = parseOverrideItem(items.override, known?.limit?.generation ?? 0);
  const rejections = parseRejectionItem(items.rejections);
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
