// Audit records of a deployment, newest first. A record of a large whitelist is large, so a page is one read of at most
// 1 MB, and may hold fewer records than were asked for.

import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { DeploymentId } from '../../domain/ids.ts';
import { ms } from '../../domain/time.ts';
import type { AuditRecord, SettingsStore } from '../../ports/settings.ts';
import { answering } from './client.ts';
import { auditPk } from './keys.ts';
import type { Table } from './settings-by-username.ts';

function parseRecord(item: Record<string, unknown>): AuditRecord {
  const { sk, at, actor, action, before = null, after = null } = item;
  if (typeof sk !== 'string' || typeof at !== 'number' || typeof actor !== 'string' || typeof action !== 'string')
    throw new TypeError('a stored audit record says who, when and what');
  return { key: sk, at: ms(at), actor, action, before, after };
}

export async function listAudit(
  { client, tableName }: Table,
  id: DeploymentId,
  page: Parameters<SettingsStore['listAudit']>[1],
): ReturnType<SettingsStore['listAudit']> {
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
