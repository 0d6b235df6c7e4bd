// Tenants in DynamoDB: few, made by the operator, and never on the connect path, so one partition holds them all.

import { randomBytes } from 'node:crypto';
import { parseTenantId } from '../../../domain/ids.ts';
import { ms } from '../../../domain/time.ts';
import type { Tenant, TenantStore } from '../../../ports/tenancy/tenants.ts';
import { answering } from '../common/answering.ts';
import { type DocumentClient, GetCommand, PutCommand, QueryCommand } from '../common/commands.ts';
import { Refused, refusable } from '../common/conditions.ts';
import { tenantsPk } from '../common/keys.ts';

function parseTenant(item: Record<string, unknown>): Tenant {
  const id = parseTenantId(item.sk);
  if (!id.ok || typeof item.createdAt !== 'number') throw new TypeError('a stored tenant has an id and a time');
  return { tenantId: id.value, createdAt: ms(item.createdAt) };
}

export function createTenantStore(client: DocumentClient, tableName: string): TenantStore {
  const TableName = tableName;
  return {
    async createTenant({ tenantId, createdAt }) {
      const write = randomBytes(9).toString('base64url');
      const outcome = await refusable(() =>
        client.send(
          new PutCommand({
            TableName,
            Item: { pk: tenantsPk, sk: tenantId, createdAt, write },
            // A try that timed out may have made it: the SDK's next one then finds what it wrote itself.
            ConditionExpression: 'attribute_not_exists(pk) OR #write = :write',
            ExpressionAttributeNames: { '#write': 'write' },
            ExpressionAttributeValues: { ':write': write },
          }),
        ),
      );
      return outcome instanceof Refused ? 'exists' : 'created';
    },

    async getTenant(id) {
      const command = new GetCommand({ TableName, Key: { pk: tenantsPk, sk: id }, ConsistentRead: true });
      const item = (await answering(() => client.send(command))).Item;
      return item === undefined ? undefined : parseTenant(item);
    },

    async listTenants({ limit, after }) {
      const command = new QueryCommand({
        TableName,
        KeyConditionExpression: after === undefined ? 'pk = :pk' : 'pk = :pk AND sk > :after',
        ExpressionAttributeValues: { ':pk': tenantsPk, ...(after === undefined ? {} : { ':after': after }) },
        ConsistentRead: true,
        Limit: limit,
      });
      return ((await answering(() => client.send(command))).Items ?? []).map(parseTenant);
    },
  };
}
