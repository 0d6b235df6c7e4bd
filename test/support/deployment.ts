// Deployments for tests that need one and care for nothing in it, and changes by somebody.

import { newDeployment } from '../../shared/app/tenancy/deployments.ts';
import type { DeploymentId, TenantId } from '../../shared/domain/ids.ts';
import { ms } from '../../shared/domain/time.ts';
import type { Change, Deployment } from '../../shared/ports/settings/settings.ts';

export function deploymentOf(deploymentId: string, tenantId = 'acme'): Deployment {
  const chosen = {
    deploymentId: deploymentId as DeploymentId,
    tenantId: tenantId as TenantId,
    name: `The ${deploymentId}`,
    createdAt: ms(Date.UTC(2026, 0, 2, 3, 4, 5, 6)),
  };
  return newDeployment(chosen, 'mqtt.localhost');
}

/** A change at a moment, of what has this version. */
export function by(at: number, expectedVersion?: number | 'none'): Change {
  return { actor: 'somebody', at: ms(at), ...(expectedVersion === undefined ? {} : { expectedVersion }) };
}
