// MQTT users of deployments in DynamoDB.

import { randomBytes } from 'node:crypto';
import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { credentialsPerDeploymentMax } from '../../config/constants.ts';
import type { DeploymentId, Username } from '../../domain/ids.ts';
import type { CredentialChange, CredentialStore } from '../../ports/credentials.ts';
import { Contended } from '../../ports/errors.ts';
import { answering } from './client.ts';
import { hashAttributes, parseCredentialItem } from './credential-item.ts';
import { credentialCountKey, perUsernameKey } from './keys.ts';
import { type AuditAction, buildAuditItem } from './settings-audit.ts';
import { readPage, type Table } from './settings-by-username.ts';
import { transact } from './transaction.ts';

const hashNames = ['hash', 'digest', 'salt', 'n', 'r', 'p'];
/** How often a user may come and go between a look and the write. */
const maxRounds = 8;
const isThere = { ConditionExpression: 'attribute_exists(pk)' };
const isNew = { ConditionExpression: 'attribute_not_exists(pk)' };

export function createCredentialStore(
  client: DynamoDBDocumentClient,
  tableName: string,
  usersMax: number = credentialsPerDeploymentMax,
): CredentialStore {
  const table: Table = { client, tableName };
  const TableName = tableName;

  /** S18: who changed which user, and never to what password. */
  function audit(id: DeploymentId, username: Username, action: AuditAction, change: CredentialChange) {
    const before = action === 'credential.added' ? null : { username };
    const after = action === 'credential.removed' ? null : { username };
    const Item = buildAuditItem(id, change, randomBytes(9).toString('base64url'), { action, before, after });
    return { Put: { TableName, Item } };
  }

  /**
   * Invariant: the counter is the number of users that were added by a change, so their bound is exact; a new password
   * costs nothing here.
   * Race: of two that add the last user, the second transaction finds the counter at its bound and is refused.
   * On crash: user, audit record and counter are written in one step, or none is.
   */
  function count(id: DeploymentId, more: 1 | -1) {
    const Update = {
      TableName,
      Key: credentialCountKey(id),
      UpdateExpression: 'ADD mqttUsers :more',
      ExpressionAttributeValues: { ':more': more },
    };
    if (more < 0) return { Update };
    return {
      Update: {
        ...Update,
        ConditionExpression: 'attribute_not_exists(mqttUsers) OR mqttUsers < :most',
        ExpressionAttributeValues: { ':more': more, ':most': usersMax },
      },
    };
  }

  return {
    async getCredential(id, username) {
      const command = new GetCommand({ TableName, Key: perUsernameKey('P', id, username) });
      return parseCredentialItem((await answering(() => client.send(command))).Item);
    },

    async putCredential(id, { username, hash, createdAt }, change) {
      const attributes = hashAttributes(hash);
      const sets = hashNames.filter((name) => attributes[name] !== undefined);
      const removes = hashNames.filter((name) => attributes[name] === undefined);
      // One update, so that no reader ever meets one password's digest with another's salt.
      const update = {
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
      };
      if (change === undefined) {
        await answering(() => client.send(new UpdateCommand(update)));
        return 'set';
      }
      for (let round = 0; round < maxRounds; round++) {
        const [action, asSeen] =
          round % 2 === 0 ? (['credential.added', isNew] as const) : (['credential.password_set', isThere] as const);
        const writes = [
          { Update: { ...update, ...asSeen } },
          audit(id, username, action, change),
          ...(action === 'credential.added' ? [count(id, 1)] : []),
        ];
        const outcome = await transact(table, writes);
        if (outcome.kind === 'done') return 'set';
        if (!outcome.at.includes(0)) return 'full';
      }
      throw new Contended(new Error('others kept adding and removing this MQTT user'));
    },

    async deleteCredential(id, username, change) {
      const Key = perUsernameKey('P', id, username);
      if (change === undefined) {
        const command = new DeleteCommand({ TableName, Key, ReturnValues: 'ALL_OLD' });
        return (await answering(() => client.send(command))).Attributes === undefined ? 'missing' : 'deleted';
      }
      const writes = [
        { Delete: { TableName, Key, ...isThere } },
        audit(id, username, 'credential.removed', change),
        count(id, -1),
      ];
      return (await transact(table, writes)).kind === 'done' ? 'deleted' : 'missing';
    },

    listCredentials: (id, page) => readPage(table, 'P', id, page, parseCredentialItem),
  };
}
