// A roster item as it is stored, and the one write that removes it.

import type { DeploymentId, Username } from '../../../domain/ids.ts';
import { ms } from '../../../domain/time.ts';
import type { Roster } from '../../../ports/counter/counter.ts';
import { DeleteCommand } from '../common/commands.ts';
import { Refused, refusable } from '../common/conditions.ts';
import { perUsernameKey } from '../common/keys.ts';
import type { Item } from '../presence/session-item.ts';
import type { Table } from '../settings/settings-by-username.ts';
import { placesOf } from './place-set.ts';

export interface StoredRoster {
  /** Its `used` is what is counted and what lanes hold in reserve. */
  readonly roster: Roster;
  /** Of `used`: what is in lanes, counted or in reserve. */
  readonly lent: number;
  /** Lanes that may hold a reserve. */
  readonly open: number;
  /** The limit that a wide roster was last held against: what lanes have in reserve was given by it. */
  readonly cap: number | undefined;
  readonly turn: number;
  /** Its lanes have been opened once, so that it sleeps for minutes only; until then it is wide by its number alone. */
  readonly marked: boolean;
}

/** `wideAt`: sessions from which on a roster is wide, whether somebody has come to mark it or not. */
export function decodeStoredRoster(item: Item | undefined, wideAt: number): StoredRoster {
  return {
    roster: decodeRoster(item, wideAt),
    lent: Number(item?.lent ?? 0),
    open: Number(item?.openLanes ?? 0),
    cap: item?.cap === undefined ? undefined : Number(item.cap),
    turn: Number(item?.turn ?? 0),
    marked: item?.wide !== undefined,
  };
}

/** Exact where no lane is open. */
export function decodeRoster(item: Item | undefined, wideAt: number): Roster {
  if (item === undefined || item.used === undefined) return { used: 0, places: new Set() };
  const used = Number(item.used);
  return {
    used,
    places: placesOf(item.places),
    ...(item.wakeAt === undefined ? {} : { wakeAt: ms(Number(item.wakeAt)) }),
    ...(item.wide === undefined && used < wideAt ? {} : { wide: true as const }),
  };
}

/** Takes a roster's key apart: `N|<deploymentId>|<partition>` and the username. */
export function parseRosterKey(pk: string, sk: string): { deploymentId: DeploymentId; username: Username } {
  return { deploymentId: (pk.split('|')[1] ?? '') as DeploymentId, username: sk as Username };
}

/** While lanes are open they have to be looked for, so the roster item stays. */
export const noLaneIsOpen = '(attribute_not_exists(openLanes) OR openLanes = :zero)';

/** An empty roster is no username in use; one that somebody counted in meanwhile stays. Whether this has removed it. */
export async function removeEmptyRoster(table: Table, id: DeploymentId, username: Username): Promise<boolean> {
  const answer = await refusable(
    () =>
      table.client.send(
        new DeleteCommand({
          TableName: table.tableName,
          Key: perUsernameKey('N', id, username),
          ConditionExpression: `used <= :zero AND ${noLaneIsOpen}`,
          ExpressionAttributeValues: { ':zero': 0 },
        }),
      ),
    table.backOff,
  );
  return !(answer instanceof Refused);
}
