// Audit records, newest first: of a deployment from its partition, of a tenant through the `due` index. A record of a large
// whitelist is large, so a page of a deployment is one read of at most 1 MB, and may hold fewer records than asked for.

import { randomBytes } from 'node:crypto';
import { tableDefinition } from '../../../config/table.ts';
import type { ClientId, DeploymentId } from '../../../domain/ids.ts';
import { ms } from '../../../domain/time.ts';
import type { AuditRecord, AuditStore, Change } from '../../../ports/settings/settings.ts';
import { answering } from '../common/answering.ts';
import { QueryCommand } from '../common/commands.ts';
import { auditPk, tenantAuditPk } from '../common/keys.ts';
import { readItems } from '../common/read-items.ts';
import { transact } from '../common/transaction.ts';
import { buildAuditItem } from './settings-audit.ts';
import type { Table } from './settings-by-username.ts';

const [, dueIndex] = tableDefinition.indexes;

const deploymentOf = (pk: unknown): DeploymentId =>
  String(pk).slice(auditPk('' as DeploymentId).length) as DeploymentId;

function parseRecord(item: Record<string, unknown>): AuditRecord {
  const { pk, sk, at, actor, action, subject, before = null, after = null } = item;
  if (typeof sk !== 'string' || typeof at !== 'number' || typeof actor !== 'string' || typeof action !== 'string')
    throw new TypeError('a stored audit record says who, when and what');
  const record = { key: sk, deploymentId: deploymentOf(pk), at: ms(at), actor, action, before, after };
  return typeof subject === 'string' ? { ...record, subject } : record;
}

export async function listAudit(
  { client, tableName }: Table,
  id: DeploymentId,
  page: Parameters<AuditStore['listAudit']>[1],
): ReturnType<AuditStore['listAudit']> {
  const command = new QueryCommand({
    TableName: tableName,
    KeyConditionExpression: page.after === undefined ? 'pk = :pk' : 'pk = :pk AND sk < :after',
    ExpressionAttributeValues: { ':pk': auditPk(id), ...(page.after === undefined ? {} : { ':after': page.after }) },
    ConsistentRead: true,
    ScanIndexForward: false,
    // One more than asked for tells whether anything follows.
    Limit: page.limit + 1,
  });
  const answer = await answering(() => client.send(command));
  const found = (answer.Items ?? []).map(parseRecord);
  const items = found.slice(0, page.limit);
  const follows = found.length > page.limit || answer.LastEvaluatedKey !== undefined;
  return { items, next: follows ? items.at(-1)?.key : undefined };
}

export async function listTenantAudit(
  table: Table,
  tenantId: Parameters<AuditStore['listTenantAudit']>[0],
  { limit, after }: Parameters<AuditStore['listTenantAudit']>[1],
): ReturnType<AuditStore['listTenantAudit']> {
  const duePk = tenantAuditPk(tenantId);
  const start = after && { pk: auditPk(after.deploymentId), sk: after.key, duePk, dueAt: after.at };
  const command = new QueryCommand({
    TableName: table.tableName,
    IndexName: dueIndex.name,
    KeyConditionExpression: 'duePk = :pk',
    ExpressionAttributeValues: { ':pk': duePk },
    ScanIndexForward: false,
    Limit: limit,
    ...(start === undefined ? {} : { ExclusiveStartKey: start }),
  });
  const { Items: entries = [], LastEvaluatedKey: more } = await answering(() => table.client.send(command));
  const keys = entries.map(({ pk, sk }) => ({ pk: String(pk), sk: String(sk) }));
  const read = await readItems(table, keys, { consistent: true });
  const items = keys.map(read).flatMap((item) => (item === undefined ? [] : [parseRecord(item)]));
  const last = entries.at(-1);
  if (more === undefined || last === undefined) return { items, next: undefined };
  return { items, next: { at: ms(Number(last.dueAt)), deploymentId: deploymentOf(last.pk), key: String(last.sk) } };
}

export async function recordKick(table: Table, id: DeploymentId, clientId: ClientId, change: Change): Promise<void> {
  const record = { action: 'client.kicked', subject: clientId, before: null, after: null } as const;
  const Item = buildAuditItem(id, change, randomBytes(9).toString('base64url'), record);
  await transact(table, [{ Put: { TableName: table.tableName, Item } }]);
}
