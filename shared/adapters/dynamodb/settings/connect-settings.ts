// Settings as the connect path reads them. Apart from the store that changes them, because the authorizer needs no more,
// and what it loads it pays for at every cold start.

import type { DeploymentStore } from '../../../ports/settings/settings.ts';
import type { DocumentClient } from '../common/commands.ts';
import { deploymentKey, limitKey, tokenIssuerKey } from '../common/keys.ts';
import { readItems } from '../common/read-items.ts';
import { parseConnectSettings } from './settings-item.ts';

export function createConnectSettingsReader(
  client: DocumentClient,
  tableName: string,
): Pick<DeploymentStore, 'getConnectSettings'> {
  return {
    async getConnectSettings(id) {
      const keys = [deploymentKey(id), limitKey(id), tokenIssuerKey(id)];
      const find = await readItems({ client, tableName }, keys, { consistent: false });
      const [deployment, limit, tokens] = keys.map(find);
      return parseConnectSettings(deployment, limit, tokens);
    },
  };
}
