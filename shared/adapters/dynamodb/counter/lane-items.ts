// The items of a wide roster: the roster item and its lanes, how they are laid out, and how they are read.

import { laneReserveMax, rosterLanes, wideAt } from '../../../config/constants.ts';
import type { DeploymentId, Place, Username } from '../../../domain/ids.ts';
import type { Ms } from '../../../domain/time.ts';
import { UpdateCommand } from '../common/commands.ts';
import { Refused, refusable } from '../common/conditions.ts';
import type { GatheredReads } from '../common/gathered-reads.ts';
import { type Key, laneKey, perUsernameKey } from '../common/keys.ts';
import type { Item } from '../presence/session-item.ts';
import type { Table } from '../settings/settings-by-username.ts';
import { placesOf } from './place-set.ts';
import { decodeStoredRoster, type StoredRoster } from './roster-item.ts';

/** Usernames whose count a process remembers. */
const namesMax = 10_000;

/** How a wide roster is laid out; smaller in tests. */
export interface RosterLayout {
  /** Sessions from which on a roster is wide. */
  readonly wideAt: number;
  readonly lanes: number;
  /** The most that a lane is given in reserve at once. */
  readonly reserveMax: number;
  /** With less than this left under the limit nothing is given in reserve: the roster item itself counts. */
  readonly near: number;
  /** Places that a lane holds before sessions in it are folded. */
  readonly foldAt: number;
  /** Places of folded sessions that a process takes out of a lane at once. */
  readonly dropAt: number;
}

export const usualLayout: RosterLayout = {
  wideAt,
  lanes: rosterLanes,
  reserveMax: laneReserveMax,
  near: 4 * rosterLanes,
  // With 9 bytes each, and as many that are not confirmed yet, the lane stays below a kilobyte.
  foldAt: 48,
  dropAt: 8,
};

export interface Lane {
  readonly lane: number;
  readonly isThere: boolean;
  readonly used: number;
  readonly room: number;
  readonly places: ReadonlySet<Place>;
  readonly listed: boolean;
  readonly cap: number | undefined;
  readonly turn: number;
}

export function decodeLane(lane: number, item: Item): Lane {
  return {
    lane,
    isThere: item.room !== undefined,
    used: Number(item.used ?? 0),
    room: Number(item.room ?? 0),
    places: placesOf(item.places),
    listed: item.listed !== undefined,
    cap: item.cap === undefined ? undefined : Number(item.cap),
    turn: Number(item.turn ?? 0),
  };
}

/**
 * A clause of a condition: no place of a folded session has left the item since its `turn` was read. Empty where `turn` is
 * undefined.
 */
export function isTurn(turn: number | undefined): { readonly and: string; readonly values: object } {
  if (turn === undefined) return { and: '', values: {} };
  const same = turn === 0 ? '(attribute_not_exists(turn) OR turn = :turn)' : 'turn = :turn';
  return { and: ` AND ${same}`, values: { ':turn': turn } };
}

export type LaneItems = ReturnType<typeof createLaneItems>;

export function createLaneItems(table: Table, layout: RosterLayout, { consistent: read }: GatheredReads) {
  const { client, tableName, backOff } = table;
  const rosterKey = (id: DeploymentId, username: Username): Key => perUsernameKey('N', id, username);

  /** What a roster counted when it was seen last, of the latest so many. */
  const usedOf = new Map<string, number>();

  function note(id: DeploymentId, username: Username, used: number): void {
    const name = `${id}\n${username}`;
    usedOf.delete(name);
    if (used > 0) usedOf.set(name, used);
    const [oldest] = usedOf.keys();
    if (usedOf.size > namesMax && oldest !== undefined) usedOf.delete(oldest);
  }

  async function readRosterItem(id: DeploymentId, username: Username): Promise<StoredRoster> {
    const stored = decodeStoredRoster(await read(rosterKey(id, username)), layout.wideAt);
    note(id, username, stored.roster.used);
    return stored;
  }

  async function readLanes(id: DeploymentId, username: Username): Promise<readonly Lane[]> {
    const keys = Array.from({ length: layout.lanes }, (_, n) => laneKey(id, username, n + 1));
    const items = await Promise.all(keys.map(read));
    return items.flatMap((item, n) => (item === undefined ? [] : [decodeLane(n + 1, item)]));
  }

  async function readLane(id: DeploymentId, username: Username, lane: number): Promise<Lane> {
    return decodeLane(lane, (await read(laneKey(id, username, lane))) ?? {});
  }

  /** The places of one lane, or of the roster item itself. Consistent. */
  async function readPlaces(id: DeploymentId, username: Username, lane: number): Promise<ReadonlySet<Place>> {
    return placesOf((await read(lane === 0 ? rosterKey(id, username) : laneKey(id, username, lane)))?.places);
  }

  function update(key: Key, expression: object, how: { untilThrottled?: boolean } = {}): Promise<Item | Refused> {
    const send = async (): Promise<Item> => {
      const command = new UpdateCommand({
        TableName: tableName,
        Key: key,
        ReturnValues: 'ALL_NEW',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        UpdateExpression: '',
        ...expression,
      });
      return (await client.send(command)).Attributes ?? {};
    };
    return refusable(send, backOff, how);
  }

  async function updateRoster(
    id: DeploymentId,
    username: Username,
    expression: object,
    how: { untilThrottled?: boolean } = {},
  ): Promise<Item | Refused> {
    const answer = await update(rosterKey(id, username), expression, how);
    if (!(answer instanceof Refused)) note(id, username, Number(answer.used ?? 0));
    return answer;
  }

  return {
    rosterKey,
    readRosterItem,
    readLane,
    readLanes,
    readPlaces,
    update,
    updateRoster,
    note,

    /** A guess, for whoever would otherwise read before it writes. */
    lastUsed: (id: DeploymentId, username: Username): number | undefined => usedOf.get(`${id}\n${username}`),

    /** Conditional, so that of two that lower it the earlier time stays whatever their order (S11). */
    async lowerWake(id: DeploymentId, username: Username, at: Ms): Promise<void> {
      await update(rosterKey(id, username), {
        UpdateExpression: 'SET wakeAt = :at',
        ConditionExpression: 'wakeAt > :at',
        ExpressionAttributeValues: { ':at': at },
      });
    },
  };
}
