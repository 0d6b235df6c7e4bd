// Settings and credentials of the connect path, held for a few seconds. Unknown deployments are held too; an unknown
// username is not, because somebody may be waiting for it to work.

import type { DeploymentId } from '../domain/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { CredentialStore } from '../ports/credentials.ts';
import type { ConnectSettings, SettingsStore } from '../ports/settings.ts';
import { remember } from './short-memory.ts';

export interface SettingsCache {
  get(id: DeploymentId): Promise<ConnectSettings | undefined>;
}

export function createSettingsCache(store: Pick<SettingsStore, 'getConnectSettings'>, clock: Clock): SettingsCache {
  const get = remember(clock, (id) => store.getConnectSettings(id as DeploymentId), true);
  return { get };
}

type CredentialReader = Pick<CredentialStore, 'getCredential'>;

export function createCredentialCache(store: CredentialReader, clock: Clock): CredentialReader {
  const get = remember(
    clock,
    (key) => store.getCredential(...(JSON.parse(key) as Parameters<CredentialReader['getCredential']>)),
    false,
  );
  return { getCredential: (id, username) => get(JSON.stringify([id, username])) };
}
