// Keys of every item, in one place. `|` stands between parts: no deployment id holds one, and what may hold one
// (a username, a client id) always comes last in its key.

import { createHash } from 'node:crypto';
import {
  rankPartitions,
  rosterLanes,
  sessionPartitions,
  usernamePartitions,
  wakePartitions,
} from '../../../config/constants.ts';
import type { ClientId, DeploymentId, TenantId, Username } from '../../../domain/ids.ts';
import type { RecordedReason } from '../../../domain/refusal.ts';
import type { OperationRef } from '../../../ports/operations/operations.ts';
import type { IdempotencyKey } from '../../../ports/settings/settings.ts';

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

function hash32(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0);
}

/** 0 to usernamePartitions - 1: where a username's per-deployment items lie. */
export function usernamePartition(username: Username): number {
  return hash32(username) % usernamePartitions;
}

/** The partition of the `wake` index that an item is looked for in. */
export function wakePartition(seed: string): string {
  return `wake|${hash32(seed) % wakePartitions}`;
}

export const allWakePartitions: readonly string[] = Array.from({ length: wakePartitions }, (_, n) => `wake|${n}`);

export const deploymentKey = (id: DeploymentId): Key => ({ pk: `D|${id}`, sk: 'deployment' });
/** How many MQTT users a deployment has. */
export const credentialCountKey = (id: DeploymentId): Key => ({ pk: `D|${id}`, sk: 'credentials' });
export const tokenIssuerKey = (id: DeploymentId): Key => ({ pk: `D|${id}`, sk: 'tokens' });
/** One list, of the deployments whose token keys are fetched. */
export const fetchedKeysPk = 'token-keys';
export const fetchedKeysKey = (id: DeploymentId): Key => ({ pk: fetchedKeysPk, sk: id });
export const limitKey = (id: DeploymentId): Key => ({ pk: `D|${id}`, sk: 'limit' });

/** The partition of the `rank` index that a username is ordered in. */
export function rankPk(id: DeploymentId, username: Username): string {
  return `rank|${id}|${hash32(username) % rankPartitions}`;
}

export function allRankPks(id: DeploymentId): readonly string[] {
  return Array.from({ length: rankPartitions }, (_, n) => `rank|${id}|${n}`);
}

/**
 * `kind` O: overrides, P: MQTT passwords, N: rosters (counts), R: what usage shows of a username
 * besides its roster (its rejections, its rank, and a copy of its override).
 */
export type PerUsernameKind = 'O' | 'P' | 'N' | 'R';

export function perUsernamePk(kind: PerUsernameKind, id: DeploymentId, partition: number): string {
  return `${kind}|${id}|${partition}`;
}

export function perUsernameKey(kind: PerUsernameKind, id: DeploymentId, username: Username): Key {
  return { pk: perUsernamePk(kind, id, usernamePartition(username)), sk: username };
}

/**
 * The block of a whitelist that holds a username, if the list does; lists of one deployment lie side by side. A list's id
 * ends in the number of its blocks and holds no `|`.
 */
export function whitelistKey(id: DeploymentId, listId: string, username: Username): Key {
  const blocks = Number(listId.slice(listId.lastIndexOf('.') + 1)) || 1;
  const block = hash32(`${listId}|${username}`) % blocks;
  return { pk: whitelistPk(id, block % usernamePartitions), sk: `${listId}|${block}` };
}

export const whitelistPk = (id: DeploymentId, partition: number): string => `W|${id}|${partition}`;

/** One partition of a username's sessions: 0 to sessionPartitions - 1. Each can be read consistently. */
export function sessionsPk(id: DeploymentId, username: Username, partition: number): string {
  return `S|${id}|${partition}|${username}`;
}

export function sessionPartition(clientId: ClientId): number {
  return hash32(clientId) % sessionPartitions;
}

export function sessionKey(id: DeploymentId, username: Username, clientId: ClientId): Key {
  return { pk: sessionsPk(id, username, sessionPartition(clientId)), sk: clientId };
}

