// All sessions of a username, in pages, by client id. They are spread over partitions, so that a fleet which shares one
// username can reconnect at once, and merged again here.

import { sessionPartitions } from '../../../config/constants.ts';
import type { ClientId, DeploymentId, Username } from '../../../domain/ids.ts';
import type { Session } from '../../../domain/session/record.ts';
import type { SessionStore } from '../../../ports/common/session-store.ts';
import type { Stored } from '../../../ports/presence/sessions.ts';
import { answering } from '../common/answering.ts';
import { QueryCommand } from '../common/commands.ts';
import { sessionsPk } from '../common/keys.ts';
import type { Table } from '../settings/settings-by-username.ts';
import { mergePartitions, type PartitionPage } from '../usage/merged-pages.ts';
import { decodeSession } from './session-item.ts';

type Entry = Stored<Session>;

export function createSessionPages({ client, tableName }: Table): SessionStore['listSessions'] {
  async function query(pk: string, limit: number, after: ClientId | undefined): Promise<PartitionPage<Entry>> {
    const answer = await answering(() =>
      client.send(
        new QueryCommand({
          TableName: tableName,
          ConsistentRead: true,
          KeyConditionExpression: after === undefined ? 'pk = :pk' : 'pk = :pk AND sk > :after',
          ExpressionAttributeValues: { ':pk': pk, ...(after === undefined ? {} : { ':after': after }) },
          Limit: limit,
        }),
      ),
    );
    return { items: (answer.Items ?? []).map(decodeSession), more: answer.LastEvaluatedKey !== undefined };
  }

  return (id: DeploymentId, username: Username, { limit, after }) =>
    mergePartitions<Entry>(
      {
        partitions: sessionPartitions,
        read: (partition, ahead, last) =>
          query(sessionsPk(id, username, partition), ahead, last?.value.clientId ?? after),
        precedes: (a, b) => compareBytes(a.value.clientId, b.value.clientId) < 0,
      },
      limit,
      // An even share of each, and some more: a partition that is short of its share costs a request.
      Math.ceil((limit / sessionPartitions) * 1.5) + 1,
    );
}

/** As sort keys compare. */
function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
