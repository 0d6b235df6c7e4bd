// What a caller may ask of a session limit or an override (product contract, section 3), read from untrusted JSON.

import { maxSessionsPerUsernameMax, usernamesPerListMax } from '../../config/constants.ts';
import { parseUsername, type Username } from '../../domain/ids.ts';
import type { Override, SessionLimit } from '../../domain/limit.ts';
import { defaultsOf, limitSettings } from '../../domain/settings.ts';
import { type Check, type Checked, checkFields, type Fault, faulty, fine } from '../common/fault.ts';
import { checksOf } from './setting-checks.ts';

export type SessionLimitInput = SessionLimit & { readonly whitelist: readonly Username[] };

/** Faults that one list names; a wrong export of 10,000 usernames needs no answer of a megabyte. */
const namedFaultsMax = 100;

const checkWhitelist: Check<readonly Username[]> = (raw, name) => {
  if (!Array.isArray(raw)) return faulty(name, 'must be a list of usernames');
  const faults: Fault[] = [];
  const usernames = new Set<Username>();
  for (const [place, entry] of raw.entries()) {
    const parsed = parseUsername(entry);
    if (parsed.ok) usernames.add(parsed.value);
    else faults.push({ name: `${name}.${place}`, problem: parsed.problem });
  }
  if (usernames.size > usernamesPerListMax)
    faults.unshift({
      name,
      problem: `must hold at most ${usernamesPerListMax} usernames, this one has ${usernames.size}`,
    });
  if (faults.length === 0) return fine([...usernames]);
  const unnamed = faults.length - namedFaultsMax;
  if (unnamed <= 0) return { ok: false, faults };
  return { ok: false, faults: [...faults.slice(0, namedFaultsMax), { name, problem: `has ${unnamed} more faults` }] };
};

const sessionLimitChecks = { ...checksOf(limitSettings), whitelist: checkWhitelist };

/** Only what is to change. */
export function parseSessionLimitChange(raw: unknown): Checked<Partial<SessionLimitInput>> {
  return checkFields<SessionLimitInput>(raw, sessionLimitChecks);
}

/** The whole; a field left out takes its default. */
export function parseSessionLimit(raw: unknown): Checked<SessionLimitInput> {
  const given = parseSessionLimitChange(raw);
  if (!given.ok) return given;
  return fine({ ...defaultsOf(limitSettings), whitelist: [], ...given.value });
}

const checkOverride: Check<Override> = (raw, name) => {
  if (raw === 'unlimited' || raw === 'blocked') return fine({ kind: raw });
  const max = sessionLimitChecks.maxSessionsPerUsername(raw, name);
  if (max.ok) return fine({ kind: 'number', max: max.value });
  return faulty(name, `must be a whole number from 1 to ${maxSessionsPerUsernameMax}, "unlimited" or "blocked"`);
};

export function parseOverride(raw: unknown): Checked<Override> {
  const given = checkFields<{ limit: Override }>(raw, { limit: checkOverride });
  if (!given.ok) return given;
  const { limit } = given.value;
  return limit === undefined ? faulty('limit', 'is required') : fine(limit);
}
