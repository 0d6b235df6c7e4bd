// Which limit holds for a username (S4). Pure: settings in, a decision out.

import type { limitSettings, Values } from './settings.ts';

/** A deployment's session limit as configured; undefined elsewhere means none was ever configured (S1). */
export type SessionLimit = Values<typeof limitSettings>;

/** A username's own limit. */
export type Override =
  | { readonly kind: 'number'; readonly max: number }
  | { readonly kind: 'unlimited' }
  | { readonly kind: 'blocked' };

/** What holds at an admission. */
export type EffectiveLimit =
  | { readonly kind: 'none' } // nothing is enforced
  | { readonly kind: 'blocked' }
  | { readonly kind: 'unlimited'; readonly because: 'whitelist' | 'override' }
  | { readonly kind: 'number'; readonly max: number };

/** Blocked wins over the whitelist, the whitelist over an override, an override over the default. */
export function decideLimit(
  limit: SessionLimit | undefined,
  whitelisted: boolean,
  override: Override | undefined,
): EffectiveLimit {
  if (limit === undefined || !limit.enabled) return { kind: 'none' };
  if (override?.kind === 'blocked') return { kind: 'blocked' };
  if (whitelisted) return { kind: 'unlimited', because: 'whitelist' };
  if (override?.kind === 'unlimited') return { kind: 'unlimited', because: 'override' };
  if (override?.kind === 'number') return { kind: 'number', max: override.max };
  return { kind: 'number', max: limit.maxSessionsPerUsername };
}

/** The most sessions the limit admits; Infinity where it admits all. A blocked username is admitted none. */
export function maxSessions(limit: EffectiveLimit): number {
  switch (limit.kind) {
    case 'none':
    case 'unlimited':
      return Number.POSITIVE_INFINITY;
    case 'blocked':
      return 0;
    case 'number':
      return limit.max;
  }
}

/** As whoever reads of it is told: `null` where nothing is enforced. */
export type ShownLimit = number | 'unlimited' | 'blocked' | null;

export function shownLimit(limit: EffectiveLimit): ShownLimit {
  switch (limit.kind) {
    case 'none':
      return null;
    case 'number':
      return limit.max;
    case 'blocked':
    case 'unlimited':
      return limit.kind;
  }
}
