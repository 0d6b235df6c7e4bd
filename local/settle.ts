// After a restart: no connection of the last run is left. What was connected when the process ended is settled as
// disconnected at that moment, before anybody can connect again. What the last run had still to tell has been told by
// then: so an attempt that is pending now was never answered with CONNACK 0, and comes to nothing.

import { type DocumentClient, ScanCommand } from '../shared/adapters/dynamodb/common/commands.ts';
import { parseRosterKey } from '../shared/adapters/dynamodb/counter/roster-item.ts';
import { decodeSession } from '../shared/adapters/dynamodb/presence/session-item.ts';
import { recount } from '../shared/app/counter/recount.ts';
import { change } from '../shared/app/presence/change.ts';
import type { LifeCyclePorts } from '../shared/app/presence/step.ts';
import { toBrokerClientId } from '../shared/domain/ids.ts';
import { abandonAttempt } from '../shared/domain/session/attempt.ts';
import { endSession, freeSession } from '../shared/domain/session/outcome.ts';
import { pendingOf, type Session } from '../shared/domain/session/record.ts';
import type { Ms } from '../shared/domain/time.ts';
import type { BrokerSays } from '../shared/ports/presence/broker.ts';
import type { RankRequests } from '../shared/ports/usage/ranks.ts';

export interface LastRun {
  readonly endedAt: Ms;
  /** The broker knows its sessions of the last run; where it does not, the records speak for themselves. */
  readonly brokerRemembers: boolean;
}

type Settled = { readonly next: Session } | 'nothing';

/** Answers how many sessions were settled. Safe to repeat, should the process end in the middle of it. */
export async function settleAfterRestart(
  client: DocumentClient,
  tableName: string,
  ports: LifeCyclePorts & { readonly ranks: RankRequests },
  lastRun: LastRun,
): Promise<number> {
  let settled = 0;
  for await (const item of scan(client, tableName, 'S|')) {
    const { value } = decodeSession(item);
    if (value.phase.kind !== 'ended' && isUnsettled(value)) settled++;
    const says = await askBroker(ports, value, lastRun);
    await change(ports, value, (session, now) => settle(session, says, lastRun.endedAt, now));
    // The broker may have taken an attempt whose CONNACK 0 came no further than the front door. Nobody knows of that
    // session, so nobody shall have it; unless it is that of another username, which has the client id.
    if (value.phase.kind === 'new' && says.kind === 'unknown' && (await isOwn(ports, value)))
      await ports.broker.deleteConnection(toBrokerClientId(value.deploymentId, value.clientId), { cleanSession: true });
  }
  for await (const item of scan(client, tableName, 'N|')) {
    const { deploymentId, username } = parseRosterKey(String(item.pk), String(item.sk));
    await recount(ports, deploymentId, username);
    // What was asked for when the last run ended has gone with it.
    await ports.ranks.ask(deploymentId, username);
  }
  return settled;
}

function isUnsettled(session: Session): boolean {
  return session.phase.kind === 'connected' || pendingOf(session) !== undefined;
}

/**
 * Of connections, of attempts that overlapped, and of those that were counted after they had been answered, the broker
 * knows what became.
 */
async function askBroker(ports: LifeCyclePorts, session: Session, lastRun: LastRun): Promise<BrokerSays> {
  const { deploymentId, clientId, phase, ambiguity, recounted } = session;
  const worthIt = phase.kind === 'connected' || ((ambiguity !== 'none' || recounted) && isUnsettled(session));
  if (!lastRun.brokerRemembers || phase.kind === 'ended' || !worthIt) return { kind: 'unknown' };
  // Of a client id that has changed hands it speaks for whoever holds it now.
  if (!(await isOwn(ports, session))) return { kind: 'unknown' };
  return ports.broker.getConnection(toBrokerClientId(deploymentId, clientId));
}

async function isOwn(ports: LifeCyclePorts, { deploymentId, clientId, username }: Session): Promise<boolean> {
  const owner = await ports.store.readOwner(deploymentId, clientId);
  return owner === undefined || owner.value.username === username;
}

function settle(session: Session, says: BrokerSays, endedAt: Ms, now: Ms): Settled {
  if (!isUnsettled(session)) return 'nothing';
  if (says.kind === 'absent') return { next: freeSession(session) };
  if (says.kind === 'retained') {
    const at = says.disconnectedAt ?? endedAt;
    return { next: endSession(session, { at, expirySeconds: says.expirySeconds ?? session.expirySeconds }, now) };
  }
  if (session.phase.kind === 'connected') {
    const ending = session.phase.ending ?? { at: endedAt, expirySeconds: session.expirySeconds };
    return { next: endSession(session, ending, now) };
  }
  return { next: abandonAttempt(session, now) };
}

async function* scan(
  client: DocumentClient,
  tableName: string,
  prefix: string,
): AsyncGenerator<Record<string, unknown>> {
  const asked = {
    TableName: tableName,
    ConsistentRead: true,
    FilterExpression: 'begins_with(pk, :prefix)',
    ExpressionAttributeValues: { ':prefix': prefix },
  };
  let behind: Record<string, unknown> | undefined;
  do {
    const page = await client.send(
      new ScanCommand({ ...asked, ...(behind === undefined ? {} : { ExclusiveStartKey: behind }) }),
    );
    yield* page.Items ?? [];
    behind = page.LastEvaluatedKey;
  } while (behind !== undefined);
}
