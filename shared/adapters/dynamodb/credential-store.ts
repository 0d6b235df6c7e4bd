// MQTT users of deployments in DynamoDB.

import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { CredentialStore } from '../../ports/credentials.ts';
import { answering } from './client.ts';
import { hashAttributes, parseCredentialItem } from './credential-item.ts';
import { perUsernameKey } from './keys.ts';
import { readPage, type Table } from './settings-by-username.ts';

const hashNames = ['hash', 'digest', 'salt', 'n', 'r', 'p'];

export function createCredentialStore(client: DynamoDBDocumentClient, tableName: string): CredentialStore {
  const table: Table = { client, tableName };
  const TableName = tableName;
  return {
    async getCredential(id, username) {
      const command = new GetCommand({ TableName, Key: perUsernameKey('P', id, username) });
      return parseCredentialItem((await answering(() => client.send(command))).Item);
    },

    async putCredential(id, { username, hash, createdAt }) {
      const attributes = hashAttributes(hash);
      const sets = hashNames.filter((name) => attributes[name] !== undefined);
      const removes = hashNames.filter((name) => attributes[name] === undefined);
      // One update, so that no reader ever meets one password's digest with another's salt.
      const command = new UpdateCommand({
        TableName,
        Key: perUsernameKey('P', id, username),
        UpdateExpression:
          `SET createdAt = if_not_exists(createdAt, :at), ${sets.map((name) => `#${name} = :${name}`).join(', ')}` +
          (removes.length === 0 ? '' : ` REMOVE ${removes.map((name) => `#${name}`).join(', ')}`),
        ExpressionAttributeNames: Object.fromEntries(hashNames.map((name) => [`#${name}`, name])),
        ExpressionAttributeValues: {
          ':at': createdAt,
          ...Object.fromEntries(sets.map((name) => [`:${name}`, attributes[name]])),
        },
      });
      await answering(() => client.send(command));
    },

    async deleteCredential(id, username) {
      const command = new DeleteCommand({
        TableName,
        Key: perUsernameKey('P', id, username),
        ReturnValues: 'ALL_OLD',
      });
      return (await answering(() => client.send(command))).Attributes === undefined ? 'missing' : 'deleted';
    },

    listCredentials: (id, page) => readPage(table, 'P', id, page, parseCredentialItem),
  };
}
