// The settings of a session limit and of a deployment, each declared once, as data. Types, defaults, validation, storage,
// audit, API, typed client and `apply` are loops over these two tables. Knows neither HTTP nor the database.
// docs/contributing-setting.md says how to add a setting.

import {
  maxSessionsPerUsernameDefault,
  maxSessionsPerUsernameMax,
  sessionExpirySecondsDefault,
  sessionExpirySecondsMax,
} from '../config/constants.ts';
import type { Seconds } from './time.ts';

/** In the order in which answers, audit records and the reference show them. The whitelist has items of its own. */
export const limitSettings = {
  enabled: { kind: 'flag', default: true },
  maxSessionsPerUsername: {
    kind: 'number',
    from: 1,
    to: maxSessionsPerUsernameMax,
    default: maxSessionsPerUsernameDefault,
  },
} as const satisfies Settings;

/** In that order too. A deployment's identity, name, host and status have rules of their own. */
export const deploymentSettings = {
  sessionExpirySeconds: {
    kind: 'seconds',
    from: 0,
    to: sessionExpirySecondsMax,
    default: sessionExpirySecondsDefault,
  },
  clientIdTakeover: { kind: 'choice', of: ['deny', 'allow'], default: 'deny' },
  onStoreFailure: { kind: 'choice', of: ['reject', 'admit'], default: 'reject' },
} as const satisfies Settings;

/** The default holds where a caller names none, and for an item that was written before the setting existed. */
export type Setting = (
  | { readonly kind: 'flag'; readonly default: boolean }
  /** A whole number. */
  | { readonly kind: 'number' | 'seconds'; readonly from: number; readonly to: number; readonly default: number }
  | { readonly kind: 'choice'; readonly of: readonly string[]; readonly default: string }
) & {
  /** For the reference. */
  readonly description?: string;
};

export type Settings = Readonly<Record<string, Setting>>;

export type ValueOf<S> = S extends { readonly kind: 'flag' }
  ? boolean
  : S extends { readonly kind: 'number' }
    ? number
    : S extends { readonly kind: 'seconds' }
      ? Seconds
      : S extends { readonly kind: 'choice'; readonly of: readonly (infer Choice)[] }
        ? Choice
        : never;

/** One value for each setting of a table. */
export type Values<S extends Settings> = { readonly [Name in keyof S]: ValueOf<S[Name]> };

/** Values made one by one; `make` answers one of the setting's type. */
export function valuesOf<S extends Settings>(
  settings: S,
  make: (setting: Setting, name: string) => unknown,
): Values<S> {
  const values = Object.entries(settings).map(([name, setting]) => [name, make(setting, name)]);
  return Object.fromEntries(values) as Values<S>;
}

export function defaultsOf<S extends Settings>(settings: S): Values<S> {
  return valuesOf(settings, (setting) => setting.default);
}

/** The settings of an object that may hold more. */
export function settingsIn<S extends Settings>(settings: S, from: Values<S>): Values<S> {
  return valuesOf(settings, (_, name) => from[name]);
}

/** The names of the settings in which two objects differ. */
export function differing<S extends Settings>(settings: S, a: Values<S>, b: Values<S>): readonly string[] {
  return Object.keys(settings).filter((name) => a[name] !== b[name]);
}
