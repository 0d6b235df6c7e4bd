// The three write patterns that ADR 1 compares, as real requests to a real engine.

import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  TransactWriteCommand,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { sessionKey, wakePartition } from '../../shared/adapters/dynamodb/common/keys.ts';
import { placeBytes } from '../../shared/adapters/dynamodb/counter/place-set.ts';
import type { Username } from '../../shared/domain/ids.ts';
import {
  accepted,
  type Candidate,
  counterKey,
  freed,
  newSession,
  putOwner,
  putSession,
  putSessionInput,
  type ReadUsed,
  readUsed as readUsedNow,
  startedAt,
} from './sessions.ts';

export function createCandidates(
  client: DynamoDBDocumentClient,
  tableName: string,
  readUsed: ReadUsed = readUsedNow,
): readonly Candidate[] {
  const counter = (
    username: Username,
    change: Pick<UpdateCommandInput, 'ConditionExpression' | 'ExpressionAttributeValues'> & {
      readonly UpdateExpression: string;
    },
  ) => ({
    TableName: tableName,
    Key: counterKey(username),
    ...change,
  });
  const update = (username: Username, change: Parameters<typeof counter>[1]) =>
    accepted(client.send(new UpdateCommand(counter(username, change))));
  /** Every counter keeps the sweeper informed of its username; the entry comes with the first session. */
  const wake = (username: Username) => ({ ':wakePk': wakePartition(username), ':wakeAt': startedAt + 86_400_000 });
  const setWake = 'SET wakePk = if_not_exists(wakePk, :wakePk), wakeAt = if_not_exists(wakeAt, :wakeAt)';
  const below = '(attribute_not_exists(used) OR used < :max)';

  /** Removes a counter only while it counts exactly so many: a username that somebody counted in meanwhile stays. */
  const emptied = (username: Username, used: number) => ({
    TableName: tableName,
    Key: counterKey(username),
    ConditionExpression: 'used = :used',
    ExpressionAttributeValues: { ':used': used },
  });

  const transaction: Candidate = {
    name: 'transaction',
    async admit(arrival, max) {
      if ((await readUsed(client, tableName, arrival)) >= max) return 'full';
      await putOwner(client, tableName, arrival);
      const counted = counter(arrival.username, {
        UpdateExpression: `ADD used :one ${setWake}`,
        ConditionExpression: below,
        ExpressionAttributeValues: { ':one': 1, ':max': max, ...wake(arrival.username) },
      });
      const put = putSessionInput(tableName, newSession(arrival), undefined);
      try {
        await client.send(new TransactWriteCommand({ TransactItems: [{ Update: counted }, { Put: put }] }));
        return 'admitted';
      } catch (error) {
        if (
          error instanceof TransactionCanceledException &&
          error.CancellationReasons?.[0]?.Code === 'ConditionalCheckFailed'
        )
          return 'full';
        throw error;
      }
    },
    async free(session, last) {
      const uncounted = counter(session.username, {
        UpdateExpression: 'ADD used :less',
        ExpressionAttributeValues: { ':less': -1 },
      });
      const put = putSessionInput(tableName, freed(session), session);
      await client.send(
        new TransactWriteCommand({
          TransactItems: [last ? { Delete: emptied(session.username, 1) } : { Update: uncounted }, { Put: put }],
        }),
      );
    },
  };

  const dropClaim = (username: Username, claim: string) =>
    update(username, {
      UpdateExpression: 'DELETE claims :claims',
      ExpressionAttributeValues: { ':claims': new Set([claim]) },
    });

  const claim: Candidate = {
    name: 'claim',
    async admit(arrival, max) {
      if ((await readUsed(client, tableName, arrival)) >= max) return 'full';
      const session = newSession(arrival);
      const mark = `${session.attempts[0].id}|${arrival.clientId}`;
      const counted = await update(arrival.username, {
        UpdateExpression: `ADD used :one, claims :claims ${setWake}`,
        ConditionExpression: `NOT contains(claims, :claim) AND ${below}`,
        ExpressionAttributeValues: {
          ':one': 1,
          ':claims': new Set([mark]),
          ':claim': mark,
          ':max': max,
          ...wake(arrival.username),
        },
      });
      if (!counted) return 'full';
      await Promise.all([putSession(client, tableName, session, undefined), putOwner(client, tableName, arrival)]);
      await dropClaim(arrival.username, mark);
      return 'admitted';
    },
    async free(session, last) {
      const mark = `${session.attempts[0].id}|${session.clientId}`;
      await putSession(client, tableName, freed(session), session);
      await update(session.username, {
        UpdateExpression: 'ADD used :less, claims :claims',
        ConditionExpression: 'NOT contains(claims, :claim)',
        ExpressionAttributeValues: { ':less': -1, ':claims': new Set([mark]), ':claim': mark },
      });
      if (last) await client.send(new DeleteCommand(emptied(session.username, 0)));
      else await dropClaim(session.username, mark);
    },
  };

  /** `beside`: session and owner at the same time, for one round trip less; a foreign owner then has a session to undo. */
  const createRoster = (name: string, beside: boolean): Candidate => ({
    name,
    async admit(arrival, max) {
      if ((await readUsed(client, tableName, arrival)) >= max) return 'full';
      const session = newSession(arrival);
      const place = placeBytes(session.place);
      const written = putSession(client, tableName, session, undefined);
      if (!beside) await written;
      await Promise.all([written, putOwner(client, tableName, arrival)]);
      const counted = await update(arrival.username, {
        UpdateExpression: `ADD used :one, places :places ${setWake}`,
        ConditionExpression: `NOT contains(places, :place) AND ${below}`,
        ExpressionAttributeValues: {
          ':one': 1,
          ':places': new Set([place]),
          ':place': place,
          ':max': max,
          ...wake(arrival.username),
        },
      });
      if (counted) return 'admitted';
      const { deploymentId, username, clientId } = session;
      await client.send(new DeleteCommand({ TableName: tableName, Key: sessionKey(deploymentId, username, clientId) }));
      return 'full';
    },
    async free(session, last) {
      const place = placeBytes(session.place);
      await putSession(client, tableName, freed(session), session);
      if (last && (await accepted(client.send(new DeleteCommand(emptied(session.username, 1)))))) return;
      await update(session.username, {
        UpdateExpression: 'ADD used :less DELETE places :places',
        ConditionExpression: 'contains(places, :place)',
        ExpressionAttributeValues: { ':less': -1, ':places': new Set([place]), ':place': place },
      });
    },
  });

  return [transaction, claim, createRoster('roster', false), createRoster('roster, owner beside', true)];
}
