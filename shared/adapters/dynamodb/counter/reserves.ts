// The reserves of a wide roster: what the roster item has counted already, and its lanes may give to newcomers. Here they are
// given, each in one transaction of the two; gathering.ts takes them back.
//
//   roster item   used: everything counted, here or in a lane, and everything in reserve. It alone is held against the
//                 limit, so the limit is exact whatever the lanes do.
//                 lent: what of it is in lanes. openLanes: how many may hold a reserve. cap: the limit that it was last
//                 held against, by which reserves were given; who comes with another one may be behind.
//   lane          used: counted here. room: in reserve. places: those not folded yet. listed: it is one of the open ones.
//                 cap: the limit its reserve was given by; a lane without one counts nobody, it only gathers what is freed.
//
// What holds at every moment: the roster's `used` is what is counted plus every lane's room; a lane with room is listed;
// and while any lane has a cap, it is the roster's, and the roster's `used` is at most that cap. So whoever counts in a lane
// by a limit not below the cap stays within the limit, and a roster that is full with no lane open is full without asking
// the lanes.

import type { DeploymentId, Place, Username } from '../../../domain/ids.ts';
import type { Ms } from '../../../domain/time.ts';
import { StoreUnavailable } from '../../../ports/common/errors.ts';
import { laneKey, wakePartition } from '../common/keys.ts';
import { transactOnce, type Writes } from '../common/transaction.ts';
import type { Table } from '../settings/settings-by-username.ts';
import { isTurn, type Lane, type LaneItems, type RosterLayout } from './lane-items.ts';
import { placeBytes, storedPlaces } from './place-set.ts';
import { noLaneIsOpen } from './roster-item.ts';

/** What stands for no limit: more than any count. */
const noCap = 1e15;

/** What a roster remembers of the limit that it is held against. */
export const capOf = (max: number): number => Math.min(max, noCap);

/** Who wants to be counted in a lane. */
export interface LaneNewcomer {
  readonly place: Place;
  readonly max: number;
  /** When a roster that becomes wide wakes at the latest. */
  readonly by: Ms;
  /** The lane's turn, where it has to be the same still. */
  readonly turn: number | undefined;
}

export type Reserves = ReturnType<typeof createReserves>;

