// What a caller may ask of a session limit or an override (product contract, section 3), read from untrusted JSON.

import {
  maxSessionsPerUsernameDefault,
  maxSessionsPerUsernameMax,
  usernamesPerListMax,
} from '../../config/constants.ts';
import { parseUsername, type Username } from '../../domain/ids.ts';
import type { Override, SessionLimit } from '../../domain/limit.ts';
import { type Check, type Checked, checkFields, type Fault, faulty, fine } from '../common/fault.ts';

export type SessionLimitInput = SessionLimit & { readonly whitelist: readonly Username[] };

/** Faults that one list names; a wrong export of 10,000 usernames needs no answer of a megabyte. */
const namedFaultsMax = 100;

const checkEnabled: Check<boolean> = (raw, name) =>
  typeof raw === 'boolean' ? fine(raw) : faulty(name, 'must be true or false');

const isSessionCount = (raw: unknown): raw is number =>
  typeof raw === 'number' && Number.isInteger(raw) && raw >= 1 && raw <= maxSessionsPerUsernameMax;

const checkMax: Check<number> = (raw, name) =>
  isSessionCount(raw) ? fine(raw) : faulty(name, `must be a whole number from 1 to ${maxSessionsPerUsernameMax}`);

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

const sessionLimitChecks = { enabled: checkEnabled, maxSessionsPerUsername: checkMax, whitelist: checkWhitelist };

/** Only what is to change. */
export function parseSessionLimitChange(raw: unknown): Checked<Partial<SessionLimitInput>> {
  return checkFields<SessionLimitInput>(raw, sessionLimitChecks);
}

/** The whole; a field left out takes its default. */
export function parseSessionLimit(raw: unknown): Checked<SessionLimitInput> {
  const given = parseSessionLimitChange(raw);
  if (!given.ok) return given;
  const defaults = { enabled: true, maxSessionsPerUsername: maxSessionsPerUsernameDefault, whitelist: [] };
  return fine({ ...defaults, ...given.value });
}

const checkOverride: Check<Override> = (raw, name) => {
  if (raw === 'unlimited' || raw === 'blocked') return fine({ kind: raw });
  if (isSessionCount(raw)) return fine({ kind: 'number', max: raw });
  return faulty(name, `must be a whole number from 1 to ${maxSessionsPerUsernameMax}, "unlimited" or "blocked"`);
};

export function parseOverride(raw: unknown): Checked<Override> {
  const given = checkFields<{ limit: Override }>(raw, { limit: checkOverride });
  if (!given.ok) return given;
  const { limit } = given.value;
  return limit === undefined ? faulty('limit', 'is required') : fine(limit);
}
