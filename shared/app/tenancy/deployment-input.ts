// What a caller may ask of a tenant or a deployment (product contract, section 3), read from untrusted JSON.

import { deploymentNameMaxLength } from '../../config/constants.ts';
import { parseTenantId, type TenantId } from '../../domain/ids.ts';
import { parseMqttHost } from '../../domain/mqtt-host.ts';
import { deploymentSettings } from '../../domain/settings.ts';
import type { DeploymentChange } from '../../ports/settings/settings.ts';
import { type Check, type Checked, checkFields, faulty, fine } from '../common/fault.ts';
import { checksOf } from '../settings/setting-checks.ts';

const checkTenantId: Check<TenantId> = (raw, name) => {
  if (typeof raw !== 'string') return faulty(name, 'must be a string');
  const parsed = parseTenantId(raw);
  return parsed.ok ? fine(parsed.value) : faulty(name, parsed.problem);
};

export function parseNewTenant(raw: unknown): Checked<TenantId> {
  const given = checkFields<{ tenantId: TenantId }>(raw, { tenantId: checkTenantId });
  if (!given.ok) return given;
  const { tenantId } = given.value;
  return tenantId === undefined ? faulty('tenantId', 'is required') : fine(tenantId);
}

const checkName: Check<string> = (raw, name) => {
  if (typeof raw !== 'string') return faulty(name, 'must be a string');
  if (!raw.isWellFormed() || /\p{Cc}/u.test(raw)) return faulty(name, 'must be Unicode without control characters');
  if (raw !== '' && raw.trim() === '') return faulty(name, 'must not be blank');
  // Characters as people count them: code points, not UTF-16 halves.
  const length = [...raw].length;
  return length >= 1 && length <= deploymentNameMaxLength
    ? fine(raw)
    : faulty(name, `must have 1 to ${deploymentNameMaxLength} characters`);
};

const checkMqttHost =
  (mqttDomain: string | undefined): Check<string | undefined> =>
  (raw, name) => {
    if (raw === null) return fine(undefined);
    if (typeof raw !== 'string') return faulty(name, 'must be a DNS name, or null for none');
    const parsed = parseMqttHost(raw, mqttDomain);
    return parsed.ok ? fine(parsed.value) : faulty(name, parsed.problem);
  };

const checkStatus: Check<'active' | 'suspended'> = (raw, name) =>
  raw === 'active' || raw === 'suspended' ? fine(raw) : faulty(name, 'must be active or suspended');

export function parseNewDeployment(raw: unknown): Checked<string> {
  const given = checkFields<{ name: string }>(raw, { name: checkName });
  if (!given.ok) return given;
  const { name } = given.value;
  return name === undefined ? faulty('name', 'is required') : fine(name);
}

/** Only what is to change; a field that is there with `undefined` is to be none. `mqttDomain`: of the installation. */
export function parseDeploymentChange(raw: unknown, mqttDomain: string | undefined): Checked<DeploymentChange> {
  return checkFields<Required<DeploymentChange>>(raw, {
    name: checkName,
    mqttHost: checkMqttHost(mqttDomain),
    status: checkStatus,
    ...checksOf(deploymentSettings),
  });
}
