// Settings and credentials of the connect path, held for a few seconds. Unknown deployments are held too; an unknown
// username is not, because somebody may be waiting for it to work.

import type { DeploymentId, Username } from '../../domain/ids.ts';
import type { Ms } from '../../domain/time.ts';
import type { Clock } from '../../ports/common/clock.ts';
import type { Credential, CredentialStore } from '../../ports/credentials/credentials.ts';
import type { ConnectSettings, DeploymentStore } from '../../ports/settings/settings.ts';
import { remember } from '../common/short-memory.ts';

export interface SettingsCache {
  get(id: DeploymentId): Promise<ConnectSettings | undefined>;
  /** For whom was given `than` and has found out, after `since`, that they may have changed. */
  getNewer(id: DeploymentId, than: ConnectSettings, since: Ms): Promise<ConnectSettings | undefined>;
  /** As read last, at most 15 min ago: for while the database does not answer (S17). */
  recall(id: DeploymentId): ConnectSettings | undefined;
}

/** A deployment and its limit are small; keys of a token issuer are up to 2 KB each. */
const bytesOfSettings = ({ tokenIssuer }: ConnectSettings): number => 2_000 + (tokenIssuer?.keys.length ?? 0) * 2_000;

export function createSettingsCache(store: Pick<DeploymentStore, 'getConnectSettings'>, clock: Clock): SettingsCache {
  return remember(clock, (id) => store.getConnectSettings(id as DeploymentId), true, bytesOfSettings);
}

export interface CredentialCache {
  getCredential(id: DeploymentId, username: Username): Promise<Credential | undefined>;
  /** Whether `getCredential` would answer without asking. */
  isHeld(id: DeploymentId, username: Username): boolean;
  /** Asks, whatever is held. */
  reread(id: DeploymentId, username: Username): Promise<Credential | undefined>;
  /** As read last, at most 15 min ago: for while the database does not answer (S17). */
  recall(id: DeploymentId, username: Username): Credential | undefined;
}

type CredentialReader = Pick<CredentialStore, 'getCredential'>;

export function createCredentialCache(store: CredentialReader, clock: Clock): CredentialCache {
  const keyOf = (id: DeploymentId, username: Username) => JSON.stringify([id, username]);
  const memory = remember(
    clock,
    (key) => store.getCredential(...(JSON.parse(key) as Parameters<CredentialReader['getCredential']>)),
    false,
  );
  return {
    getCredential: (id, username) => memory.get(keyOf(id, username)),
    isHeld: (id, username) => memory.isHeld(keyOf(id, username)),
    reread: (id, username) => memory.reread(keyOf(id, username)),
    recall: (id, username) => memory.recall(keyOf(id, username)),
  };
}
