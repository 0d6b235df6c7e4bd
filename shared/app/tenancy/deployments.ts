// Tenancy: tenants, and the deployments that each owns. Everything else belongs to one deployment, and no tenant learns
// of another's. This folder must not know sessions or counts: deleting a deployment's content is an operation.
//
// This file makes and changes deployments, as a caller of the API asks.

import { deploymentsPerTenantMax } from '../../config/constants.ts';
import type { DeploymentId, TenantId } from '../../domain/ids.ts';
import { defaultsOf, deploymentSettings } from '../../domain/settings.ts';
import type { Clock } from '../../ports/common/clock.ts';
import { StoreUnavailable } from '../../ports/common/errors.ts';
import type {
  Deployment,
  DeploymentChange,
  DeploymentOutcome,
  DeploymentStore,
  IdempotencyKey,
  StoredDeployment,
} from '../../ports/settings/settings.ts';
import type { TenantStore } from '../../ports/tenancy/tenants.ts';
import { allows, type Caller } from '../settings/expected.ts';

export interface DeploymentPorts {
  readonly settings: DeploymentStore;
  readonly tenants: TenantStore;
  readonly clock: Clock;
  /** A new one each time; that it is given out once is the store's word. */
  readonly newDeploymentId: () => DeploymentId;
  /** The domain below which every deployment has a server name of its own; undefined where there is none. */
  readonly mqttDomain: string | undefined;
}

const maxRounds = 8;

/** A deployment as it begins: everything that its maker has not chosen takes its default. */
export function newDeployment(
  chosen: Pick<Deployment, 'deploymentId' | 'tenantId' | 'name' | 'createdAt'>,
  mqttDomain: string | undefined,
): Deployment {
  return {
    ...chosen,
    mqttHost: mqttDomain === undefined ? undefined : `${chosen.deploymentId}.${mqttDomain}`,
    status: 'active',
    ...defaultsOf(deploymentSettings),
  };
}

export type Created =
  | { readonly kind: 'created' | 'found'; readonly deployment: StoredDeployment }
  /** The caller's tenant was never created. */
  | { readonly kind: 'no_tenant' }
  /** It owns deploymentsPerTenantMax deployments. */
  | { readonly kind: 'full' }
  /** The key has made a deployment of another name. */
  | { readonly kind: 'key_reused' };

/** A key that has made a deployment finds it, for as long as the key is kept and the deployment is not deleted. */
export async function createDeployment(
  ports: DeploymentPorts,
  tenantId: TenantId,
  name: string,
  actor: string,
  key: IdempotencyKey | undefined,
): Promise<Created> {
  // Tenants are never removed, so one that is there now is there when the deployment is written.
  if ((await ports.tenants.getTenant(tenantId)) === undefined) return { kind: 'no_tenant' };
  for (let round = 0; round < maxRounds; round += 1) {
    const createdAt = ports.clock.now();
    const made = key === undefined ? undefined : await ports.settings.getMadeByKey(tenantId, key, createdAt);
    const found = made === undefined ? undefined : await ports.settings.getDeployment(made.deploymentId);
    if (made !== undefined && found !== undefined && found.status !== 'deleting')
      return made.name === name ? { kind: 'found', deployment: found } : { kind: 'key_reused' };
    const most = deploymentsPerTenantMax;
    if ((await ports.settings.countDeployments(tenantId, most)) >= most) return { kind: 'full' };
    const deployment = newDeployment(
      { deploymentId: ports.newDeploymentId(), tenantId, name, createdAt },
      ports.mqttDomain,
    );
    const byKey = key === undefined ? undefined : { key, instead: made?.deploymentId };
    const outcome = await ports.settings.createDeployment(deployment, { actor, tenantId, at: createdAt }, byKey);
    if (outcome === 'created') return { kind: 'created', deployment: { ...deployment, version: 1 } };
  }
  throw new StoreUnavailable(new Error('no free deployment id was found'));
}

export async function changeDeployment(
  ports: DeploymentPorts,
  id: DeploymentId,
  changes: DeploymentChange,
  { actor, tenantId, expected }: Caller,
): Promise<DeploymentOutcome> {
  const { settings } = ports;
  for (let round = 0; round < maxRounds; round += 1) {
    const current = await settings.getDeployment(id);
    if (current === undefined) return { kind: 'missing', what: 'deployment' };
    const { version } = current;
    if (!allows(expected, version)) return { kind: 'stale', version };
    const change = { actor, tenantId, at: ports.clock.now(), expectedVersion: version };
    const outcome = await settings.changeDeployment(id, changes, change);
    if (outcome.kind !== 'stale') return outcome;
  }
  throw new StoreUnavailable(new Error('other changes kept coming first'));
}
