// What the account keeps persistent sessions of MQTT 3 for: one item of the table.

import { seconds } from '../../../domain/time.ts';
import type { AccountExpiryStore } from '../../../ports/presence/account-expiry.ts';
import { answering } from '../common/answering.ts';
import { type DocumentClient, GetCommand, PutCommand } from '../common/commands.ts';
import { accountExpiryKey } from '../common/keys.ts';

export function createAccountExpiryStore(client: DocumentClient, tableName: string): AccountExpiryStore {
  return {
    async readAccountExpiry() {
      const command = new GetCommand({ TableName: tableName, Key: accountExpiryKey });
      const { Item: item } = await answering(() => client.send(command));
      return typeof item?.seconds === 'number' ? seconds(item.seconds) : undefined;
    },
    // Unconditional: the broker tells every process the same number, and after a change the sample corrects the last one.
    async writeAccountExpiry(expirySeconds) {
      const command = new PutCommand({ TableName: tableName, Item: { ...accountExpiryKey, seconds: expirySeconds } });
      await answering(() => client.send(command));
    },
  };
}
