// What the steps of an operation have in common: what they need, what they answer, and whether there is still a reason
// for them.

import type { Seconds } from '../../domain/time.ts';
import type { Log } from '../../ports/common/log.ts';
import type { CredentialStore } from '../../ports/credentials/credentials.ts';
import type { SignersOf, TokenIssuerStore } from '../../ports/credentials/token-issuer.ts';
import type { DeploymentItems, Operation, OperationStore } from '../../ports/operations/operations.ts';
import type { SettingsStore } from '../../ports/settings/settings.ts';
import type { KickPorts } from './kick.ts';

export interface WorkerPorts extends KickPorts {
  readonly operations: OperationStore;
  readonly items: DeploymentItems;
  readonly settings: Pick<SettingsStore, 'getDeployment' | 'getSessionLimit' | 'getOverride'>;
  readonly credentials: Pick<CredentialStore, 'hasCredential'>;
  readonly issuers: Pick<TokenIssuerStore, 'getTokenIssuer'>;
  readonly signersOf: SignersOf;
  readonly log: Log;
}

/** What a step makes of an operation: what is left, and if not at once, when to go on with it. */
export interface Step {
  readonly operation: Operation;
  readonly after?: Seconds;
}

/**
 * Whether what an operation follows from is so. A change that its own caller vouches for has been made, whatever was
 * made of it since; one that nobody vouches for is looked up.
 */
export async function stillHolds(ports: WorkerPorts, { cause, deploymentId, certain }: Operation): Promise<boolean> {
  switch (cause.kind) {
    case 'kick':
      return true;
    // Each session is held against the issuer as it is stored: without the change, none is found.
    case 'token_issuer_changed':
      return true;
    case 'credential_removed':
      return certain || !(await ports.credentials.hasCredential(deploymentId, cause.username));
    case 'username_blocked': {
      const limit = await ports.settings.getSessionLimit(deploymentId);
      if (limit?.enabled !== true) return false;
      const found = await ports.settings.getOverride(deploymentId, cause.username);
      return found.kind === 'found' && found.value.override.kind === 'blocked';
    }
    case 'deployment_suspended':
      return (await ports.settings.getDeployment(deploymentId))?.status === 'suspended';
    case 'deployment_deleted':
      return (await ports.settings.getDeployment(deploymentId))?.status === 'deleting';
  }
}
