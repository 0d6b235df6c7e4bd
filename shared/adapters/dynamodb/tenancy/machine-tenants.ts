// Which tenant an app client belongs to. The item is written by the operator's hand; nothing in the product changes it.

import { parseTenantId } from '../../../domain/ids.ts';
import type { MachineTenants } from '../../../ports/tenancy/machines.ts';
import { answering } from '../common/answering.ts';
import { type DocumentClient, GetCommand } from '../common/commands.ts';
import { machineKey } from '../common/keys.ts';

export function createMachineTenants(client: DocumentClient, TableName: string): MachineTenants {
  return {
    async tenantOf(clientId) {
      // Consistent and not remembered: a machine that was taken from a tenant is out with its next request.
      const command = new GetCommand({ TableName, Key: machineKey(clientId), ConsistentRead: true });
      const { Item } = await answering(() => client.send(command));
      const parsed = parseTenantId(Item?.tenantId);
      return parsed.ok ? parsed.value : undefined;
    },
  };
}