/**
 * The `due` entries of a username's sessions: in one partition while its roster is narrow, so that looking at them is
 * one request, and in one of each lane when it is wide, so that none of them is hot.
 */
export function duePk(id: DeploymentId, username: Username, lane: number): string {
  return `S|${id}|due${lane}|${username}`;
}

/** 1 to `lanes`: the lane of a client id. Not what its partition hangs on, so that the two are spread independently. */
export function laneFor(clientId: ClientId, lanes: number = rosterLanes): number {
  return 1 + (hash32(`lane|${clientId}`) % lanes);
}

/** A lane of a wide roster: 1 to rosterLanes. */
export function laneKey(id: DeploymentId, username: Username, lane: number): Key {
  return { pk: `L|${id}|${lane}|${username}`, sk: 'lane' };
}

/** Which username holds a client id, or held it last. */
export function ownerKey(id: DeploymentId, clientId: ClientId): Key {
  return { pk: `C|${id}|${clientId}`, sk: 'owner' };
}

/** Which deployment a TLS server name stands for. */
export function hostKey(host: string): Key {
  return { pk: `M|${host}`, sk: 'host' };
}

export const tenantsPk = 'tenants';

/** A tenant's list of deployments: what exists, never what is in it. */
export const tenantPk = (tenantId: TenantId): string => `T|${tenantId}`;

/** Rejections of one partition of a deployment's usernames; and their `due` entries, by the time of the last one. */
export function recentPk(id: DeploymentId, partition: number): string {
  return `X|${id}|${partition}`;
}

/** What is recorded of a username for one reason; `last`: its last rejections, whatever their reason. */
export function rejectionsKey(id: DeploymentId, username: Username, of: RecordedReason | 'last'): Key {
  return { pk: recentPk(id, usernamePartition(username)), sk: `${of}|${username}` };
}

/** One hour's rejections of one partition of a deployment's usernames. */
export function hourKey(id: DeploymentId, partition: number, hour: number): Key {
  return { pk: `H|${id}|${partition}`, sk: hourText(hour) };
}

/** Which deployment a request made that named itself by a key. */
export function idempotencyKey(tenantId: TenantId, key: IdempotencyKey): Key {
  return { pk: `K|${tenantId}|${key}`, sk: 'deployment' };
}

export const hourText = (at: number): string => String(at).padStart(15, '0');

/** The partition of the `due` index that a tenant's audit records are listed in, by time. */
export const tenantAuditPk = (tenantId: TenantId): string => `A|${tenantId}`;

export const auditPk = (id: DeploymentId): string => `A|${id}`;

export function auditKey(id: DeploymentId, at: number, unique: string): Key {
  return { pk: auditPk(id), sk: `${String(at).padStart(15, '0')}|${unique}` };
}

/** What the table says of itself. */
export const dataFormatKey: Key = { pk: 'format', sk: 'table' };

/** How far the reconciler has come. */
/** What the broker was asked for the whole account. */
export const accountExpiryKey: Key = { pk: 'account', sk: 'expiry' };
export const progressKey: Key = { pk: 'reconciler', sk: 'progress' };

/** Whose an app client of the sign-in is. Written by the operator, as `docs/deploy.md` says. */
export function machineKey(clientId: string): Key {
  return { pk: `I|${clientId}`, sk: 'machine' };
}

/** `plan`: which places the operation is to end. */
export function operationKey({ tenantId, operationId }: OperationRef, part: 'operation' | 'plan'): Key {
  return { pk: `J|${tenantId}|${operationId}`, sk: part };
}

/** The partition of the `due` index that a tenant's operations are listed in, by when they started. */
export const operationsPk = (tenantId: TenantId): string => `J|${tenantId}`;

/** The partition of the `wake` index that running operations are found in; no sweeper looks there. */
export const runningOperationsPk = 'operations';

/** The kinds of items whose key names their deployment next: what is removed with it. Audit records outlive it. */
export const deploymentKinds = ['D', 'O', 'W', 'P', 'N', 'L', 'R', 'X', 'H', 'S', 'C'] as const;
