// Many retained sessions of one username that expire at the same moment.

import type { DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import type { ClientId, DeploymentId, Username } from '../../shared/domain/ids.ts';
import type { Session } from '../../shared/domain/session/record.ts';
import { addSeconds, type Ms, type Seconds, seconds } from '../../shared/domain/time.ts';
import { buildRoster, buildSession, writeItems } from './items.ts';
import { placeFor, retainedSession } from './sessions.ts';

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

export async function seedRetained(
  client: DocumentClient,
  tableName: string,
  { deploymentId, username: name, count, expiresAt, expirySeconds = seconds(600), partition }: Retained,
): Promise<readonly Session[]> {
  const username = name as Username;
  const endedAt = addSeconds(expiresAt, seconds(-expirySeconds));
  const sessions = Array.from({ length: count }, (_, n) => {
    const clientId = `${username}-${n}` as ClientId;
    return retainedSession({ deploymentId, username, clientId }, placeFor(username, n), endedAt, expirySeconds);
  });
  const places = sessions.map(({ place }) => place);
  const roster = buildRoster(deploymentId, username, places, expiresAt);
  const woken = partition === undefined ? roster : { ...roster, wakePk: `wake|${partition}` };
  await writeItems(client, tableName, [...sessions.map(buildSession), woken]);
  return sessions;
}
