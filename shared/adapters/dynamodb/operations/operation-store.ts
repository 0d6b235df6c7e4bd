// Operations in DynamoDB: one item each under its tenant, and beside it the places it is to end. While one runs, the
// `wake` index says when somebody should look whether it still does.

import { randomBytes } from 'node:crypto';
import { operationSeconds } from '../../../config/constants.ts';
import { tableDefinition } from '../../../config/table.ts';
import type { OperationId, Place, TenantId } from '../../../domain/ids.ts';
import { addSeconds, ms, seconds, toEpochSeconds } from '../../../domain/time.ts';
import type { Random } from '../../../ports/common/random.ts';
import type { Operation, OperationRef, OperationStore } from '../../../ports/operations/operations.ts';
import type { PutOutcome, Stored } from '../../../ports/presence/sessions.ts';
import type { Change } from '../../../ports/settings/settings.ts';
import { answering } from '../common/answering.ts';
import { DeleteCommand, type DocumentClient, GetCommand, PutCommand, QueryCommand } from '../common/commands.ts';
import { refusable } from '../common/conditions.ts';
import { operationKey, operationsPk, runningOperationsPk } from '../common/keys.ts';
import { readItems } from '../common/read-items.ts';
import { replace } from '../common/replace.ts';
import { transact } from '../common/transaction.ts';
import { placeBytes, placeOf } from '../counter/place-set.ts';
import type { Item } from '../presence/session-item.ts';
import { buildAuditItem } from '../settings/settings-audit.ts';

const [wakeIndex, dueIndex] = tableDefinition.indexes;
const placeLength = 8;

