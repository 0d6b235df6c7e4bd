// Settings of deployments in DynamoDB: the one door to deployments, session limits, overrides and audit records.

import type { TenantId } from '../../../domain/ids.ts';
import { StoreUnavailable } from '../../../ports/common/errors.ts';
import type { Log } from '../../../ports/common/log.ts';
import type { Deployment, SettingsStore } from '../../../ports/settings/settings.ts';
import { answering } from '../common/answering.ts';
import { BatchGetCommand, type DocumentClient, QueryCommand } from '../common/commands.ts';
import { deploymentKey, type Key, tenantPk } from '../common/keys.ts';
import { createHostReader } from '../tenancy/host-reader.ts';
import { changeDeployment, createDeployment, getDeployment, getMadeByKey } from '../tenancy/settings-deployments.ts';
import { createConnectSettingsReader } from './connect-settings.ts';
import { listAudit, listTenantAudit, recordKick } from './settings-audit-list.ts';
import type { Table } from './settings-by-username.ts';
import { parseDeploymentItem, storedDeploymentId } from './settings-item.ts';
import { createLimitWrites, getSessionLimit } from './settings-limit.ts';
import { createOverrideWrites, getOverride, listOverrides } from './settings-overrides.ts';

/** Clean-up that a change leaves to the next one is told to `log`; it never fails the change. */
export function createSettingsStore(
  client: DocumentClient,
  tableName: string,
  log: Pick<Log, 'warn'> = { warn: () => {} },
): SettingsStore {
  const table: Table = { client, tableName };
  const TableName = tableName;
  const limits = createLimitWrites(table, log);
  const overrides = createOverrideWrites(table, log);

  async function readMany(
    keys: readonly Key[],
    consistent: boolean,
  ): Promise<(key: Key) => Record<string, unknown> | undefined> {
    const command = new BatchGetCommand({
      RequestItems: { [TableName]: { Keys: [...keys], ConsistentRead: consistent } },
    });
    const answer = await answering(() => client.send(command));
    if ((answer.UnprocessedKeys?.[TableName]?.Keys?.length ?? 0) > 0) throw new StoreUnavailable('keys left unread');
    const items = answer.Responses?.[TableName] ?? [];
    return (key) => items.find((item) => item.pk === key.pk && item.sk === key.sk);
  }

  async function listDeployments(
    tenantId: TenantId,
    page: Parameters<SettingsStore['listDeployments']>[1],
  ): Promise<readonly Deployment[]> {
    const command = new QueryCommand({
      TableName,
      KeyConditionExpression: page.after === undefined ? 'pk = :pk' : 'pk = :pk AND sk > :after',
      ExpressionAttributeValues: {
        ':pk': tenantPk(tenantId),
        ...(page.after === undefined ? {} : { ':after': page.after }),
      },
      ConsistentRead: true,
      Limit: Math.min(page.limit, 100),
    });
    const ids = ((await answering(() => client.send(command))).Items ?? []).map(storedDeploymentId);
    if (ids.length === 0) return [];
    const find = await readMany(ids.map(deploymentKey), true);
    return ids.map((id) => parseDeploymentItem(find(deploymentKey(id)))).filter((found) => found !== undefined);
  }

  async function countDeployments(tenantId: TenantId, most: number): Promise<number> {
    const command = new QueryCommand({
      TableName,
      Select: 'COUNT',
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': tenantPk(tenantId) },
      ConsistentRead: true,
      Limit: most,
    });
    return (await answering(() => client.send(command))).Count ?? 0;
  }

  return {
    createDeployment: (deployment, change, byKey) => createDeployment(table, deployment, change, byKey),
    getMadeByKey: (tenantId, key, now) => getMadeByKey(table, tenantId, key, now),
    getDeployment: (id) => getDeployment(table, id),
    changeDeployment: (id, changes, change) => changeDeployment(table, id, changes, change),
    listDeployments,
    countDeployments,
    ...createHostReader(client, tableName),
    listAudit: (id, page) => listAudit(table, id, page),
    listTenantAudit: (tenantId, page) => listTenantAudit(table, tenantId, page),
    recordKick: (id, clientId, change) => recordKick(table, id, clientId, change),
    ...createConnectSettingsReader(client, tableName),
    getSessionLimit: (id) => getSessionLimit(table, id),
    putSessionLimit: limits.putSessionLimit,
    deleteSessionLimit: (id, change) =>
      limits.deleteSessionLimit(id, change, (olderThan) => overrides.clearOverrides(id, olderThan)),
    getOverride: (id, username) => getOverride(table, id, username),
    putOverride: overrides.putOverride,
    deleteOverride: overrides.deleteOverride,
    listOverrides: (id, page) => listOverrides(table, id, page),
  };
}
