// Many retained sessions at once, written as admission and disconnect would have left them, by the batch.

import { BatchWriteCommand, type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { perUsernameKey, wakePartition } from '../../shared/adapters/dynamodb/common/keys.ts';
import { storedPlaces } from '../../shared/adapters/dynamodb/counter/place-set.ts';
import { encodeSession, type Item } from '../../shared/adapters/dynamodb/presence/session-item.ts';
import type { AttemptId, ClientId, DeploymentId, Place, Username } from '../../shared/domain/ids.ts';
import { startSession } from '../../shared/domain/session/attempt.ts';
import { confirmSession, endSession } from '../../shared/domain/session/outcome.ts';
import type { Policy, Session } from '../../shared/domain/session/record.ts';
import { addSeconds, type Ms, type Seconds, seconds } from '../../shared/domain/time.ts';

export interface Retained {
  readonly deploymentId: DeploymentId;
  readonly username: string;
  readonly count: number;
  /** When all of them expire. */
  readonly expiresAt: Ms;
  /** How long they are retained; 600 unless told. */
  readonly expirySeconds?: Seconds;
  /** The partition of the wake index; by the username unless told. */
  readonly partition?: number;
}

const policy: Policy = { leaseSeconds: seconds(30), maxConnectionSeconds: seconds(86_400) };
const expirySecondsDefault: Seconds = seconds(600);
let places = 0;

export async function seedRetained(
  client: DynamoDBDocumentClient,
  tableName: string,
  { deploymentId, username: name, count, expiresAt, expirySeconds = expirySecondsDefault, partition }: Retained,
): Promise<readonly Session[]> {
  const username = name as Username;
  const sessions = Array.from({ length: count }, (_, n) =>
    buildRetained(deploymentId, username, n, expiresAt, expirySeconds),
  );
  const items: Item[] = sessions.map((session) => encodeSession(session, `seed${session.clientId}`));
  for (let from = 0; from < items.length; from += 25) {
    const requests = items.slice(from, from + 25).map((item) => ({ PutRequest: { Item: item } }));
    await client.send(new BatchWriteCommand({ RequestItems: { [tableName]: requests } }));
  }
  const roster = {
    ...perUsernameKey('N', deploymentId, username),
    used: count,
    places: storedPlaces(sessions.map((session) => session.place)),
    wakePk: partition === undefined ? wakePartition(`${deploymentId}|${username}`) : `wake|${partition}`,
    wakeAt: expiresAt,
  };
  await client.send(new PutCommand({ TableName: tableName, Item: roster }));
  return sessions;
}

function buildRetained(
  deploymentId: DeploymentId,
  username: Username,
  n: number,
  expiresAt: Ms,
  expirySeconds: Seconds,
): Session {
  const at = addSeconds(expiresAt, seconds(-expirySeconds));
  const names = { deploymentId, username, clientId: `${username}-${n}` as ClientId };
  const place = Buffer.from(String(++places).padStart(8, '0')).toString('base64url') as Place;
  const admission = { attempt: `attempt-${names.clientId}`.padEnd(22, '-') as AttemptId, witness: 'door' as const };
  const born = startSession(names, place, { ...admission, at, expirySeconds }, policy, undefined, false);
  const connected = confirmSession(born, { at, expirySeconds, attempt: admission.attempt }, policy);
  return endSession(connected, { at, expirySeconds }, at);
}
