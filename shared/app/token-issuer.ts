// Signed tokens in the place of MQTT passwords: whose, as a caller of the API sets it, and the keys that come from the
// issuer's URL. Keys are fetched here, when they are set and on a schedule; the connect path only ever reads them.

import type { DeploymentId } from '../domain/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Change, Stale, WriteOutcome } from '../ports/settings.ts';
import {
  type AudienceClaim,
  audienceClaims,
  jwksUrlUnreachable,
  type KeyFetcher,
  type MissingIssuer,
  type PublicKey,
  type StoredTokenIssuer,
  type TokenIssuerInput,
  type TokenIssuerStore,
} from '../ports/token-issuer.ts';
import type { Caller } from './expected.ts';
import { type Check, type Checked, checkFields, type Fault, faulty, fine } from './fault.ts';
import { parseGivenKeys, readFetchedKeys } from './public-keys.ts';
import { expecting } from './session-limit.ts';

export interface TokenIssuerPorts {
  readonly issuers: TokenIssuerStore;
  readonly fetcher: KeyFetcher;
  readonly clock: Clock;
}

const usernameClaimDefault = 'sub';
const audienceClaimDefault = 'aud';

const textOf =
  (max: number): Check<string> =>
  (raw, name) => {
    const fits = typeof raw === 'string' && raw.length >= 1 && raw.length <= max && raw.isWellFormed();
    return fits ? fine(raw) : faulty(name, `must be a string of 1 to ${max} characters`);
  };

const checkAudienceClaim: Check<AudienceClaim> = (raw, name) => {
  const found = audienceClaims.find((claim) => claim === raw);
  return found === undefined ? faulty(name, `must be ${audienceClaims.join(' or ')}`) : fine(found);
};

const checkUrl: Check<string> = (raw, name) => {
  const text = textOf(2_048)(raw, name);
  if (!text.ok) return text;
  return /^https:\/\//i.test(text.value) && URL.canParse(text.value) ? text : faulty(name, 'must be an https URL');
};

export function parseTokenIssuer(raw: unknown): Checked<TokenIssuerInput> {
  const given = checkFields<{
    issuer: string;
    audience: string;
    audienceClaim: AudienceClaim;
    usernameClaim: string;
    jwksUrl: string;
    keys: readonly PublicKey[];
  }>(raw, {
    issuer: textOf(1_024),
    audience: textOf(1_024),
    audienceClaim: checkAudienceClaim,
    usernameClaim: textOf(256),
    jwksUrl: checkUrl,
    keys: parseGivenKeys,
  });
  if (!given.ok) return given;
  const { issuer, audience, jwksUrl, keys } = given.value;
  const { audienceClaim = audienceClaimDefault, usernameClaim = usernameClaimDefault } = given.value;
  const faults: Fault[] = [];
  if (issuer === undefined) faults.push({ name: 'issuer', problem: 'is required' });
  if (audience === undefined) faults.push({ name: 'audience', problem: 'is required' });
  const source =
    keys === undefined
      ? jwksUrl === undefined
        ? undefined
        : ({ kind: 'url', jwksUrl } as const)
      : ({ kind: 'keys', keys } as const);
  if (source === undefined) faults.push({ name: 'jwksUrl', problem: 'is required, or keys' });
  if (jwksUrl !== undefined && keys !== undefined)
    faults.push({ name: 'jwksUrl', problem: 'must not be given together with keys' });
  if (issuer === undefined || audience === undefined || source === undefined || faults.length > 0)
    return { ok: false, faults };
  return fine({ issuer, audience, audienceClaim, usernameClaim, source });
}

export type PutIssuerOutcome =
  | WriteOutcome<StoredTokenIssuer>
  /** The URL gave no keys; nothing was changed. */
  | { readonly kind: 'no_keys'; readonly problem: string };

async function fetchUsable(fetcher: KeyFetcher, url: string): Promise<readonly PublicKey[] | string> {
  const fetched = await fetcher.fetchKeys(url);
  if (fetched.kind === 'refused') return jwksUrlUnreachable;
  if (fetched.kind === 'failed') return fetched.problem;
  const keys = readFetchedKeys(fetched.document);
  return keys.length === 0 ? 'jwksUrl answered with no key that can be used' : keys;
}

async function versionOf(ports: TokenIssuerPorts, id: DeploymentId): Promise<number | undefined> {
  return (await ports.issuers.getTokenIssuer(id))?.version;
}

export async function putTokenIssuer(
  ports: TokenIssuerPorts,
  id: DeploymentId,
  input: TokenIssuerInput,
  caller: Caller,
): Promise<PutIssuerOutcome> {
  const { source, ...named } = input;
  const keys = source.kind === 'keys' ? source.keys : await fetchUsable(ports.fetcher, source.jwksUrl);
  if (typeof keys === 'string') return { kind: 'no_keys', problem: keys };
  const issuer = { ...named, keys, jwksUrl: source.kind === 'url' ? source.jwksUrl : undefined };
  const write = (change: Change) => ports.issuers.putTokenIssuer(id, issuer, change);
  return expecting(ports, caller, () => versionOf(ports, id), write);
}

export async function deleteTokenIssuer(
  ports: TokenIssuerPorts,
  id: DeploymentId,
  caller: Caller,
): Promise<{ readonly kind: 'done' } | MissingIssuer | Stale> {
  const write = (change: Change) => ports.issuers.deleteTokenIssuer(id, change);
  return expecting(ports, caller, () => versionOf(ports, id), write);
}

export interface Refreshed {
  readonly refreshed: number;
  /** Kept what they had; tried again with the next run. */
  readonly failed: number;
}

const pageSize = 25;
const atOnce = 5;

/** Fetches the keys of every deployment that names a URL. What cannot be fetched keeps what it had. */
export async function refreshTokenKeys(
  ports: TokenIssuerPorts & { readonly log: Log },
  shouldStop: () => boolean = () => false,
): Promise<Refreshed> {
  const total = { refreshed: 0, failed: 0 };
  let after: DeploymentId | undefined;
  do {
    const ids = await ports.issuers.listFetched({ limit: pageSize, ...(after === undefined ? {} : { after }) });
    for (let from = 0; from < ids.length && !shouldStop(); from += atOnce) {
      const outcomes = await Promise.all(ids.slice(from, from + atOnce).map((id) => refreshOne(ports, id)));
      total.refreshed += outcomes.filter((outcome) => outcome === 'refreshed').length;
      total.failed += outcomes.filter((outcome) => outcome === 'failed').length;
    }
    after = ids.length < pageSize || shouldStop() ? undefined : ids.at(-1);
  } while (after !== undefined);
  return total;
}

async function refreshOne(
  ports: TokenIssuerPorts & { readonly log: Log },
  id: DeploymentId,
): Promise<'refreshed' | 'failed' | 'gone'> {
  try {
    const stored = await ports.issuers.getTokenIssuer(id);
    if (stored?.jwksUrl === undefined) return 'gone';
    const keys = await fetchUsable(ports.fetcher, stored.jwksUrl);
    if (typeof keys === 'string') {
      ports.log.warn('the keys of a token issuer were not fetched', { deploymentId: id, problem: keys });
      return 'failed';
    }
    const at = ports.clock.now();
    const outcome = await ports.issuers.replaceKeys(id, { version: stored.version, keys, at });
    return outcome === 'done' ? 'refreshed' : 'gone';
  } catch (error) {
    ports.log.warn('the keys of a token issuer were not refreshed', { deploymentId: id, error: String(error) });
    return 'failed';
  }
}
