// Usernames by the hundred thousand, written in bulk as the product leaves them when it has counted them one by one and
// refreshed their ranks: rosters, usage items, and sessions where they are wanted. That they are the same items is tested
// (test/usage/size.test.ts).

import { createHash } from 'node:crypto';
import { BatchWriteCommand, type DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import { perUsernameKey, rankPk, wakePartition } from '../../shared/adapters/dynamodb/common/keys.ts';
import { storedPlaces } from '../../shared/adapters/dynamodb/counter/place-set.ts';
import { encodeSession } from '../../shared/adapters/dynamodb/presence/session-item.ts';
import { rankText } from '../../shared/adapters/dynamodb/usage/usage-item.ts';
import type { DeploymentId, Place, Username } from '../../shared/domain/ids.ts';
import type { Session } from '../../shared/domain/session/record.ts';
import type { Ms } from '../../shared/domain/time.ts';
import { placeFor } from './sessions.ts';

type Item = Record<string, unknown>;

export function buildRoster(id: DeploymentId, username: Username, places: readonly Place[], wakeAt: Ms): Item {
  return {
    ...perUsernameKey('N', id, username),
    used: places.length,
    places: storedPlaces(places),
    wakePk: wakePartition(`${id}|${username}`),
    wakeAt,
  };
}

export function buildRanked(id: DeploymentId, username: Username, used: number): Item {
  const revision = createHash('sha256').update(`${id}|${username}`).digest('base64url').slice(0, 8);
  return {
    ...perUsernameKey('R', id, username),
    rankPk: rankPk(id, username),
    rank: rankText(used, username),
    rankRev: revision,
  };
}

export function buildSession(session: Session): Item {
  return Object.fromEntries(
    Object.entries(encodeSession(session, session.place.slice(0, 8))).filter(([, value]) => value !== undefined),
  );
}

const perBatch = 25;
const width = 8;

/** All of them, a few batches at a time. */
export async function writeItems(client: DocumentClient, tableName: string, items: Iterable<Item>): Promise<number> {
  const source = items[Symbol.iterator]();
  let written = 0;
  const next = (): Item[] => {
    const batch: Item[] = [];
    while (batch.length < perBatch) {
      const { value, done } = source.next();
      if (done === true) break;
      batch.push(value);
    }
    return batch;
  };
  const worker = async (): Promise<void> => {
    for (let batch = next(); batch.length > 0; batch = next()) {
      let requests: Record<string, unknown>[] | undefined = batch.map((Item) => ({ PutRequest: { Item } }));
      while (requests !== undefined && requests.length > 0) {
        const command = new BatchWriteCommand({ RequestItems: { [tableName]: requests } });
        requests = (await client.send(command)).UnprocessedItems?.[tableName];
      }
      written += batch.length;
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return written;
}

/** `count` usernames named `user-000000` and on, each with as many sessions as `usedOf` says, all connected. */
export function* usernamesAtRest(
  id: DeploymentId,
  count: number,
  usedOf: (n: number) => number,
  wakeAt: Ms,
): Generator<Item> {
  for (let n = 0; n < count; n++) {
    const username = nameOf(n);
    const used = usedOf(n);
    const places = Array.from({ length: used }, (_, place) => placeFor(username, place));
    yield buildRoster(id, username, places, wakeAt);
    yield buildRanked(id, username, used);
  }
}

export function nameOf(n: number): Username {
  return `user-${String(n).padStart(6, '0')}` as Username;
}
