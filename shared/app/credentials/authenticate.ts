// Credentials: passwords and signed tokens, by which a client proves its username. They come before all else, so that an
// unauthenticated client learns nothing and moves no counter. This folder must not know limits, counts or sessions.
//
// This file checks the credentials of one CONNECT (S6). Every way to fail reads as much, hashes as much and gets the same
// answer: an unknown deployment or username, a name that cannot be one, none at all, a wrong password.
//
// While the database does not answer, what was read last speaks for a deployment that says `onStoreFailure: admit`
// (S17). Nobody is told then that a password is wrong: of a name that is not remembered nobody could say so, and the
// difference would tell which names are.

import type { ConnectRequest } from '../../domain/connect.ts';
import { type DeploymentId, parseDeploymentId, parseUsername, type Username } from '../../domain/ids.ts';
import { networkOf } from '../../domain/source-address.ts';
import type { Clock } from '../../ports/common/clock.ts';
import { StoreUnavailable } from '../../ports/common/errors.ts';
import type { Credential } from '../../ports/credentials/credentials.ts';
import type { TokenCheck, Vouched } from '../../ports/credentials/token-issuer.ts';
import type { ConnectSettings } from '../../ports/settings/settings.ts';
import type { FairTurns } from '../admission/fair-turns.ts';
import type { CredentialCache, SettingsCache } from '../settings/settings-cache.ts';
import { type RenewPorts, renewHash } from './renew-hash.ts';

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
      /** What its token says; undefined for a password. */
      readonly token: Vouched | undefined;
      /** What its password was right for; undefined for a token. */
      readonly credential: Credential | undefined;
    }
  | { readonly kind: 'wrong' }
  /** Its share is used up, or it has left. */
  | { readonly kind: 'overloaded' };

/** Looked for in the place of a name that cannot exist; they cannot either. */
const noDeployment = '-' as DeploymentId;
const noUsername = '?' as Username;
const nothing = new Uint8Array();

/**
 * `readings`: the turns of clients that have not proven yet who they are. `proven`: the credential that the password of this
 * very request was right for; while it is unchanged, nothing is hashed again, and the client does not stand in those turns.
 * Throws StoreUnavailable where the database cannot say.
 */
export async function authenticate(
  ports: AuthenticatePorts,
  readings: FairTurns,
  request: ConnectRequest,
  proven?: Credential,
): Promise<Authenticated> {
  const deployment = parseDeploymentId(request.deploymentId ?? '');
  const user = parseUsername(request.username ?? '');
  const deploymentId = deployment.ok ? deployment.value : noDeployment;
  const username = user.ok ? user.value : noUsername;
  const scope = JSON.stringify([request.deploymentId, request.username]);
  const password = request.password ?? nothing;
  // A right token needs no hash: who has one has nothing left to learn. Anything else is a password, right or wrong.
  const byToken = async (settings: ConnectSettings | undefined): Promise<Vouched | undefined> => {
    if (settings?.tokenIssuer === undefined || !user.ok) return undefined;
    return ports.tokens.verify(password, settings.tokenIssuer, username, ports.clock.now());
  };
  const { left } = request;
  const address = networkOf(request.hints?.ipAddress);
  const shareOf = (isKnown: boolean) => ({ deployment: isKnown ? deploymentId : '', address });
  const check = async (settings: ConnectSettings | undefined, credential: Credential | undefined) => {
    if (proven !== undefined && settings !== undefined && isSame(credential, proven)) return 'right';
    const asker = { share: shareOf(settings !== undefined), left };
    // A deployment that is gone may have left credentials behind; they are worth nothing.
    return ports.passwords.check(scope, settings === undefined ? undefined : credential, password, asker);
  };
  const inTurn = <T>(work: () => Promise<T>): Promise<T | undefined> =>
    proven === undefined
      ? readings.take(shareOf(ports.settings.recall(deploymentId) !== undefined), left, work)
      : work();

  const held = ports.credentials.isHeld(deploymentId, username);
  const read = await inTurn(() =>
    Promise.all([ports.settings.get(deploymentId), ports.credentials.getCredential(deploymentId, username)]),
  ).catch(onlyUnavailable);
  if (read === undefined) return { kind: 'overloaded' };
  if (read instanceof StoreUnavailable) {
    const settings = recallAdmitting(ports, deploymentId);
    const token = await byToken(settings);
    if (settings !== undefined && token !== undefined)
      return { kind: 'right', deploymentId, username, settings, fromMemory: true, token, credential: undefined };
    const credential = settings === undefined ? undefined : ports.credentials.recall(deploymentId, username);
    const checked = await check(settings, credential);
    if (checked === 'overloaded') return { kind: 'overloaded' };
    if (checked === 'wrong' || settings === undefined) throw read;
    return { kind: 'right', deploymentId, username, settings, fromMemory: true, token: undefined, credential };
  }
  const [found, credential] = read;
  // One that is being deleted is unknown already.
  const settings = found?.deployment.status === 'deleting' ? undefined : found;
  const token = await byToken(settings);
  if (settings !== undefined && token !== undefined)
    return { kind: 'right', deploymentId, username, settings, fromMemory: false, token, credential: undefined };
  let proof = credential;
  let checked = await check(settings, proof);
  // Nobody is turned away on what is a few seconds old: a new password works at once, and who guesses at a username
  // that is remembered causes as many readings as who guesses at one that does not exist.
  if (checked === 'wrong' && held) {
    const reread = await inTurn(async () => ({ current: await ports.credentials.reread(deploymentId, username) }));
    if (reread === undefined) return { kind: 'overloaded' };
    if (!isSame(reread.current, credential)) {
      proof = reread.current;
      checked = await check(settings, proof);
    }
  }
  if (checked === 'overloaded') return { kind: 'overloaded' };
  if (checked === 'wrong' || settings === undefined) return { kind: 'wrong' };
  if (proof !== undefined) void renewHash(ports, deploymentId, proof, password);
  return {
    kind: 'right',
    deploymentId,
    username,
    settings,
    fromMemory: false,
    token: undefined,
    credential: proof,
  };
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
