// Who asks, before anything else is looked at (S6). Every way to fail reads as much, hashes as much and gets the same
// answer: an unknown deployment or username, a name that cannot be one, none at all, a wrong password.
//
// While the database does not answer, what was read last speaks for a deployment that says `onStoreFailure: admit`
// (S17). Nobody is told then that a password is wrong: of a name that is not remembered nobody could say so, and the
// difference would tell which names are.

import type { ConnectRequest } from '../domain/connect.ts';
import { type DeploymentId, parseDeploymentId, parseUsername, type Username } from '../domain/ids.ts';
import type { Ms } from '../domain/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { Credential } from '../ports/credentials.ts';
import { StoreUnavailable } from '../ports/errors.ts';
import type { ConnectSettings } from '../ports/settings.ts';
import type { TokenCheck } from '../ports/token-issuer.ts';
import { type RenewPorts, renewHash } from './renew-hash.ts';
import type { CredentialCache, SettingsCache } from './settings-cache.ts';

export interface AuthenticatePorts extends RenewPorts {
  readonly settings: SettingsCache;
  readonly credentials: CredentialCache;
  readonly tokens: TokenCheck;
  readonly clock: Clock;
}

export type Authenticated =
  | {
      readonly kind: 'right';
      readonly deploymentId: DeploymentId;
      readonly username: Username;
      readonly settings: ConnectSettings;
      /** The database did not answer: all of this is from memory. */
      readonly fromMemory: boolean;
      /** When what vouches for the username ends; undefined for a password. */
      readonly validUntil: Ms | undefined;
    }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'overloaded' };

/** Looked for in the place of a name that cannot exist; they cannot either. */
const noDeployment = '-' as DeploymentId;
const noUsername = '?' as Username;
const nothing = new Uint8Array();

/** Throws StoreUnavailable where nobody can say. */
export async function authenticate(ports: AuthenticatePorts, request: ConnectRequest): Promise<Authenticated> {
  const deployment = parseDeploymentId(request.deploymentId ?? '');
  const user = parseUsername(request.username ?? '');
  const deploymentId = deployment.ok ? deployment.value : noDeployment;
  const username = user.ok ? user.value : noUsername;
  const scope = JSON.stringify([request.deploymentId, request.username]);
  const password = request.password ?? nothing;
  // A right token needs no hash: who has one has nothing left to learn. Anything else is a password, right or wrong.
  const byToken = async (settings: ConnectSettings | undefined): Promise<Ms | undefined> => {
    if (settings?.tokenIssuer === undefined || !user.ok) return undefined;
    return ports.tokens.verify(password, settings.tokenIssuer, username, ports.clock.now());
  };
  const check = (settings: ConnectSettings | undefined, credential: Credential | undefined) =>
    // A deployment that is gone may have left credentials behind; they are worth nothing.
    ports.passwords.check(scope, settings === undefined ? undefined : credential, password);

  const held = ports.credentials.isHeld(deploymentId, username);
  const read = await Promise.all([
    ports.settings.get(deploymentId),
    ports.credentials.getCredential(deploymentId, username),
  ]).catch(onlyUnavailable);
  if (read instanceof StoreUnavailable) {
    const settings = recallAdmitting(ports, deploymentId);
    const validUntil = await byToken(settings);
    if (settings !== undefined && validUntil !== undefined)
      return { kind: 'right', deploymentId, username, settings, fromMemory: true, validUntil };
    const credential = settings === undefined ? undefined : ports.credentials.recall(deploymentId, username);
    const checked = await check(settings, credential);
    if (checked === 'overloaded') return { kind: 'overloaded' };
    if (checked === 'wrong' || settings === undefined) throw read;
    return { kind: 'right', deploymentId, username, settings, fromMemory: true, validUntil: undefined };
  }
  const [found, credential] = read;
  // One that is being deleted is unknown already.
  const settings = found?.deployment.status === 'deleting' ? undefined : found;
  const validUntil = await byToken(settings);
  if (settings !== undefined && validUntil !== undefined)
    return { kind: 'right', deploymentId, username, settings, fromMemory: false, validUntil };
  let stored = credential;
  let checked = await check(settings, stored);
  // Nobody is turned away on what is a few seconds old: a new password works at once, and who guesses at a username
  // that is remembered causes as many readings as who guesses at one that does not exist.
  if (checked === 'wrong' && held) {
    const current = await ports.credentials.reread(deploymentId, username);
    if (!isSame(current, stored)) checked = await check(settings, current);
    stored = current;
  }
  if (checked === 'overloaded') return { kind: 'overloaded' };
  if (checked === 'wrong' || settings === undefined) return { kind: 'wrong' };
  if (stored !== undefined) void renewHash(ports, deploymentId, stored, password);
  return { kind: 'right', deploymentId, username, settings, fromMemory: false, validUntil: undefined };
}

function recallAdmitting(ports: AuthenticatePorts, id: DeploymentId): ConnectSettings | undefined {
  const settings = ports.settings.recall(id);
  const admits = settings?.deployment.onStoreFailure === 'admit' && settings.deployment.status !== 'deleting';
  return admits ? settings : undefined;
}

function onlyUnavailable(error: unknown): StoreUnavailable {
  if (error instanceof StoreUnavailable) return error;
  throw error;
}

function isSame(a: Credential | undefined, b: Credential | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Buffer.compare(a.hash.digest, b.hash.digest) === 0;
}
