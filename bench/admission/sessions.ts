// What the three candidates share: the session item, its owner, the read before them. Only how a session is counted
// differs, so whatever the figures show between them is the write pattern.

import { createHash } from 'node:crypto';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, type DynamoDBDocumentClient, PutCommand, type PutCommandInput } from '@aws-sdk/lib-dynamodb';
import {
  type Key,
  ownerKey,
  perUsernameKey,
  sessionKey,
  whitelistKey,
} from '../../shared/adapters/dynamodb/common/keys.ts';
import { encodeSession, type Item } from '../../shared/adapters/dynamodb/presence/session-item.ts';
import { leaseSeconds, maxConnectionSeconds } from '../../shared/config/constants.ts';
import type { AttemptId, ClientId, DeploymentId, Place, Username } from '../../shared/domain/ids.ts';
import { meetSession, startSession } from '../../shared/domain/session/attempt.ts';
import { confirmSession, freeSession } from '../../shared/domain/session/outcome.ts';
import { type Admission, type Policy, pendingOf, type Session } from '../../shared/domain/session/record.ts';
import { type Ms, ms, seconds } from '../../shared/domain/time.ts';

/** One CONNECT of the benchmark. */
export interface Arrival {
  readonly username: Username;
  readonly clientId: ClientId;
}

export type Verdict = 'admitted' | 'full';

export interface Candidate {
  readonly name: string;
  /** The requests of one admission, the read before it included. */
  admit(arrival: Arrival, max: number): Promise<Verdict>;
  /** The session is over and is not retained. `last` of its username: the counter goes too. */
  free(session: Session, last: boolean): Promise<void>;
}

const deploymentId = 'bench' as DeploymentId;

/** Sizes do not hang on the time, so the figures are the same whenever they are made. */
export const startedAt: Ms = ms(1_790_000_000_000);

const policy: Policy = { leaseSeconds: seconds(leaseSeconds), maxConnectionSeconds: seconds(maxConnectionSeconds) };

const admission = (attempt: string): Admission => ({
  attempt: attempt as AttemptId,
  witness: 'door',
  at: startedAt,
  expirySeconds: seconds(0),
  protocolVersion: 5,
  ipAddress: '203.0.113.77',
});

const named = (kind: string, { username, clientId }: Arrival): Buffer =>
  createHash('sha256').update(`${kind}|${username}|${clientId}`).digest();

/** As long as a real one, and the same every time. */
export function newSession(arrival: Arrival): Session {
  const place = named('place', arrival).subarray(0, 8).toString('base64url') as Place;
  const attempt = named('attempt', arrival).subarray(0, 16).toString('base64url');
  return startSession({ deploymentId, ...arrival }, place, admission(attempt), policy, undefined, false);
}

export function confirmed(session: Session): Session {
  return confirmSession(session, { at: startedAt, expirySeconds: seconds(0), attempt: session.attempts[0].id }, policy);
}

export function met(session: Session): Session {
  return meetSession(session, admission('another-attempt-id-22c'), policy, false);
}

export const freed = (session: Session): Session => freeSession(session);

/** Each state of a session has its revision: a stale writer is refused. */
const revisionOf = (session: Session): string =>
  `rev-${session.phase.kind.slice(0, 3)}-${pendingOf(session)?.until ?? 0}`.slice(0, 8);

export function putSessionInput(tableName: string, session: Session, expected: Session | undefined): PutCommandInput {
  const item: Item = encodeSession(session, revisionOf(session));
  return {
    TableName: tableName,
    Item: item,
    ...(expected === undefined
      ? { ConditionExpression: 'attribute_not_exists(pk)' }
      : { ConditionExpression: 'rev = :rev', ExpressionAttributeValues: { ':rev': revisionOf(expected) } }),
  };
}

export async function putSession(
  client: DynamoDBDocumentClient,
  tableName: string,
  session: Session,
  expected: Session | undefined,
): Promise<void> {
  await client.send(new PutCommand(putSessionInput(tableName, session, expected)));
}

export async function putOwner(client: DynamoDBDocumentClient, tableName: string, arrival: Arrival): Promise<void> {
  const item = { ...ownerKey(deploymentId, arrival.clientId), username: arrival.username, rev: 'rev-0001' };
  await client.send(
    new PutCommand({ TableName: tableName, Item: item, ConditionExpression: 'attribute_not_exists(pk)' }),
  );
}

export const counterKey = (username: Username): Key => perUsernameKey('N', deploymentId, username);

/** What is read may be older than what stands: every write checks it again. */
export type ReadUsed = typeof readUsed;

/** One batch, eventually consistent, as every CONNECT begins: session, owner, counter, override, whitelist entry. */
export async function readUsed(client: DynamoDBDocumentClient, tableName: string, arrival: Arrival): Promise<number> {
  const counter = counterKey(arrival.username);
  const keys = [
    sessionKey(deploymentId, arrival.username, arrival.clientId),
    ownerKey(deploymentId, arrival.clientId),
    counter,
    perUsernameKey('O', deploymentId, arrival.username),
    whitelistKey(deploymentId, 'listlistlist', arrival.username),
  ];
  const answer = await client.send(new BatchGetCommand({ RequestItems: { [tableName]: { Keys: keys } } }));
  const item = answer.Responses?.[tableName]?.find((each) => each.pk === counter.pk && each.sk === counter.sk);
  return Number(item?.used ?? 0);
}

/** Whether the write was done; false where its condition refused it. */
export async function accepted(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