export function createReserves(table: Table, items: LaneItems, layout: RosterLayout) {
  const { tableName } = table;
  const { rosterKey, readRosterItem } = items;

  function isEnoughForAll(left: number): boolean {
    return left >= Math.max(layout.near, layout.lanes);
  }

  /** Its part of what is left for each lane. */
  function reserveFor(left: number): number {
    if (!Number.isFinite(left)) return layout.reserveMax;
    return Math.max(1, Math.min(layout.reserveMax, Math.floor(left / layout.lanes)));
  }

  /** Sends what nobody depends on. */
  async function onlyOnce(writes: Writes): Promise<void> {
    await transactOnce(table, writes).catch((error: unknown) => {
      if (!(error instanceof StoreUnavailable)) throw error;
    });
  }

  /**
   * Opens all lanes at once, where none is: for a crowd that has come, or is likely to, one transaction instead of one for
   * each lane, which would cancel each other. Not tried again, and nobody's own: where it fails, or so little is left
   * under the limit that nobody gets a reserve, whoever comes next looks what is to be done. A roster that is marked as
   * wide with it wakes by `by`, in the same step, so that whoever counts in a lane need not look when it does.
   *
   * Invariant: I1: the roster item counts every reserve, if the limit allows all of them, in the step that gives them.
   * Race: of two that open the second finds a lane open, and is refused.
   * On crash: nothing is half done; a reserve that nobody uses is taken back by whoever finds the roster full.
   */
  async function open(id: DeploymentId, username: Username, max: number, by: Ms): Promise<void> {
    const { roster, open: alreadyOpen, cap: ofOthers } = await readRosterItem(id, username);
    const left = max - roster.used;
    const cap = capOf(max);
    const isOfOthers = ofOthers !== undefined && ofOthers !== cap;
    if (alreadyOpen > 0 || isOfOthers || !isEnoughForAll(left) || roster.wakeAt === undefined) return;
    const reserve = reserveFor(left);
    const all = layout.lanes * reserve;
    const limited = Number.isFinite(max);
    const opening: Writes[number] = {
      Update: {
        TableName: tableName,
        Key: rosterKey(id, username),
        UpdateExpression: `ADD used :all, lent :all, openLanes :lanes SET cap = :cap, wide = :one${roster.wakeAt > by ? ', wakeAt = :by' : ''}`,
        ConditionExpression: [
          `(attribute_not_exists(cap) OR cap = :cap) AND ${noLaneIsOpen}`,
          roster.wakeAt > by ? 'wakeAt > :by' : 'wakeAt <= :by',
          ...(limited ? ['used <= :before'] : []),
        ].join(' AND '),
        ExpressionAttributeValues: {
          ':all': all,
          ':lanes': layout.lanes,
          ':cap': cap,
          ':by': by,
          ':one': 1,
          ':zero': 0,
          ...(limited ? { ':before': max - all } : {}),
        },
      },
    };
    const lanes = Array.from({ length: layout.lanes }, (_, n) => ({
      Update: {
        TableName: tableName,
        Key: laneKey(id, username, n + 1),
        UpdateExpression: 'ADD used :zero, room :reserve SET listed = :one, cap = :cap',
        ConditionExpression: 'attribute_not_exists(listed)',
        ExpressionAttributeValues: { ':zero': 0, ':reserve': reserve, ':one': 1, ':cap': cap },
      },
    }));
    await onlyOnce([opening, ...lanes]);
  }

  /**
   * Gets a lane its next reserve before the last one is used up. Not tried again: it is nobody's own. Where it fails,
   * whoever finds the lane empty does it.
   *
   * Invariant: I1: the roster item counts the reserve, if the limit allows all of it, in the step that gives it.
   * Race: a lane that was closed, or has been given more, refuses it.
   * On crash: nothing is half done.
   */
  async function refill(id: DeploymentId, username: Username, seen: Lane, max: number): Promise<void> {
    const { roster, cap: ofRoster } = await readRosterItem(id, username);
    const cap = capOf(max);
    const reserve = ofRoster === cap && roster.used < max ? reserveFor(max - roster.used) : 0;
    if (reserve <= seen.room || !seen.listed) return;
    const limited = Number.isFinite(max);
    await onlyOnce([
      {
        Update: {
          TableName: tableName,
          Key: rosterKey(id, username),
          UpdateExpression: 'ADD used :reserve, lent :reserve',
          ConditionExpression: `cap = :cap${limited ? ' AND used <= :before' : ''}`,
          ExpressionAttributeValues: {
            ':reserve': reserve,
            ':cap': cap,
            ...(limited ? { ':before': max - reserve } : {}),
          },
        },
      },
      {
        Update: {
          TableName: tableName,
          Key: laneKey(id, username, seen.lane),
          UpdateExpression: 'ADD room :reserve',
          ConditionExpression: 'listed = :one AND cap = :cap AND room <= :room',
          ExpressionAttributeValues: { ':reserve': reserve, ':one': 1, ':cap': cap, ':room': seen.room },
        },
      },
    ]);
  }

  /**
   * Gets a lane a reserve, and the newcomer a place out of it; as the lane was seen, and `left` under the limit.
   *
   * Invariant: I1: the roster item counts the whole reserve, if the limit allows it, in the step in which the lane has it
   * and uses one of it. The cap in the condition keeps every lane's reserve under one and the same limit.
   * Race: the room in the condition lets one of many who found the lane empty get it a reserve, and not each of them.
   * On crash: the place is in or it is not; a repeated try meets it.
   */
  async function takeFirst(
    id: DeploymentId,
    username: Username,
    { place, max, by, turn }: LaneNewcomer,
    seen: Lane,
    left: number,
  ): Promise<'done' | 'refused' | 'met others'> {
    const reserve = reserveFor(left);
    const cap = capOf(max);
    const limited = Number.isFinite(max);
    const outcome = await transactOnce(table, [
      {
        Update: {
          TableName: tableName,
          Key: rosterKey(id, username),
          UpdateExpression: `ADD used :reserve, lent :reserve${seen.listed ? '' : ', openLanes :one'} SET cap = :cap, wide = :one, wakePk = if_not_exists(wakePk, :wakePk), wakeAt = if_not_exists(wakeAt, :by)`,
          ConditionExpression: [
            '(attribute_not_exists(cap) OR cap = :cap)',
            '(attribute_not_exists(wakeAt) OR wakeAt <= :by)',
            ...(limited ? ['(attribute_not_exists(used) OR used <= :before)'] : []),
          ].join(' AND '),
          ExpressionAttributeValues: {
            ':reserve': reserve,
            ':one': 1,
            ':cap': cap,
            ':by': by,
            ':wakePk': wakePartition(`${id}|${username}`),
            ...(limited ? { ':before': max - reserve } : {}),
          },
        },
      },
      {
        Update: {
          TableName: tableName,
          Key: laneKey(id, username, seen.lane),
          UpdateExpression: 'ADD used :one, room :left, places :places SET listed = :one, cap = :cap',
          ConditionExpression: [
            'NOT contains(places, :place)',
            seen.listed ? 'listed = :one' : 'attribute_not_exists(listed)',
            `${seen.isThere ? 'room = :room' : 'attribute_not_exists(room)'}${isTurn(turn).and}`,
          ].join(' AND '),
          ExpressionAttributeValues: {
            ...isTurn(turn).values,
            ...(seen.isThere ? { ':room': seen.room } : {}),
            ':one': 1,
            ':left': reserve - 1,
            ':places': storedPlaces([place]),
            ':place': placeBytes(place),
            ':cap': cap,
          },
        },
      },
    ]);
    return outcome?.kind ?? 'met others';
  }

  return { open, refill, takeFirst, isEnoughForAll };
}
