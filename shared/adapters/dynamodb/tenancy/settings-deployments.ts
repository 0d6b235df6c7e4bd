// Deployments, written. A server name belongs to one deployment: an item of its own says to which, and changes only
// together with the deployment's.

import { randomBytes } from 'node:crypto';
import { idempotencySeconds } from '../../../config/constants.ts';
import { type DeploymentId, parseDeploymentId, type TenantId } from '../../../domain/ids.ts';
import { addSeconds, type Ms, seconds, toEpochSeconds } from '../../../domain/time.ts';
import { StoreUnavailable } from '../../../ports/common/errors.ts';
import type {
  Change,
  Deployment,
  DeploymentChange,
  DeploymentOutcome,
  DeploymentStore,
  IdempotencyKey,
  MadeByKey,
  Missing,
  Stale,
  StoredDeployment,
} from '../../../ports/settings/settings.ts';
import { answering } from '../common/answering.ts';
import { GetCommand } from '../common/commands.ts';
import { deploymentKey, hostKey, idempotencyKey, tenantPk } from '../common/keys.ts';
import { transact, type Writes } from '../common/transaction.ts';
import { auditDeployment, buildAuditItem } from '../settings/settings-audit.ts';
import type { Table } from '../settings/settings-by-username.ts';
import { parseStoredDeployment } from '../settings/settings-item.ts';

type Write = Writes[number];

const unique = (): string => randomBytes(9).toString('base64url');

export async function getDeployment(table: Table, id: DeploymentId): Promise<StoredDeployment | undefined> {
  const command = new GetCommand({ TableName: table.tableName, Key: deploymentKey(id), ConsistentRead: true });
  return parseStoredDeployment((await answering(() => table.client.send(command))).Item);
}

/**
 * Takes a server name for a deployment; one that stands for it already is its own.
 *
 * Invariant: a server name leads to one deployment, and its first label is never the id of another (S25).
 * Race: of two that take one name the second finds it taken. A deployment that is created takes the name of its id in
 * the same way, so it and the deployment that sets this name meet on one item.
 * On crash: all of the transaction is written, or nothing.
 */
function takeHost(TableName: string, host: string, id: DeploymentId): readonly Write[] {
  const put: Write = {
    Put: {
      TableName,
      Item: { ...hostKey(host), deploymentId: id },
      ConditionExpression: 'attribute_not_exists(pk) OR deploymentId = :id',
      ExpressionAttributeValues: { ':id': id },
    },
  };
  const label = parseDeploymentId(host.slice(0, host.indexOf('.')));
  if (!label.ok || label.value === id) return [put];
  const Key = deploymentKey(label.value);
  return [put, { ConditionCheck: { TableName, Key, ConditionExpression: 'attribute_not_exists(pk)' } }];
}

function audit(
  TableName: string,
  id: DeploymentId,
  before: Deployment | undefined,
  after: Deployment | undefined,
  change: Change | undefined,
): readonly Write[] {
  if (change === undefined) return [];
  return [{ Put: { TableName, Item: buildAuditItem(id, change, unique(), auditDeployment(before, after)) } }];
}

/**
 * Invariant: a key of a tenant makes one deployment while it is kept, and another one only `instead` of the one it made.
 * Race: of two requests under one key the second finds it taken, and looks what it has made. The time is compared, since
 * the database removes an item later than its TTL says.
 * On crash: the key is taken together with the deployment, or neither is.
 */
function takeKey(TableName: string, { deploymentId, tenantId, name, createdAt }: Deployment, byKey: ByKey): Write {
  const { key, instead } = byKey;
  const keptUntil = addSeconds(createdAt, seconds(idempotencySeconds));
  return {
    Put: {
      TableName,
      Item: { ...idempotencyKey(tenantId, key), deploymentId, name, keptUntil, ttl: toEpochSeconds(keptUntil) },
      ...(instead === undefined
        ? {
            ConditionExpression: 'attribute_not_exists(pk) OR keptUntil <= :now',
            ExpressionAttributeValues: { ':now': createdAt },
          }
        : { ConditionExpression: 'deploymentId = :instead', ExpressionAttributeValues: { ':instead': instead } }),
    },
  };
}

export async function getMadeByKey(
  { client, tableName }: Table,
  tenantId: TenantId,
  key: IdempotencyKey,
  now: Ms,
): Promise<MadeByKey | undefined> {
  const Key = idempotencyKey(tenantId, key);
  const command = new GetCommand({ TableName: tableName, Key, ConsistentRead: true });
  const item = (await answering(() => client.send(command))).Item;
  // Nobody but this file writes there.
  return item === undefined || item.keptUntil <= now ? undefined : { deploymentId: item.deploymentId, name: item.name };
}

type ByKey = NonNullable<Parameters<DeploymentStore['createDeployment']>[2]>;

