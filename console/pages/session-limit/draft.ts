// What somebody is typing into the settings, and what of it differs from what is stored.

import type { SessionLimit, SessionLimitChange } from '../../client/types.ts';
import { parseMaxSessions } from './max-sessions.ts';
import { withNames } from './whitelist-editor.tsx';

export interface Draft {
  readonly max: string;
  readonly whitelist: readonly string[];
  readonly pending: string;
}

export function draftOf({ maxSessionsPerUsername, whitelist }: SessionLimit): Draft {
  return { max: String(maxSessionsPerUsername), whitelist, pending: '' };
}

export function whitelistOf(draft: Draft): readonly string[] {
  return draft.pending === '' ? draft.whitelist : withNames(draft.whitelist, draft.pending);
}

const sameNames = (a: readonly string[], b: readonly string[]): boolean => {
  const names = new Set(a);
  return names.size === new Set(b).size && b.every((name) => names.has(name));
};

/** Undefined where the number typed is none. Empty where nothing differs. */
export function changeIn(draft: Draft, stored: SessionLimit): SessionLimitChange | undefined {
  const max = parseMaxSessions(draft.max);
  if (max === undefined) return undefined;
  const whitelist = [...whitelistOf(draft)];
  return {
    ...(max === stored.maxSessionsPerUsername ? {} : { maxSessionsPerUsername: max }),
    ...(sameNames(whitelist, stored.whitelist) ? {} : { whitelist }),
  };
}