export function createOperationStore(client: DocumentClient, tableName: string, random: Random): OperationStore {
  const TableName = tableName;

  /**
   * Only over what was read: of two workers that go on from the same record one is refused and stops, so no progress
   * is taken back. Dying after it loses nothing: the record says what is left.
   */
  function put(operation: Operation, expected: Stored<Operation> | undefined): Promise<PutOutcome<Operation>> {
    const revision = random.revision();
    return replace({ client, tableName }, operation, encode(operation, revision), revision, expected, decode);
  }

  /**
   * Invariant: an operation that somebody asked for has an audit record (S18), and an audit record an operation.
   * Race: of two that create one id the second is refused, and writes no record.
   * On crash: both are written, or neither is.
   */
  async function createRecorded(operation: Operation, change: Change): Promise<PutOutcome<Operation>> {
    const { deploymentId, cause } = operation;
    const revision = random.revision();
    const subject = 'username' in cause ? { subject: cause.username } : {};
    const record = { action: 'username.kicked', ...subject, before: null, after: null } as const;
    const outcome = await transact({ client, tableName }, [
      { Put: { TableName, Item: encode(operation, revision), ConditionExpression: 'attribute_not_exists(pk)' } },
      { Put: { TableName, Item: buildAuditItem(deploymentId, change, randomBytes(9).toString('base64url'), record) } },
    ]);
    if (outcome.kind === 'done') return { kind: 'done', value: operation, revision };
    return { kind: 'changed', current: await read(operation) };
  }

  async function read(ref: OperationRef): Promise<Stored<Operation> | undefined> {
    const command = new GetCommand({ TableName, Key: operationKey(ref, 'operation'), ConsistentRead: true });
    const { Item: item } = await answering(() => client.send(command));
    return item === undefined ? undefined : decode(item);
  }

  return {
    createOperation: (operation, change) =>
      change === undefined ? put(operation, undefined) : createRecorded(operation, change),
    saveOperation: put,
    readOperation: read,
    async dropOperation({ value, revision }) {
      const command = new DeleteCommand({
        TableName,
        Key: operationKey(value, 'operation'),
        ConditionExpression: 'rev = :rev',
        ExpressionAttributeValues: { ':rev': revision },
      });
      await refusable(() => client.send(command));
    },
    async listOperations(tenantId, { limit, after }) {
      const duePk = operationsPk(tenantId);
      const command = new QueryCommand({
        TableName,
        IndexName: dueIndex.name,
        KeyConditionExpression: 'duePk = :pk',
        ExpressionAttributeValues: { ':pk': duePk },
        ScanIndexForward: false,
        Limit: limit,
        ...(after === undefined
          ? {}
          : {
              ExclusiveStartKey: {
                ...operationKey({ tenantId, operationId: after.operationId }, 'operation'),
                duePk,
                dueAt: after.startedAt,
              },
            }),
      });
      const { Items: entries = [], LastEvaluatedKey: more } = await answering(() => client.send(command));
      const places = entries.map((entry) => ({
        startedAt: ms(Number(entry.dueAt)),
        operationId: refOf(entry).operationId,
      }));
      const keys = places.map(({ operationId }) => operationKey({ tenantId, operationId }, 'operation'));
      const read = await readItems({ client, tableName }, keys, { consistent: true });
      // One that is gone since is not there.
      const items = keys.map(read).flatMap((item) => (item === undefined ? [] : [decode(item).value]));
      return { items, next: more === undefined ? undefined : places.at(-1) };
    },
    async listOverdue(until, limit) {
      const command = new QueryCommand({
        TableName,
        IndexName: wakeIndex.name,
        KeyConditionExpression: 'wakePk = :pk AND wakeAt <= :until',
        ExpressionAttributeValues: { ':pk': runningOperationsPk, ':until': until },
        Limit: limit,
      });
      return ((await answering(() => client.send(command))).Items ?? []).map(refOf);
    },
    async countRunning(tenantId, most) {
      let running = 0;
      let start: Record<string, unknown> | undefined;
      do {
        const command = new QueryCommand({
          TableName,
          IndexName: wakeIndex.name,
          Select: 'COUNT',
          KeyConditionExpression: 'wakePk = :pk',
          FilterExpression: 'begins_with(pk, :tenant)',
          ExpressionAttributeValues: { ':pk': runningOperationsPk, ':tenant': `J|${tenantId}|` },
          ...(start === undefined ? {} : { ExclusiveStartKey: start }),
        });
        const answer = await answering(() => client.send(command));
        running += answer.Count ?? 0;
        start = answer.LastEvaluatedKey;
      } while (start !== undefined && running < most);
      return Math.min(running, most);
    },
    async putPlan(ref, places, keptUntil) {
      // 8 bytes a place, and a roster, which holds as many, takes 9: what fits there fits here.
      const bytes = Buffer.concat([...places].map(placeBytes));
      const item = { ...operationKey(ref, 'plan'), places: bytes, ttl: toEpochSeconds(keptUntil) };
      await answering(() => client.send(new PutCommand({ TableName, Item: item })));
    },
    async readPlan(ref) {
      const command = new GetCommand({ TableName, Key: operationKey(ref, 'plan'), ConsistentRead: true });
      const bytes = (await answering(() => client.send(command))).Item?.places;
      const places = new Set<Place>();
      if (bytes instanceof Uint8Array)
        for (let at = 0; at < bytes.length; at += placeLength)
          places.add(placeOf(bytes.subarray(at, at + placeLength)));
      return places;
    },
  };
}

function refOf(entry: Item): OperationRef {
  const [, tenantId = '', operationId = ''] = String(entry.pk).split('|');
  return { tenantId: tenantId as TenantId, operationId: operationId as OperationId };
}

function encode(operation: Operation, revision: string): Item {
  const { lookAt, ...fields } = operation;
  return {
    ...fields,
    ...operationKey(operation, 'operation'),
    rev: revision,
    look: lookAt,
    duePk: operationsPk(operation.tenantId),
    dueAt: operation.startedAt,
    ...(operation.status === 'running' ? { wakePk: runningOperationsPk, wakeAt: lookAt } : {}),
    ttl: toEpochSeconds(addSeconds(operation.startedAt, seconds(operationSeconds))),
  };
}

function decode(item: Item): Stored<Operation> {
  const { pk: _p, sk: _s, rev, look, wakePk: _w, wakeAt: _a, duePk: _d, dueAt: _u, ttl: _t, ...fields } = item;
  // Nobody but this file writes there.
  return { value: { ...(fields as unknown as Operation), lookAt: ms(Number(look)) }, revision: String(rev) };
}
