// Items of settings, read: pure, so that whoever fetches them (one batch read on the connect path) can. An item that
// this code never wrote is a mistake of ours, and throws.

import {
  type DeploymentId,
  parseDeploymentId,
  parseTenantId,
  parseUsername,
  type TenantId,
  type Username,
} from '../../../domain/ids.ts';
import type { Override, SessionLimit } from '../../../domain/limit.ts';
import {
  deploymentSettings,
  limitSettings,
  type Setting,
  type Settings,
  type Values,
  valuesOf,
} from '../../../domain/settings.ts';
import { type Ms, ms } from '../../../domain/time.ts';
import type {
  ConnectSettings,
  Deployment,
  StoredDeployment,
  StoredOverride,
} from '../../../ports/settings/settings.ts';
import { parseTokenIssuerItem } from '../credentials/token-issuer-item.ts';

type Item = Record<string, unknown>;

/** The limit item, configured or not: its versions and its lists outlive what was configured. */
export interface LimitItem {
  /** Undefined: never configured, or deleted. */
  readonly configured:
    | {
        readonly settings: SessionLimit;
        readonly whitelistId: string | undefined;
        readonly whitelistSize: number;
        readonly updatedAt: Ms;
      }
    | undefined;
  /** 0 where there never was a version. */
  readonly version: number;
  /** Overrides of another generation are void. Starts at 1, grows with every delete. */
  readonly generation: number;
  readonly overrideCount: number;
  /** Only a count of 0 that is there says that there is none. */
  readonly mayHaveOverrides: boolean;
  /** How many changes of overrides there were. */
  readonly overrideVersion: number;
  /** How many overrides were removed one by one. */
  readonly overridesRemoved: number;
  /** Every whitelist that may still have entries, the current one among them. */
  readonly lists: ReadonlySet<string>;
  /** Those that were current once, and when they ceased to be. */
  readonly retired: ReadonlyMap<string, number>;
}

function text(item: Item, name: string): string {
  const value = item[name];
  if (typeof value !== 'string') throw new TypeError(`attribute ${name} of ${String(item.pk)} is no string`);
  return value;
}

function number(item: Item, name: string): number {
  const value = item[name];
  if (typeof value !== 'number') throw new TypeError(`attribute ${name} of ${String(item.pk)} is no number`);
  return value;
}

function numberOr(item: Item, name: string, absent: number): number {
  return item[name] === undefined ? absent : number(item, name);
}

function stringSet(value: unknown): ReadonlySet<string> {
  return value instanceof Set ? value : new Set<string>();
}

function numberMap(value: unknown): ReadonlyMap<string, number> {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return new Map(entries.map(([name, at]) => [name, Number(at)]));
}

function trusted<T>(
  parsed: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string },
): T {
  if (parsed.ok) return parsed.value;
  throw new TypeError(`stored: ${parsed.problem}`);
}

function oneOf<const T extends string>(item: Item, name: string, allowed: readonly T[]): T {
  const value = text(item, name);
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw new TypeError(`attribute ${name} of ${String(item.pk)} is ${value}`);
  return found;
}

/** An item that was written before a setting existed has the setting's default. */
function storedSettings<S extends Settings>(item: Item, settings: S): Values<S> {
  return valuesOf(settings, (setting, name) =>
    item[name] === undefined ? setting.default : storedValue(item, name, setting),
  );
}

/** Bounds are not checked: they may have been wider when the item was written. */
function storedValue(item: Item, name: string, setting: Setting): boolean | number | string {
  switch (setting.kind) {
    case 'flag':
      return item[name] === true;
    case 'number':
    case 'seconds':
      return number(item, name);
    case 'choice':
      return oneOf(item, name, setting.of);
  }
}

export const storedUsername = (item: Item): Username => trusted(parseUsername(text(item, 'sk')));
export const storedDeploymentId = (item: Item): DeploymentId => trusted(parseDeploymentId(text(item, 'sk')));
const storedTenantId = (item: Item): TenantId => trusted(parseTenantId(text(item, 'tenantId')));

export function parseDeploymentItem(item: Item | undefined): Deployment | undefined {
  if (item === undefined) return undefined;
  return {
    deploymentId: trusted(parseDeploymentId(text(item, 'deploymentId'))),
    tenantId: storedTenantId(item),
    name: text(item, 'name'),
    mqttHost: item.mqttHost === undefined ? undefined : text(item, 'mqttHost'),
    status: oneOf(item, 'status', ['active', 'suspended', 'deleting']),
    ...storedSettings(item, deploymentSettings),
    createdAt: ms(number(item, 'createdAt')),
  };
}

export function parseStoredDeployment(item: Item | undefined): StoredDeployment | undefined {
  const deployment = parseDeploymentItem(item);
  if (item === undefined || deployment === undefined) return undefined;
  return { ...deployment, version: numberOr(item, 'version', 1) };
}

export function parseLimitItem(item: Item | undefined): LimitItem {
  const from = item ?? {};
  const whitelistId = from.whitelistId === undefined ? undefined : text(from, 'whitelistId');
  return {
    configured:
      from.configured === true
        ? {
            settings: storedSettings(from, limitSettings),
            whitelistId,
            whitelistSize: number(from, 'whitelistSize'),
            updatedAt: ms(number(from, 'updatedAt')),
          }
        : undefined,
    version: numberOr(from, 'version', 0),
    generation: numberOr(from, 'generation', 1),
    overrideCount: numberOr(from, 'overrideCount', 0),
    mayHaveOverrides: from.overrideCount !== 0,
    overrideVersion: numberOr(from, 'overrideVersion', 0),
    overridesRemoved: numberOr(from, 'overridesRemoved', 0),
    lists: stringSet(from.lists),
    retired: numberMap(from.retired),
  };
}

export function parseConnectSettings(
  deploymentItem: Item | undefined,
  limitItem: Item | undefined,
  tokenIssuerItem: Item | undefined,
): ConnectSettings | undefined {
  const deployment = parseDeploymentItem(deploymentItem);
  if (deployment === undefined) return undefined;
  const { configured, generation, mayHaveOverrides } = parseLimitItem(limitItem);
  const tokenIssuer = parseTokenIssuerItem(tokenIssuerItem);
  const tokens = tokenIssuer === undefined ? {} : { tokenIssuer };
  if (configured === undefined) return { deployment, limit: undefined, ...tokens };
  const limit = { ...configured.settings, whitelistId: configured.whitelistId, generation, mayHaveOverrides };
  return { deployment, limit, ...tokens };
}

/** Undefined for an override that was deleted together with the limit it stood beside. */
export function parseStoredOverride(item: Item | undefined, generation: number): StoredOverride | undefined {
  if (item === undefined || item.generation !== generation) return undefined;
  const limit = item.limit;
  const override: Override =
    limit === 'unlimited' || limit === 'blocked' ? { kind: limit } : { kind: 'number', max: number(item, 'limit') };
  return { username: storedUsername(item), override, version: number(item, 'version') };
}

export function parseOverrideItem(item: Item | undefined, generation: number): Override | undefined {
  return parseStoredOverride(item, generation)?.override;
}
