// The roster of a username: the set of the places counted, and their number. One item, so that deciding and counting
// are one conditional write. A place is 9 bytes in it: about 100 fit into one write unit. A username with more sessions
// gets a wide roster, whose places lie in lanes.

import { DeleteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { DeploymentId, Place, Username } from '../../../domain/ids.ts';
import { isWide, laneOf } from '../../../domain/place.ts';
import { type Ms, ms } from '../../../domain/time.ts';
import { contended } from '../../../ports/common/errors.ts';
import type { SessionStore } from '../../../ports/common/session-store.ts';
import type { AddOutcome, HowToAdd, Removed } from '../../../ports/counter/counter.ts';
import { backOffAtRandom } from '../common/back-off.ts';
import { isThrottled, Refused, refusable } from '../common/conditions.ts';
import { perUsernameKey, wakePartition } from '../common/keys.ts';
import type { Item } from '../presence/session-item.ts';
import type { Table } from '../settings/settings-by-username.ts';
import { capOf, type LaneWrites, type RosterLayout } from './lanes.ts';
import { placeBytes, storedPlaces } from './place-set.ts';
import { decodeStoredRoster, noLaneIsOpen, removeEmptyRoster } from './roster-item.ts';

type RosterWrites = Pick<
  SessionStore,
  'addPlace' | 'removePlace' | 'removePlaces' | 'removeEmptyRoster' | 'lowerWake' | 'moveWake'
>;

const addTries = 8;
/** Places that one write takes out: its condition names each of them, and is at most 4 KB. */
const removedAtOnce = 50;

export function createRosterWrites(table: Table, lanes: LaneWrites, { wideAt }: RosterLayout): RosterWrites {
  const { client, tableName, backOff } = table;
  const { lowerWake } = lanes;
  const send = async (id: DeploymentId, username: Username, expression: object): Promise<Item> => {
    const command = new UpdateCommand({
      TableName: tableName,
      Key: perUsernameKey('N', id, username),
      ReturnValues: 'ALL_NEW',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      UpdateExpression: '',
      ...expression,
    });
    return (await client.send(command)).Attributes ?? {};
  };
  const update = (id: DeploymentId, username: Username, expression: object): Promise<Item | Refused> =>
    refusable(() => send(id, username, expression), backOff);

  /** For the one write that a crowd sends to one item. */
  async function updateOnce(
    id: DeploymentId,
    username: Username,
    expression: object,
  ): Promise<Item | Refused | 'throttled'> {
    try {
      return await refusable(() => send(id, username, expression), backOff, { untilThrottled: true });
    } catch (error) {
      if (isThrottled(error)) return 'throttled';
      throw error;
    }
  }

  /**
   * I1: the place is added only while `used` is below the limit, in the write that counts it, so no interleaving
   * over-admits. The place itself makes it safe to repeat: a second try meets its own place and adds nothing (I5).
   * Dies the process after it, the session item, written before, still stands and its lease leads the sweeper here.
   */
  async function addPlace(
    id: DeploymentId,
    username: Username,
    place: Place,
    max: number,
    dueAt: Ms,
    { forced, wakeBy, tellsDiffering = false }: HowToAdd = {},
  ): Promise<AddOutcome> {
    if (laneOf(place) > 0) return lanes.addPlace(id, username, place, max, { wakeBy, tellsDiffering });
    const limited = Number.isFinite(max);
    const ownCap = capOf(max);
    const mark = placeBytes(place);
    const choosesAgain = !isWide(place) && forced !== true;
    // A roster that holds a wide place is marked as wide, and one that is sleeps for minutes only.
    const wakesAt = isWide(place) ? ms(Math.min(dueAt, wakeBy ?? 0)) : dueAt;
    for (let tries = 0; tries < addTries; tries++) {
      const answer = await updateOnce(id, username, {
        UpdateExpression:
          'ADD used :one, places :places SET wakePk = if_not_exists(wakePk, :wakePk), wakeAt = if_not_exists(wakeAt, :due)' +
          (isWide(place) ? ', wide = :one' : ''),
        ConditionExpression: [
          'NOT contains(places, :place)',
          '(attribute_not_exists(wakeAt) OR wakeAt <= :due)',
          // By its number too: of a crowd nobody is counted here while somebody is still on the way to mark it.
          ...(choosesAgain ? ['attribute_not_exists(wide)', '(attribute_not_exists(used) OR used < :wideAt)'] : []),
          // What lanes hold in reserve was given by this limit: nobody else may bring the count above it meanwhile.
          `(attribute_not_exists(cap) OR used < cap${forced === true ? ' OR attribute_not_exists(openLanes) OR openLanes = :zero' : ''})`,
          ...(limited ? ['(attribute_not_exists(used) OR used < :max)'] : []),
        ].join(' AND '),
        ExpressionAttributeValues: {
          ':one': 1,
          ':places': storedPlaces([place]),
          ':place': mark,
          ':due': wakesAt,
          ':wakePk': wakePartition(`${id}|${username}`),
          ...(limited ? { ':max': max } : {}),
          ...(choosesAgain ? { ':wideAt': wideAt } : {}),
          ...(forced === true ? { ':zero': 0 } : {}),
        },
      });
      if (answer === 'throttled') {
        // The item takes no more. Read, it may say that it has become wide, or full: whoever only tried again would keep
        // it busy.
        await (backOff ?? backOffAtRandom)(20 * 2 ** tries);
        const { roster, open } = await lanes.readRosterItem(id, username);
        if (roster.places.has(place)) return { kind: 'present' };
        if (limited && roster.used >= max && open <= 0) return { kind: 'full', roster };
        if (roster.wide === true && choosesAgain) return { kind: 'wide', roster };
        continue;
      }
      if (!(answer instanceof Refused)) {
        const used = Number(answer.used);
        if (used === wideAt && answer.wide === undefined && wakeBy !== undefined)
          await lanes.open(id, username, max, wakeBy);
        return { kind: 'added', used };
      }
      const { roster, open, cap } = decodeStoredRoster(answer.item, wideAt);
      if (roster.places.has(place)) return { kind: 'present' };
      if (forced === true) {
        if (open > 0 && roster.used >= (cap ?? Number.POSITIVE_INFINITY)) {
          await lanes.gather(id, username);
          continue;
        }
      } else {
        if (cap !== undefined && cap !== ownCap) {
          if (tellsDiffering) return { kind: 'differs' };
          await lanes.gather(id, username, ownCap);
          continue;
        }
        const isFull = roster.used >= max && open <= 0;
        if (roster.wide === true && choosesAgain && !isFull) return { kind: 'wide', roster };
        if (isFull) return { kind: 'full', roster };
        if (roster.used >= max) {
          const outcome = await lanes.lookElsewhere(id, username, place, max, { roster, open });
          if (outcome !== 'look again') return outcome;
          continue;
        }
      }
      // What is left of the condition: the roster would sleep past this session's end.
      await lowerWake(id, username, wakesAt);
    }
    throw contended('others kept writing this roster');
  }

  /**
   * Uncounts exactly the place given, exactly once: whoever comes second, by a repeated event or a sweep, finds it
   * gone. Its session is a tombstone by now; dying before this write counts one too many until the sweeper comes.
   */
  async function removePlace(
    id: DeploymentId,
    username: Username,
    place: Place,
    last: boolean,
  ): Promise<'removed' | 'absent'> {
    return (await takeOut(id, username, place, last)) === 'absent' ? 'absent' : 'removed';
  }

  /** `gone`: it was the only one, and the roster has gone with it. */
  async function takeOut(
    id: DeploymentId,
    username: Username,
    place: Place,
    last: boolean,
  ): Promise<'removed' | 'gone' | 'absent'> {
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
    const distinct = [...new Set(places)];
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
    addPlace,
    removePlace,
    removePlaces,
    async removeEmptyRoster(id, username) {
      await removeEmpty(id, username);
    },
    lowerWake,
    moveWake,
  };
}
