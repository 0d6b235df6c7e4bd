// A deployment as a heap of items: found and removed whatever they are. No index leads to all of them (an owner outlives
// its session's tombstone), and one for this alone would cost every admission; so this scans the table, for keys.
// docs/adr/0004-deleting-a-deployment.md

import { removalAttributes } from '../../../config/attributes.ts';
import { usernamePartitions } from '../../../config/constants.ts';
import type { DeploymentId, Username } from '../../../domain/ids.ts';
import { StoreUnavailable } from '../../../ports/common/errors.ts';
import type { DeploymentItems } from '../../../ports/operations/operations.ts';
import { answering } from '../common/answering.ts';
import { BatchWriteCommand, type DocumentClient, QueryCommand, ScanCommand } from '../common/commands.ts';
import {
  deploymentKey,
  deploymentKinds,
  fetchedKeysKey,
  hostKey,
  type Key,
  perUsernamePk,
  tenantPk,
  usernamePartition,
} from '../common/keys.ts';
import { onlyAttributes } from '../common/only-attributes.ts';
import { transact } from '../common/transaction.ts';
import { markDeleting } from './settings-deployments.ts';

/** What one request may remove. */
const batchSize = 25;
const batchTries = 5;

export function createDeploymentItems(client: DocumentClient, tableName: string): DeploymentItems {
  const TableName = tableName;

  async function remove(keys: readonly Key[]): Promise<void> {
    let left = keys.map((Key) => ({ DeleteRequest: { Key } }));
    for (let tried = 0; left.length > 0; tried += 1) {
      if (tried >= batchTries) throw new StoreUnavailable('items left that could not be removed');
      const command = new BatchWriteCommand({ RequestItems: { [TableName]: left } });
      const unprocessed = (await answering(() => client.send(command))).UnprocessedItems?.[TableName] ?? [];
      left = unprocessed.flatMap(({ DeleteRequest }) =>
        DeleteRequest === undefined ? [] : [{ DeleteRequest: { Key: DeleteRequest.Key as Key } }],
      );
    }
  }

  return {
    async listCounted(id, { limit, after }) {
      const found: { username: Username; used: number }[] = [];
      const first = after === undefined ? 0 : usernamePartition(after);
      for (let partition = first; partition < usernamePartitions && found.length < limit; partition += 1) {
        const from = partition === first ? after : undefined;
        const command = new QueryCommand({
          TableName,
          ConsistentRead: true,
          ProjectionExpression: 'sk, used',
          KeyConditionExpression: from === undefined ? 'pk = :pk' : 'pk = :pk AND sk > :after',
          ExpressionAttributeValues: {
            ':pk': perUsernamePk('N', id, partition),
            ...(from === undefined ? {} : { ':after': from }),
          },
          Limit: limit - found.length,
        });
        const answer = await answering(() => client.send(command));
        for (const item of answer.Items ?? [])
          found.push({ username: String(item.sk) as Username, used: Number(item.used ?? 0) });
        // More of this partition, and a page that its own size cut short.
        if (answer.LastEvaluatedKey !== undefined) return found;
      }
      return found;
    },

    markDeleting: (id, change) => markDeleting({ client, tableName }, id, change),

    async removeSome(id, from) {
      const command = new ScanCommand({
        TableName,
        // What was written a moment ago must not be overlooked: nobody looks again.
        ConsistentRead: true,
        ...onlyAttributes(removalAttributes),
        ...buildFilter(id),
        ...(from === undefined ? {} : { ExclusiveStartKey: JSON.parse(from) as Key }),
      });
      const answer = await answering(() => client.send(command));
      const own = deploymentKey(id);
      const keys = (answer.Items ?? [])
        .map((item): Key => ({ pk: String(item.pk), sk: String(item.sk) }))
        .filter((key) => key.pk !== own.pk || key.sk !== own.sk);
      for (let at = 0; at < keys.length; at += batchSize) await remove(keys.slice(at, at + batchSize));
      const next = answer.LastEvaluatedKey;
      return { removed: keys.length, next: next === undefined ? undefined : JSON.stringify(next) };
    },

    async removeDeployment(id, tenantId) {
      // Both or none, so that a list never names what is not there; nothing that somebody brought back to life.
      await transact({ client, tableName }, [
        {
          Delete: {
            TableName,
            Key: deploymentKey(id),
            ConditionExpression: 'attribute_not_exists(pk) OR #status = :deleting',
            ExpressionAttributeNames: { '#status': 'status' },
            ExpressionAttributeValues: { ':deleting': 'deleting' },
          },
        },
        { Delete: { TableName, Key: { pk: tenantPk(tenantId), sk: id } } },
        { Delete: { TableName, Key: fetchedKeysKey(id) } },
      ]);
    },
  };
}

/** `D|acme` and `D|acme|…`, never `D|acme-2`: `|` ends an id, because no id holds one. */
function buildFilter(id: DeploymentId): {
  FilterExpression: string;
  ExpressionAttributeValues: Record<string, string>;
} {
  const values: Record<string, string> = {};
  const parts = deploymentKinds.map((kind) => {
    values[`:is${kind}`] = `${kind}|${id}`;
    values[`:in${kind}`] = `${kind}|${id}|`;
    return `pk = :is${kind} OR begins_with(pk, :in${kind})`;
  });
  // Its server name.
  parts.push('(begins_with(pk, :hosts) AND deploymentId = :id)');
  return {
    FilterExpression: parts.join(' OR '),
    ExpressionAttributeValues: { ...values, ':hosts': hostKey('').pk, ':id': id },
  };
}
