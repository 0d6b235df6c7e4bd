// Signed tokens in the place of MQTT passwords: whose, as a caller of the API sets it, and the keys that come from the
// issuer's URL. Keys are fetched here, when they are set and on a schedule; the connect path only ever reads them.

import type { DeploymentId, OperationId } from '../../domain/ids.ts';
import type { Clock } from '../../ports/common/clock.ts';
import type { Log } from '../../ports/common/log.ts';
import {
  type AudienceClaim,
  audienceClaims,
  jwksUrlUnreachable,
  type KeyFetcher,
  type MissingIssuer,
  type PublicKey,
  type PutIssuer,
  type SignersOf,
  type TokenIssuer,
  type TokenIssuerInput,
  type TokenIssuerStore,
} from '../../ports/credentials/token-issuer.ts';
import type { Change, Deployment, DeploymentStore, Stale } from '../../ports/settings/settings.ts';
import { type Check, type Checked, checkFields, type Fault, faulty, fine } from '../common/fault.ts';
import { changeAndEnd, type StartPorts } from '../operations/operations.ts';
import type { Caller } from '../settings/expected.ts';
import { expecting } from '../settings/session-limit.ts';
import { parseGivenKeys, readFetchedKeys } from './public-keys.ts';

export interface TokenIssuerPorts {
  readonly issuers: TokenIssuerStore;
  readonly fetcher: KeyFetcher;
  readonly signersOf: SignersOf;
  /** A change that drops a key disconnects the clients that the key let in (S21). */
  readonly starts: StartPorts;
  readonly clock: Clock;
}

/** Whose issuer it is, and the subject that changes it. */
type Of = Pick<Deployment, 'deploymentId' | 'tenantId'> & { readonly startedBy: string };

const cause = { kind: 'token_issuer_changed' } as const;

/** Whether a token that `before` accepted by its signature may be refused by `after`. */
function dropsKey(signersOf: SignersOf, before: TokenIssuer | undefined, after: TokenIssuer): boolean {
  if (before === undefined) return false;
  const kept = signersOf(after);
  return [...signersOf(before)].some((one) => !kept.has(one));
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
  | PutIssuer
  /** The URL gave no keys; nothing was changed. */
  | { readonly kind: 'no_keys'; readonly problem: string };

/** What came of a change, and the operation that disconnects the clients it concerns. */
export interface ChangedIssuer<Outcome> {
  readonly outcome: Outcome;
  readonly operationId: OperationId | undefined;
}

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
  of: Of,
  input: TokenIssuerInput,
  caller: Caller,
): Promise<ChangedIssuer<PutIssuerOutcome>> {
  const id = of.deploymentId;
  const { source, ...named } = input;
  const keys = source.kind === 'keys' ? source.keys : await fetchUsable(ports.fetcher, source.jwksUrl);
  if (typeof keys === 'string') return { outcome: { kind: 'no_keys', problem: keys }, operationId: undefined };
  const issuer = { ...named, keys, jwksUrl: source.kind === 'url' ? source.jwksUrl : undefined };
  const write = (change: Change) => ports.issuers.putTokenIssuer(id, issuer, change);
  const put = () => expecting(ports, caller, () => versionOf(ports, id), write);
  // What is replaced, the write itself says: another change may come between a reading and the write.
  const drops = (made: PutIssuer) => made.kind === 'done' && dropsKey(ports.signersOf, made.before, made.value);
  return changeAndEnd(ports.starts, of, cause, put, drops);
}

export async function deleteTokenIssuer(
  ports: TokenIssuerPorts,
  of: Of,
  caller: Caller,
): Promise<ChangedIssuer<{ readonly kind: 'done' } | MissingIssuer | Stale>> {
  const id = of.deploymentId;
  const write = (change: Change) => ports.issuers.deleteTokenIssuer(id, change);
  const remove = () => expecting(ports, caller, () => versionOf(ports, id), write);
  return changeAndEnd(ports.starts, of, cause, remove, ({ kind }) => kind === 'done');
}

export interface Refreshed {
  readonly refreshed: number;
  /** Kept what they had; tried again with the next run. */
  readonly failed: number;
}

const pageSize = 25;
const atOnce = 5;

export interface RefreshPorts extends TokenIssuerPorts {
  readonly settings: Pick<DeploymentStore, 'getDeployment'>;
  readonly log: Log;
}

/**
 * Fetches the keys of every deployment that names a URL. What cannot be fetched keeps what it had; a key that is not
 * there any more disconnects the clients that it let in.
 */
export async function refreshTokenKeys(
  ports: RefreshPorts,
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

async function refreshOne(ports: RefreshPorts, id: DeploymentId): Promise<'refreshed' | 'failed' | 'gone'> {
  try {
    const stored = await ports.issuers.getTokenIssuer(id);
    if (stored?.jwksUrl === undefined) return 'gone';
    const keys = await fetchUsable(ports.fetcher, stored.jwksUrl);
    if (typeof keys === 'string') {
      ports.log.warn('the keys of a token issuer were not fetched', { deploymentId: id, problem: keys });
      return 'failed';
    }
    const replace = () => ports.issuers.replaceKeys(id, stored, { keys, at: ports.clock.now() });
    const isDone = (outcome: 'done' | 'changed') => outcome === 'done';
    if (!dropsKey(ports.signersOf, stored, { ...stored, keys })) return isDone(await replace()) ? 'refreshed' : 'gone';
    const tenantId = (await ports.settings.getDeployment(id))?.tenantId;
    if (tenantId === undefined) return 'gone';
    const of = { deploymentId: id, tenantId, startedBy: 'system' };
    const { outcome, operationId } = await changeAndEnd(ports.starts, of, cause, replace, isDone);
    if (operationId !== undefined) ports.log.info('a token issuer has dropped keys', { deploymentId: id, operationId });
    return isDone(outcome) ? 'refreshed' : 'gone';
  } catch (error) {
    ports.log.warn('the keys of a token issuer were not refreshed', { deploymentId: id, error: String(error) });
    return 'failed';
  }
}