export async function createDeployment(
  table: Table,
  deployment: Deployment,
  change: Change | undefined,
  byKey: ByKey | undefined,
): Promise<'created' | 'exists' | 'host_taken' | 'key_taken'> {
  const { tableName: TableName } = table;
  const { deploymentId, tenantId, mqttHost } = deployment;
  // All or nothing: a deployment that its tenant's list does not name could never be found again. Ids are never used
  // twice, also not by another tenant.
  const outcome = await transact(table, [
    {
      Put: {
        TableName,
        Item: { ...deploymentKey(deploymentId), ...deployment, version: 1 },
        ConditionExpression: 'attribute_not_exists(pk)',
      },
    },
    ...(byKey === undefined ? [] : [takeKey(TableName, deployment, byKey)]),
    { Put: { TableName, Item: { pk: tenantPk(tenantId), sk: deploymentId } } },
    ...audit(TableName, deploymentId, undefined, deployment, change),
    ...(mqttHost === undefined ? [] : takeHost(TableName, mqttHost, deploymentId)),
  ]);
  if (outcome.kind === 'done') return 'created';
  if (byKey !== undefined && outcome.at.includes(1)) return 'key_taken';
  return outcome.at.includes(0) ? 'exists' : 'host_taken';
}

function isSame(before: Deployment, changes: DeploymentChange): boolean {
  const given = Object.entries(changes);
  return given.every(([name, value]) => Reflect.get(before, name) === value);
}

/**
 * Keeps S18: of all changes that start from one version one wins, with its record; and a server name leads to the
 * deployment that shows it, since both items change in one step.
 */
export async function changeDeployment(
  table: Table,
  id: DeploymentId,
  changes: DeploymentChange,
  change: Change,
): Promise<DeploymentOutcome> {
  const { tableName: TableName } = table;
  const before = await getDeployment(table, id);
  if (before === undefined) return { kind: 'missing', what: 'deployment' };
  const { expectedVersion } = change;
  if (expectedVersion !== undefined && expectedVersion !== before.version)
    return { kind: 'stale', version: before.version };
  if (before.status === 'deleting') return { kind: 'deleting' };
  if (isSame(before, changes)) return { kind: 'done', before, after: before };

  const after: StoredDeployment = { ...before, ...changes, version: before.version + 1 };
  const moves = before.mqttHost !== after.mqttHost;
  const outcome = await transact(table, [
    updateIfUnchanged(TableName, before, changes),
    ...audit(TableName, id, before, after, change),
    ...(moves && before.mqttHost !== undefined ? [releaseHost(TableName, before.mqttHost, id)] : []),
    ...(moves && after.mqttHost !== undefined ? takeHost(TableName, after.mqttHost, id) : []),
  ]);
  if (outcome.kind === 'done') return { kind: 'done', before, after };
  if (!outcome.at.includes(0)) return { kind: 'host_taken' };
  return { kind: 'stale', version: (await getDeployment(table, id))?.version };
}

const maxRounds = 8;

/**
 * Invariant: a deployment that is being deleted takes no more changes, and its audit records say who deleted it (S18).
 * Race: the version moves on, so that a change that was under way is refused and cannot bring it back.
 * On crash: all of the transaction is written, or nothing; the operation that was recorded before looks which.
 */
export async function markDeleting(
  table: Table,
  id: DeploymentId,
  change: Change,
): Promise<{ readonly kind: 'done' } | Missing | Stale> {
  const { tableName: TableName } = table;
  const { expectedVersion } = change;
  for (let round = 0; round < maxRounds; round += 1) {
    const before = await getDeployment(table, id);
    if (before === undefined) return { kind: 'missing', what: 'deployment' };
    if (expectedVersion !== undefined && expectedVersion !== before.version)
      return { kind: 'stale', version: before.version };
    if (before.status === 'deleting') return { kind: 'done' };
    const outcome = await transact(table, [
      updateIfUnchanged(TableName, before, { status: 'deleting' }),
      ...audit(TableName, id, before, undefined, change),
    ]);
    if (outcome.kind === 'done') return { kind: 'done' };
  }
  throw new StoreUnavailable('other changes of the deployment kept coming first');
}

/** Only what changes is written: an item may say more of a deployment than is known here. */
function updateIfUnchanged(
  TableName: string,
  before: StoredDeployment,
  changes: DeploymentChange | Pick<Deployment, 'status'>,
): Write {
  const fields = Object.entries({ ...changes, version: before.version + 1 });
  const sets = fields.filter(([, value]) => value !== undefined).map(([name]) => `#${name} = :${name}`);
  const removes = fields.filter(([, value]) => value === undefined).map(([name]) => `#${name}`);
  // One that was never changed may have been written before versions were.
  const sameVersion =
    before.version === 1 ? '(attribute_not_exists(#version) OR #version = :seen)' : '#version = :seen';
  return {
    Update: {
      TableName,
      Key: deploymentKey(before.deploymentId),
      UpdateExpression: `SET ${sets.join(', ')}${removes.length === 0 ? '' : ` REMOVE ${removes.join(', ')}`}`,
      ConditionExpression: `attribute_exists(pk) AND ${sameVersion} AND #status = :seenStatus`,
      ExpressionAttributeNames: {
        '#status': 'status',
        ...Object.fromEntries(fields.map(([name]) => [`#${name}`, name])),
      },
      ExpressionAttributeValues: {
        ':seen': before.version,
        ':seenStatus': before.status,
        ...Object.fromEntries(
          fields.filter(([, value]) => value !== undefined).map(([name, value]) => [`:${name}`, value]),
        ),
      },
    },
  };
}

function releaseHost(TableName: string, host: string, id: DeploymentId): Write {
  return {
    Delete: {
      TableName,
      Key: hostKey(host),
      ConditionExpression: 'attribute_not_exists(pk) OR deploymentId = :id',
      ExpressionAttributeValues: { ':id': id },
    },
  };
}
