// After a restart: no connection of the last run is left, and the embedded broker's sessions went with it. What was
// connected when the process ended is settled as disconnected at that moment, before anybody can connect again.

import { type DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { parseRosterKey } from '../shared/adapters/dynamodb/roster.ts';
import { decodeSession } from '../shared/adapters/dynamodb/session-item.ts';
import { change, type LifeCyclePorts } from '../shared/app/life-cycle.ts';
import { recount } from '../shared/app/recount.ts';
import { abandonAttempt, endSession, type Session } from '../shared/domain/session.ts';
import type { Ms } from '../shared/domain/time.ts';

/** Answers how many sessions were settled. Safe to repeat, should the process end in the middle of it. */
export async function settleAfterRestart(
  client: DynamoDBDocumentClient,
  tableName: string,
  ports: LifeCyclePorts,
  endedAt: Ms,
): Promise<number> {
  let settled = 0;
  for await (const item of scan(client, tableName, 'S|')) {
    const { value } = decodeSession(item);
    if (value.holding === 'connected' || value.leaseUntil !== undefined) settled++;
    await change(ports, value, (session, now) => settle(session, endedAt, now));
  }
  for await (const item of scan(client, tableName, 'N|')) {
    const { deploymentId, username } = parseRosterKey(String(item.pk), String(item.sk));
    await recount(ports, deploymentId, username);
  }
  return settled;
}

function settle(session: Session, endedAt: Ms, now: Ms): { readonly next: Session } | 'nothing' {
  if (session.holding === 'freed') return 'nothing';
  if (session.holding === 'connected') {
    const ending = session.ended ?? { at: endedAt, expirySeconds: session.expirySeconds };
    return { next: endSession(session, ending, now) };
  }
  return session.leaseUntil === undefined ? 'nothing' : { next: abandonAttempt(session, now) };
}

async function* scan(
  client: DynamoDBDocumentClient,
  tableName: string,
  prefix: string,
): AsyncGenerator<Record<string, unknown>> {
  let start: Record<string, unknown> | undefined;
  do {
    const page = await client.send(
      new ScanCommand({
        TableName: tableName,
        ConsistentRead: true,
        FilterExpression: 'begins_with(pk, :prefix)',
        ExpressionAttributeValues: { ':prefix': prefix },
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      }),
    );
    yield* page.Items ?? [];
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
}
