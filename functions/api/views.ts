// What the API shows of what the ports answer.

import { maxSessions, type Override, shownLimit } from '../../shared/domain/limit.ts';
import { deploymentSettings, limitSettings, settingsIn } from '../../shared/domain/settings.ts';
import type { Ms } from '../../shared/domain/time.ts';
import type { MqttUser } from '../../shared/ports/credentials/credentials.ts';
import type { StoredTokenIssuer } from '../../shared/ports/credentials/token-issuer.ts';
import type { Operation } from '../../shared/ports/operations/operations.ts';
import type { HourCount, RejectionEntry, UsernameRejections } from '../../shared/ports/rejections/rejections.ts';
import type {
  AuditRecord,
  Deployment,
  StoredOverride,
  StoredSessionLimit,
} from '../../shared/ports/settings/settings.ts';
import type { Tenant } from '../../shared/ports/tenancy/tenants.ts';
import type { SessionView, UsernameDetail, UsernameUsage } from '../../shared/ports/usage/usage.ts';

/** RFC 3339 in UTC. */
function timeOf(at: Ms): string {
  return new Date(at).toISOString();
}

/** An own limit in one word: a number, `unlimited` or `blocked`. */
function ownLimitOf(override: Override): number | 'unlimited' | 'blocked' {
  return override.kind === 'number' ? override.max : override.kind;
}

export function viewDeployment(deployment: Deployment) {
  const { deploymentId, name, mqttHost, status } = deployment;
  return {
    deploymentId,
    name,
    mqttHost: mqttHost ?? null,
    status,
    ...settingsIn(deploymentSettings, deployment),
    createdAt: timeOf(deployment.createdAt),
  };
}

export function viewTenant({ tenantId, createdAt }: Tenant) {
  return { tenantId, createdAt: timeOf(createdAt) };
}

export function viewRejection({ username, reason, clientId, count, lastAt }: UsernameRejections) {
  return { username, clientId, reason, rejections: count, lastRejectedAt: timeOf(lastAt) };
}

export function viewRejectionEntry({ at, clientId, reason }: RejectionEntry) {
  return { at: timeOf(at), clientId, reason };
}

export function viewRejectionHour({ hour, count }: HourCount) {
  return { hour: timeOf(hour), rejections: count };
}

export function viewAuditRecord({ at, actor, action, subject, before, after }: AuditRecord) {
  return { at: timeOf(at), actor, action, subject, before, after };
}

export function viewTenantAuditRecord(record: AuditRecord) {
  return { deploymentId: record.deploymentId, ...viewAuditRecord(record) };
}

export function viewSessionLimit(limit: StoredSessionLimit) {
  const { whitelist, version, updatedAt } = limit;
  return { ...settingsIn(limitSettings, limit), whitelist, version, updatedAt: timeOf(updatedAt) };
}

export function viewOverride({ username, override }: StoredOverride) {
  return { username, limit: ownLimitOf(override) };
}

export function viewCredential({ username, createdAt }: MqttUser) {
  return { username, createdAt: timeOf(createdAt) };
}

export function viewTokenIssuer(stored: StoredTokenIssuer) {
  const { issuer, audience, audienceClaim, usernameClaim, jwksUrl, keys, keysReadAt, version, updatedAt } = stored;
  return {
    issuer,
    audience,
    audienceClaim,
    usernameClaim,
    jwksUrl,
    keys: { keys },
    keysReadAt: timeOf(keysReadAt),
    version,
    updatedAt: timeOf(updatedAt),
  };
}

export function viewUsage({ username, used, limit, whitelisted, rejections }: UsernameUsage) {
  return {
    username,
    used,
    limit: shownLimit(limit),
    whitelisted,
    overLimit: used > maxSessions(limit),
    ...(rejections === undefined ? {} : { lastRejectedAt: timeOf(rejections.lastAt), rejections: rejections.count }),
  };
}

export function viewUsageDetail(detail: UsernameDetail) {
  const { connected, retained, pending } = detail;
  return { ...viewUsage(detail), connected, retained, pending };
}

/** What is not known is absent: JSON leaves out what is undefined. */
export function viewSession(session: SessionView) {
  const { clientId, state, connectedAt, disconnectedAt, expiresAt, protocolVersion, ipAddress } = session;
  return {
    clientId,
    state,
    connectedAt: connectedAt === undefined ? undefined : timeOf(connectedAt),
    disconnectedAt: disconnectedAt === undefined ? undefined : timeOf(disconnectedAt),
    expiresAt: expiresAt === undefined ? undefined : timeOf(expiresAt),
    protocolVersion,
    ipAddress,
    sessionExpirySeconds: session.sessionExpirySeconds,
  };
}

export function viewClient(session: SessionView) {
  return { ...viewSession(session), username: session.username };
}

export function viewListedOperation(operation: Operation) {
  const { operationId, deploymentId, cause } = operation;
  const { kind, username } = { username: undefined, ...cause };
  return { operationId, deploymentId, kind, username, ...viewOperation(operation) };
}

export function viewOperation({ status, total, finished, startedAt, endedAt }: Operation) {
  return {
    status,
    total,
    finished,
    startedAt: timeOf(startedAt),
    endedAt: endedAt === undefined ? undefined : timeOf(endedAt),
  };
}
