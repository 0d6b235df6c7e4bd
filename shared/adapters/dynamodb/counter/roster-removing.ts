// Uncounting in a roster, one place or many, and what goes with it: an empty roster, and when it wakes next.

import type { DeploymentId, Place, Username } from '../../../domain/ids.ts';
import { isFolded, isWide, laneOf } from '../../../domain/place.ts';
import type { Ms } from '../../../domain/time.ts';
import type { SessionStore } from '../../../ports/common/session-store.ts';
import type { Removed } from '../../../ports/counter/counter.ts';
import { DeleteCommand } from '../common/commands.ts';
import { Refused, refusable } from '../common/conditions.ts';
import { perUsernameKey } from '../common/keys.ts';
import type { Item } from '../presence/session-item.ts';
import type { Table } from '../settings/settings-by-username.ts';
import type { LaneItems, RosterLayout } from './lane-items.ts';
import type { LaneWrites } from './lanes.ts';
import { placeBytes, storedPlaces } from './place-set.ts';
import { decodeStoredRoster, noLaneIsOpen, removeEmptyRoster } from './roster-item.ts';

/** Places that one write takes out: its condition names each of them, and is at most 4 KB. */
const removedAtOnce = 50;

type Removing = Pick<SessionStore, 'removePlace' | 'removePlaces' | 'removeEmptyRoster' | 'lowerWake' | 'moveWake'>;

export function createRosterRemoving(table: Table, { items, lanes, layout }: RemovingParts): Removing {
  const { client, tableName, backOff } = table;
  const { wideAt } = layout;
  const update = (id: DeploymentId, username: Username, expression: object): Promise<Item | Refused> =>
    items.updateRoster(id, username, expression);

  /**
   * Uncounts exactly the place given, exactly once: whoever comes second, by a repeated event or a sweep, finds it
   * gone. Its session is a tombstone by now; dying before this write counts one too many until the sweeper comes.
   */
  async function removePlace(
    id: DeploymentId,
    username: Username,
    place: Place,
    last?: boolean,
  ): Promise<'removed' | 'absent'> {
    const isLast = last ?? (await guessLast(id, username, place));
    if (isLast === undefined) return 'absent';
    return (await takeOut(id, username, place, isLast)) === 'absent' ? 'absent' : 'removed';
  }

  /** Undefined: read, and the place is not in. */
  async function guessLast(id: DeploymentId, username: Username, place: Place): Promise<boolean | undefined> {
    if (isWide(place)) return false;
    const known = items.lastUsed(id, username);
    if (known !== undefined) return known <= 1;
    const { roster } = await items.readRosterItem(id, username);
    return roster.places.has(place) ? roster.used <= 1 : undefined;
  }

  /** `gone`: it was the only one, and the roster has gone with it. */
  async function takeOut(
    id: DeploymentId,
    username: Username,
    place: Place,
    last: boolean,
  ): Promise<'removed' | 'gone' | 'absent'> {
    // Its record alone ends it, in one step with the number.
    if (isFolded(place)) return 'absent';
    if (laneOf(place) > 0) return lanes.removePlace(id, username, place);
    const mark = placeBytes(place);
    if (last) {
      const removed = await refusable(
        () =>
          client.send(
            new DeleteCommand({
              TableName: tableName,
              Key: perUsernameKey('N', id, username),
              ConditionExpression: `used = :one AND contains(places, :place) AND ${noLaneIsOpen}`,
              ExpressionAttributeValues: { ':one': 1, ':place': mark, ':zero': 0 },
              ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
            }),
          ),
        backOff,
      );
      items.note(id, username, 0);
      if (!(removed instanceof Refused)) return 'gone';
      if (!decodeStoredRoster(removed.item, wideAt).roster.places.has(place)) return 'absent';
    }
    const answer = await update(id, username, {
      UpdateExpression: 'ADD used :less DELETE places :places',
      ConditionExpression: 'contains(places, :place)',
      ExpressionAttributeValues: { ':less': -1, ':places': storedPlaces([place]), ':place': mark },
    });
    if (answer instanceof Refused) return 'absent';
    return Number(answer.used) <= 0 && (await removeEmpty(id, username)) ? 'gone' : 'removed';
  }

  /**
   * Uncounts all of them or none: only while every one is there, so that `used` falls by their number and by no more,
   * whoever else takes one of them out. Refused, it tries again with those that are left. A large roster costs its whole
   * size with each write, so the end of a thousand sessions must not be a thousand writes.
   */
  async function removePlaces(
    id: DeploymentId,
    username: Username,
    places: readonly Place[],
    last: boolean,
  ): Promise<Removed> {
    let removed = 0;
    let gone = false;
    // Each once: a place that is given twice would take two off the count.
    const distinct = [...new Set(places)].filter((place) => !isFolded(place));
    const here = distinct.filter((place) => laneOf(place) === 0);
    for (const place of distinct)
      if (laneOf(place) > 0 && (await lanes.removePlace(id, username, place)) === 'removed') removed++;
    for (let from = 0; from < here.length; from += removedAtOnce) {
      let left = here.slice(from, from + removedAtOnce);
      while (left.length > 1) {
        const answer = await removeAll(id, username, left);
        if (!(answer instanceof Refused)) {
          removed += left.length;
          gone = Number(answer.used) <= 0 && (await removeEmpty(id, username));
          left = [];
          break;
        }
        const { places: there } = decodeStoredRoster(answer.item, wideAt).roster;
        left = left.filter((place) => there.has(place));
      }
      for (const place of left) {
        const outcome = await takeOut(id, username, place, last && distinct.length === 1);
        if (outcome === 'absent') continue;
        removed++;
        gone = outcome === 'gone';
      }
    }
    return { removed, gone };
  }

  function removeAll(id: DeploymentId, username: Username, places: readonly Place[]): Promise<Item | Refused> {
    return update(id, username, {
      UpdateExpression: 'ADD used :less DELETE places :places',
      ConditionExpression: places.map((_, n) => `contains(places, :place${n})`).join(' AND '),
      ExpressionAttributeValues: {
        ':less': -places.length,
        ':places': storedPlaces(places),
        ...Object.fromEntries(places.map((place, n) => [`:place${n}`, placeBytes(place)])),
      },
    });
  }

  const removeEmpty = (id: DeploymentId, username: Username): Promise<boolean> =>
    removeEmptyRoster(table, id, username);

  /**
   * Raises it only from the value that was looked at: a time lowered meanwhile is not lost. A roster that somebody died
   * over when it had become empty goes at last.
   */
  async function moveWake(id: DeploymentId, username: Username, from: Ms, to: Ms): Promise<void> {
    const answer = await update(id, username, {
      UpdateExpression: 'SET wakeAt = :to',
      ConditionExpression: 'wakeAt = :from',
      ExpressionAttributeValues: { ':from': from, ':to': to },
    });
    if (!(answer instanceof Refused) && Number(answer.used) <= 0) await removeEmpty(id, username);
  }

  return {
    removePlace,
    removePlaces,
    async removeEmptyRoster(id, username) {
      await removeEmpty(id, username);
    },
    lowerWake: items.lowerWake,
    moveWake,
  };
}

interface RemovingParts {
  readonly items: LaneItems;
  readonly lanes: LaneWrites;
  readonly layout: RosterLayout;
}
