// How sessions and counts are shown.

import type { Username } from '../../../domain/ids.ts';
import { decideLimit } from '../../../domain/limit.ts';
import { disconnectedAtOf, madeOf, pendingOf, type Session } from '../../../domain/session/record.ts';
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
  if (session.phase.kind === 'connected') return 'connected';
  return pendingOf(session) === undefined ? 'retained' : 'pending';
}

export function viewSession(session: Session): SessionView {
  const state = stateOf(session);
  const made = madeOf(session);
  const disconnectedAt = disconnectedAtOf(session);
  const [{ protocolVersion, ipAddress }] = session.attempts;
  return {
    clientId: session.clientId,
    username: session.username,
    state,
    ...(made === undefined ? {} : { connectedAt: made.at }),
    ...(disconnectedAt === undefined ? {} : { disconnectedAt }),
    ...(state === 'retained' ? { expiresAt: session.countsUntil } : {}),
    ...(protocolVersion === undefined ? {} : { protocolVersion }),
    ...(ipAddress === undefined ? {} : { ipAddress }),
    sessionExpirySeconds: session.expirySeconds,
  };
}
