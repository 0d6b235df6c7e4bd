// What the table says of itself: one item, written by the first process that opens it.

import type { DataFormat, DataFormatStore } from '../../../ports/common/data-format.ts';
import { answering } from './answering.ts';
import { type DocumentClient, GetCommand, UpdateCommand } from './commands.ts';
import { Refused, refusable } from './conditions.ts';
import { dataFormatKey } from './keys.ts';

function parseFormat({ version, keyIds }: Record<string, unknown>): DataFormat {
  if (typeof version !== 'number' || !(keyIds instanceof Set))
    throw new TypeError('the format of a table has a version and ids of keys');
  return { version, keyIds: [...keyIds].map(String).sort() };
}

export function createDataFormatStore(client: DocumentClient, tableName: string): DataFormatStore {
  return {
    tableName,

    async readFormat() {
      const command = new GetCommand({ TableName: tableName, Key: dataFormatKey, ConsistentRead: true });
      const { Item: item } = await answering(() => client.send(command));
      return item === undefined ? undefined : parseFormat(item);
    },

    /**
     * Invariant: the item names every key that a digest of the table may be under, and one version for ever.
     * Race: processes that open a new table at once add their keys to one item; each then looks whether it has them all.
     * On crash: a key is named that no digest is under yet. It must be kept all the same, which costs nothing.
     */
    async addKey(version, keyId) {
      const command = new UpdateCommand({
        TableName: tableName,
        Key: dataFormatKey,
        UpdateExpression: 'SET #version = :version ADD keyIds :keyIds',
        ConditionExpression: 'attribute_not_exists(pk) OR #version = :version',
        ExpressionAttributeNames: { '#version': 'version' },
        ExpressionAttributeValues: { ':version': version, ':keyIds': new Set([keyId]) },
        ReturnValues: 'ALL_NEW',
      });
      const answer = await refusable(() => client.send(command));
      return answer instanceof Refused ? 'refused' : parseFormat(answer.Attributes ?? {});
    },
  };
}
