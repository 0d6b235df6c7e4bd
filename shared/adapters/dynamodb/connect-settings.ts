// Settings as the connect path reads them. Apart from the store that changes them, because the authorizer needs no more,
// and what it loads it pays for at every cold start.

import { BatchGetCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { StoreUnavailable } from '../../ports/errors.ts';
import type { SettingsStore } from '../../ports/settings.ts';
import { answering } from './client.ts';
import { deploymentKey, limitKey, tokenIssuerKey } from './keys.ts';
import { parseConnectSettings } from './settings-item.ts';

export function createConnectSettingsReader(
  client: DynamoDBDocumentClient,
  tableName: string,
): Pick<SettingsStore, 'getConnectSettings'> {
  return {
    async getConnectSettings(id) {
      const keys = [deploymentKey(id), limitKey(id), tokenIssuerKey(id)];
      const command = new BatchGetCommand({ RequestItems: { [tableName]: { Keys: keys } } });
      const answer = await answering(() => client.send(command));
      if ((answer.UnprocessedKeys?.[tableName]?.Keys?.length ?? 0) > 0) {
        throw new StoreUnavailable(new Error('keys left unread'));
      }
      const items = answer.Responses?.[tableName] ?? [];
      const [deployment, limit, tokens] = keys.map((key) =>
        items.find((item) => item.pk === key.pk && item.sk === key.sk),
      );
      return parseConnectSettings(deployment, limit, tokens);
    },
  };
}
