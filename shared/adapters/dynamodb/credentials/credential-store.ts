// MQTT users of deployments in DynamoDB.

import { randomBytes } from 'node:crypto';
import { keyAttributes, mqttUserAttributes } from '../../../config/attributes.ts';
import { credentialsPerDeploymentMax } from '../../../config/constants.ts';
import type { DeploymentId, Username } from '../../../domain/ids.ts';
import { contended } from '../../../ports/common/errors.ts';
import type { CredentialChange, CredentialStore, PasswordHash } from '../../../ports/credentials/credentials.ts';
import { answering } from '../common/answering.ts';
import { DeleteCommand, type DocumentClient, GetCommand, QueryCommand, UpdateCommand } from '../common/commands.ts';
import { Refused, refusable } from '../common/conditions.ts';
import { credentialCountKey, perUsernameKey } from '../common/keys.ts';
import { onlyAttributes } from '../common/only-attributes.ts';
import { transact } from '../common/transaction.ts';
import { type AuditAction, buildAuditItem } from '../settings/settings-audit.ts';
import { readPage, type Table } from '../settings/settings-by-username.ts';
import { hashNames, parseCredentialItem, parseMqttUserItem } from './credential-item.ts';

/** One update of all of them, so that no reader meets one password's digest with another's salt. */
const setHash = hashNames.map((name) => `#${name} = :${name}`).join(', ');
const ExpressionAttributeNames = Object.fromEntries(hashNames.map((name) => [`#${name}`, name]));
const hashValues = (hash: PasswordHash) => Object.fromEntries(hashNames.map((name) => [`:${name}`, hash[name]]));

/** How often a user may come and go between a look and the write. */
const maxRounds = 8;
const isThere = { ConditionExpression: 'attribute_exists(pk)' };
const isNew = { ConditionExpression: 'attribute_not_exists(pk)' };

export function createCredentialStore(
  client: DocumentClient,
  tableName: string,
  usersMax: number = credentialsPerDeploymentMax,
): CredentialStore {
  const table: Table = { client, tableName };
  const TableName = tableName;

  /** S18: who changed which user, and never to what password. */
  function audit(id: DeploymentId, username: Username, action: AuditAction, change: CredentialChange) {
    const before = action === 'credential.added' ? null : { username };
    const after = action === 'credential.removed' ? null : { username };
    const Item = buildAuditItem(id, change, randomBytes(9).toString('base64url'), {
      action,
      subject: username,
      before,
      after,
    });
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

    /** A Query, because IAM can hold no GetItem to the attributes that it should ask for. */
    async hasCredential(id, username) {
      const { pk, sk } = perUsernameKey('P', id, username);
      const command = new QueryCommand({
        TableName,
        KeyConditionExpression: 'pk = :pk AND sk = :sk',
        ExpressionAttributeValues: { ':pk': pk, ':sk': sk },
        ...onlyAttributes(keyAttributes),
      });
      return ((await answering(() => client.send(command))).Items ?? []).length > 0;
    },

    async putCredential(id, { username, hash, createdAt }, change) {
      const update = {
        TableName,
        Key: perUsernameKey('P', id, username),
        UpdateExpression: `SET createdAt = if_not_exists(createdAt, :at), ${setHash}`,
        ExpressionAttributeNames,
        ExpressionAttributeValues: { ':at': createdAt, ...hashValues(hash) },
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
      throw contended('others kept adding and removing this MQTT user');
    },

    /**
     * Invariant: a renewal stores the same password that was stored, and never makes an MQTT user.
     * Race: a password that was set, or a user that was removed, after the check wins: the digest is another or gone. A
     * message that comes twice finds its own digest and changes nothing.
     * On crash: the old digest stays and is right; the next login with it asks again.
     */
    async renewHash({ deploymentId, username, seen, hash }) {
      const command = new UpdateCommand({
        TableName,
        Key: perUsernameKey('P', deploymentId, username),
        UpdateExpression: `SET ${setHash}`,
        ConditionExpression: '#digest = :seen',
        ExpressionAttributeNames,
        ExpressionAttributeValues: { ':seen': seen, ...hashValues(hash) },
      });
      return (await refusable(() => client.send(command))) instanceof Refused ? 'changed' : 'done';
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

    listCredentials: (id, page) => readPage(table, 'P', id, page, parseMqttUserItem, mqttUserAttributes),
  };
}
