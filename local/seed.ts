// What a new data directory holds: the deployment `demo` of the tenant `local`, with three MQTT users and no session
// limit. Whatever is there already stays as it is; the tenants that tokens name are there after every start.

import { newDeployment } from '../shared/app/tenancy/deployments.ts';
import type { DeploymentId, TenantId, Username } from '../shared/domain/ids.ts';
import type { Ms } from '../shared/domain/time.ts';
import type { Clock } from '../shared/ports/common/clock.ts';
import type { CredentialStore, PasswordMaker } from '../shared/ports/credentials/credentials.ts';
import type { Deployment, SettingsStore } from '../shared/ports/settings/settings.ts';
import type { TenantStore } from '../shared/ports/tenancy/tenants.ts';

/** Each deployment has the server name of its id below it. */
export const mqttDomain = 'mqtt.localhost';

const deploymentId = 'demo' as DeploymentId;

export function demoDeployment(createdAt: Ms): Deployment {
  return newDeployment({ deploymentId, tenantId: 'local' as TenantId, name: 'Demo', createdAt }, mqttDomain);
}

const users = ['alice', 'bob', 'bridge'];

export async function seed(ports: {
  settings: SettingsStore;
  credentials: CredentialStore;
  passwords: PasswordMaker;
  tenants: TenantStore;
  clock: Clock;
  /** Of every token that is given out. */
  tenantIds: readonly TenantId[];
}): Promise<void> {
  const { settings, credentials, passwords, tenants, clock } = ports;
  const seededAt = clock.now();
  for (const tenantId of ports.tenantIds) await tenants.createTenant({ tenantId, createdAt: seededAt });
  const known = await settings.getDeployment(deploymentId);
  if (known !== undefined) return;
  // Users first: a start that dies in between finds no deployment and begins again.
  for (const user of users) {
    const hash = await passwords.hash(`${user}-secret`);
    if (hash === 'overloaded') throw new Error('the MQTT users of demo could not be made');
    await credentials.putCredential(deploymentId, { username: user as Username, hash, createdAt: seededAt });
  }
  await settings.createDeployment(demoDeployment(seededAt));
}
