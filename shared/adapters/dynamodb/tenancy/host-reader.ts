// The deployment of a TLS server name, as the connect path reads it. Apart from the store that changes it, because the
// authorizer needs no more.

import { parseDeploymentId } from '../../../domain/ids.ts';
import type { DeploymentStore } from '../../../ports/settings/settings.ts';
import { answering } from '../common/answering.ts';
import { type DocumentClient, GetCommand } from '../common/commands.ts';
import { hostKey } from '../common/keys.ts';

export function createHostReader(
  client: DocumentClient,
  tableName: string,
): Pick<DeploymentStore, 'getDeploymentOfHost'> {
  return {
    async getDeploymentOfHost(host) {
      const command = new GetCommand({ TableName: tableName, Key: hostKey(host) });
      const item = (await answering(() => client.send(command))).Item;
      const id = parseDeploymentId(item?.deploymentId);
      return id.ok ? id.value : undefined;
    },
  };
}
