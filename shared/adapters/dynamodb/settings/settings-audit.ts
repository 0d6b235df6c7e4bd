// Audit records (S18), written in the transaction of the change that they tell of.

import type { DeploymentId, Username } from '../../../domain/ids.ts';
import type { Override, SessionLimit } from '../../../domain/limit.ts';
import { deploymentSettings, differing, limitSettings, settingsIn } from '../../../domain/settings.ts';
import type { Change, Deployment } from '../../../ports/settings/settings.ts';
import { auditKey, tenantAuditPk } from '../common/keys.ts';

export type AuditAction =
  | 'deployment.created'
  | 'deployment.changed'
  | 'deployment.suspended'
  | 'deployment.resumed'
  | 'deployment.deleted'
  | 'session_limit.configured'
  | 'session_limit.changed'
  | 'session_limit.enabled'
  | 'session_limit.disabled'
  | 'session_limit.deleted'
  | 'override.set'
  | 'override.deleted'
  | 'credential.added'
  | 'credential.password_set'
  | 'credential.removed'
  | 'token_issuer.set'
  | 'token_issuer.deleted'
  | 'client.kicked'
  | 'username.kicked';

/** Bytes of usernames that one side of a record may hold; an item takes 400 KB. */
const usernamesMaxBytes = 120_000;

export interface Audited {
  readonly action: AuditAction;
  /** The username or client id concerned. */
  readonly subject?: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** One item, under its deployment; the `due` index lists it under its tenant. */
export function buildAuditItem(
  id: DeploymentId,
  { actor, at, tenantId }: Pick<Change, 'actor' | 'at' | 'tenantId'>,
  unique: string,
  record: Audited,
): Record<string, unknown> {
  const listed = tenantId === undefined ? {} : { duePk: tenantAuditPk(tenantId), dueAt: at };
  return { ...auditKey(id, at, unique), ...listed, at, actor, ...record };
}

/** A list that does not fit is cut; its count says so. */
function bounded(usernames: readonly Username[]): { readonly count: number; readonly usernames: readonly Username[] } {
  let bytes = 0;
  const fitting = usernames.findIndex((username) => {
    bytes += Buffer.byteLength(username);
    return bytes > usernamesMaxBytes;
  });
  return { count: usernames.length, usernames: fitting < 0 ? usernames : usernames.slice(0, fitting) };
}

/** What a deployment's settings were and are; a status that is switched says so by name. */
export function auditDeployment(before: Deployment | undefined, after: Deployment | undefined): Audited {
  const shown = (deployment: Deployment) => {
    const { name, mqttHost = null, status } = deployment;
    return { name, mqttHost, status, ...settingsIn(deploymentSettings, deployment) };
  };
  return {
    action: deploymentAction(before, after),
    before: before ? shown(before) : null,
    after: after ? shown(after) : null,
  };
}

function deploymentAction(before: Deployment | undefined, after: Deployment | undefined): AuditAction {
  if (after === undefined) return 'deployment.deleted';
  if (before === undefined) return 'deployment.created';
  if (before.status === after.status) return 'deployment.changed';
  return after.status === 'suspended' ? 'deployment.suspended' : 'deployment.resumed';
}

export type AuditedLimit = SessionLimit & { readonly whitelist: readonly Username[]; readonly version: number };

function side(limit: AuditedLimit | undefined): Record<string, unknown> | null {
  if (limit === undefined) return null;
  const { version, whitelist } = limit;
  return { ...settingsIn(limitSettings, limit), version, whitelistSize: whitelist.length };
}

/** In the order of `these`. */
function without(these: readonly Username[], those: readonly Username[]): Username[] {
  const known = new Set(those);
  return these.filter((username) => !known.has(username));
}

function limitAction(before: AuditedLimit | undefined, after: AuditedLimit | undefined, moved: number): AuditAction {
  if (after === undefined) return 'session_limit.deleted';
  if (before === undefined) return 'session_limit.configured';
  const onlySwitched = moved === 0 && differing(limitSettings, before, after).join() === 'enabled';
  if (!onlySwitched) return 'session_limit.changed';
  return after.enabled ? 'session_limit.enabled' : 'session_limit.disabled';
}

/** What before, what after; a whitelist by its size and by what left it (before) and joined it (after). */
export function auditLimit(before: AuditedLimit | undefined, after: AuditedLimit | undefined): Audited {
  const removed = without(before?.whitelist ?? [], after?.whitelist ?? []);
  const added = without(after?.whitelist ?? [], before?.whitelist ?? []);
  const beforeSide = side(before);
  const afterSide = side(after);
  return {
    action: limitAction(before, after, removed.length + added.length),
    before:
      beforeSide === null || removed.length === 0 ? beforeSide : { ...beforeSide, whitelistRemoved: bounded(removed) },
    after: afterSide === null || added.length === 0 ? afterSide : { ...afterSide, whitelistAdded: bounded(added) },
  };
}

export function auditOverride(username: Username, before: Override | undefined, after: Override | undefined): Audited {
  const shown = (override: Override | undefined) =>
    override === undefined ? null : { username, limit: override.kind === 'number' ? override.max : override.kind };
  return {
    action: after === undefined ? 'override.deleted' : 'override.set',
    subject: username,
    before: shown(before),
    after: shown(after),
  };
}
