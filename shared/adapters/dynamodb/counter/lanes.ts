// The lanes of a wide roster. One roster item takes about 1,000 writes a second, and grows with every place; a fleet that
// shares one username needs more of the one and less of the other. So places are spread over lanes, and the roster item
// gives each lane a number of places in reserve.
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

import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { laneReserveMax, rosterLanes, wideAt } from '../../../config/constants.ts';
import type { DeploymentId, Place, Username } from '../../../domain/ids.ts';
import { laneOf } from '../../../domain/place.ts';
import { type Ms, ms } from '../../../domain/time.ts';
import { contended, StoreUnavailable } from '../../../ports/common/errors.ts';
import type { RosterPart } from '../../../ports/counter/count-repair.ts';
import type { AddOutcome } from '../../../ports/counter/counter.ts';
import { backOffAtRandom } from '../common/back-off.ts';
import { patiently, Refused, refusable } from '../common/conditions.ts';
import { type Key, laneKey, perUsernameKey, wakePartition } from '../common/keys.ts';
import { readItems } from '../common/read-items.ts';
import { transact, transactOnce, type Writes } from '../common/transaction.ts';
import type { Item } from '../presence/session-item.ts';
import type { Table } from '../settings/settings-by-username.ts';
import { createDroppedPlaces } from './dropped-places.ts';
import { placeBytes, placesOf, storedPlaces } from './place-set.ts';
import { decodeStoredRoster, noLaneIsOpen, removeEmptyRoster, type StoredRoster } from './roster-item.ts';

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

interface Lane {
  readonly lane: number;
  readonly isThere: boolean;
  readonly used: number;
  readonly room: number;
  readonly places: ReadonlySet<Place>;
  readonly listed: boolean;
  readonly cap: number | undefined;
  readonly turn: number;
}

/** What stands for no limit: more than any count. */
const noCap = 1e15;

/** What a roster remembers of the limit that it is held against. */
export const capOf = (max: number): number => Math.min(max, noCap);

const maxTries = 20;
/** About twice as long as it takes to give a lane a reserve. */
const crowdMs = 80;
/** Parts of a crowd, one after the other. */
const crowds = 4;
/** With so many places left, a lane is given more. */
const refillAt: ReadonlySet<number> = new Set([48, 16, 4, 0]);

export type LaneWrites = ReturnType<typeof createLanes>;

export function createLanes(table: Table, layout: RosterLayout) {
  const { client, tableName, backOff } = table;
  const rosterKey = (id: DeploymentId, username: Username): Key => perUsernameKey('N', id, username);
  const dropped = createDroppedPlaces();

  async function readRosterItem(id: DeploymentId, username: Username): Promise<StoredRoster> {
    const get = new GetCommand({ TableName: tableName, Key: rosterKey(id, username), ConsistentRead: true });
    return decodeStoredRoster((await patiently(() => client.send(get), backOff)).Item, layout.wideAt);
  }

  async function readLanes(id: DeploymentId, username: Username): Promise<readonly Lane[]> {
    const keys = Array.from({ length: layout.lanes }, (_, n) => laneKey(id, username, n + 1));
    const find = await readItems(table, keys, { consistent: true });
    return keys.flatMap((key, n) => {
      const item = find(key);
      return item === undefined ? [] : [decodeLane(n + 1, item)];
    });
  }

  function updateLane(key: Key, expression: object): Promise<Item | Refused> {
    return refusable(async () => {
      const command = new UpdateCommand({
        TableName: tableName,
        Key: key,
        ReturnValues: 'ALL_NEW',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        UpdateExpression: '',
        ...expression,
      });
      return (await client.send(command)).Attributes ?? {};
    }, backOff);
  }

  /**
   * I1: counted only out of the lane's reserve, which the roster item holds against the limit already, and which the
   * condition takes in the same write. A limit that is lower than the one it was given by finds the cap too high. The
   * place itself makes it safe to repeat (I5); dying after it leaves a session item whose lease leads here.
   */
  async function addPlace(
    id: DeploymentId,
    username: Username,
    place: Place,
    max: number,
    { wakeBy, tellsDiffering }: { readonly wakeBy: Ms | undefined; readonly tellsDiffering: boolean },
  ): Promise<AddOutcome> {
    const lane = laneOf(place);
    const mark = placeBytes(place);
    const cap = capOf(max);
    const by = wakeBy ?? ms(0);
    let inCrowd = false;
    for (let tries = 0; tries < maxTries; tries++) {
      const answer = await updateLane(laneKey(id, username, lane), {
        UpdateExpression: 'ADD used :one, room :less, places :places',
        ConditionExpression: 'NOT contains(places, :place) AND room >= :one AND cap <= :cap',
        ExpressionAttributeValues: {
          ':one': 1,
          ':less': -1,
          ':places': storedPlaces([place]),
          ':place': mark,
          ':cap': cap,
        },
      });
      if (!(answer instanceof Refused)) {
        if (refillAt.has(Number(answer.room))) await refill(id, username, decodeLane(lane, answer), max, cap);
        return { kind: 'added', used: Number(answer.used) };
      }
      const seen = decodeLane(lane, answer.item ?? {});
      if (seen.places.has(place)) return { kind: 'present' };
      // Its reserve was given by a higher limit, which is the roster's as well.
      if (tellsDiffering && seen.cap !== undefined && seen.cap > cap) return { kind: 'differs' };
      // Of a crowd that finds a lane empty a part gets it a reserve, and the others wait for that.
      if (tries < crowds && (mark.at(-1) ?? 0) % crowds !== tries) {
        await (backOff ?? backOffAtRandom)(crowdMs);
        continue;
      }
      const outcome = await addFromRoster(id, username, { place, max, by, inCrowd, tellsDiffering }, seen);
      if (typeof outcome === 'object') return outcome;
      if (outcome === 'met others') inCrowd = true;
      if (tries >= crowds) await (backOff ?? backOffAtRandom)(crowdMs);
    }
    throw contended('others kept writing this lane');
  }

  /**
   * Gets a lane its next reserve before the last one is used up: who takes the place after which so many are left does it,
   * so it is one of all that come. Where that fails, whoever finds the lane empty does it.
   */
  async function refill(id: DeploymentId, username: Username, seen: Lane, max: number, cap: number): Promise<void> {
    const roster = await readRosterItem(id, username);
    const reserve = roster.cap === cap && roster.roster.used < max ? reserveFor(max - roster.roster.used) : 0;
    if (reserve <= seen.room || !seen.listed) return;
    const limited = Number.isFinite(max);
    // I1, as above, but for the place. Not tried again: it is nobody's own.
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
   * Opens all lanes at once, where none is: for a crowd that has come, or is likely to, one transaction instead of one for
   * each lane, which would cancel each other. Not tried again, and nobody's own: where it fails, or so little is left
   * under the limit that nobody gets a reserve, whoever comes next looks what is to be done. A roster that is marked as
   * wide with it wakes by `by`, in the same step, so that whoever counts in a lane need not look when it does.
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
    // I1: the roster item counts every reserve, if the limit allows all of them, in the step that gives them.
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

  /** Sends what nobody depends on. */
  async function onlyOnce(writes: Writes): Promise<void> {
    await transactOnce(table, writes).catch((error: unknown) => {
      if (!(error instanceof StoreUnavailable)) throw error;
    });
  }

  /**
   * The lane has no reserve that this limit may use: it gets one from the roster item, and the place out of it. `inCrowd`:
   * others want the same at this moment.
   */
  async function addFromRoster(
    id: DeploymentId,
    username: Username,
    {
      place,
      max,
      by,
      inCrowd,
      tellsDiffering,
    }: {
      readonly place: Place;
      readonly max: number;
      readonly by: Ms;
      readonly inCrowd: boolean;
      readonly tellsDiffering: boolean;
    },
    seen: Lane,
  ): Promise<AddOutcome | 'look again' | 'met others'> {
    const roster = await readRosterItem(id, username);
    const cap = capOf(max);
    if (roster.cap !== undefined && roster.cap !== cap) {
      if (tellsDiffering) return { kind: 'differs' };
      await gather(id, username, cap);
      return 'look again';
    }
    const left = max - roster.roster.used;
    if (left < layout.near) return lookElsewhere(id, username, place, max, roster);
    const isThere = roster.roster.wakeAt !== undefined;
    if (isThere && roster.open <= 0 && (inCrowd || !roster.marked) && isEnoughForAll(left)) {
      await open(id, username, max, by);
      return 'look again';
    }
    if (roster.roster.wakeAt !== undefined && roster.roster.wakeAt > by) await lowerWake(id, username, by);
    const reserve = reserveFor(left);
    const mark = placeBytes(place);
    const limited = Number.isFinite(max);
    // I1, in one step: the roster item counts the whole reserve, if the limit allows it; the lane has it and uses one of
    // it. The condition on the cap keeps every lane's reserve under one and the same limit; that on the room lets one of
    // many who found the lane empty get it a reserve, and not each of them.
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
            seen.isThere ? 'room = :room' : 'attribute_not_exists(room)',
          ].join(' AND '),
          ExpressionAttributeValues: {
            ...(seen.isThere ? { ':room': seen.room } : {}),
            ':one': 1,
            ':left': reserve - 1,
            ':places': storedPlaces([place]),
            ':place': mark,
            ':cap': cap,
          },
        },
      },
    ]);
    if (outcome === undefined) return 'met others';
    return outcome.kind === 'done' ? { kind: 'added', used: roster.roster.used + 1 } : 'look again';
  }

  /** Conditional, so that of two that lower it the earlier time stays whatever their order (S11). */
  async function lowerWake(id: DeploymentId, username: Username, at: Ms): Promise<void> {
    await updateLane(rosterKey(id, username), {
      UpdateExpression: 'SET wakeAt = :at',
      ConditionExpression: 'wakeAt > :at',
      ExpressionAttributeValues: { ':at': at },
    });
  }

  /**
   * The roster item has next to nothing left to give: what there is, is in the roster item itself or in one of the other
   * lanes. Whoever comes now chooses its place there, and is counted by a plain write like everybody else. Where nothing
   * is anywhere, the reserves are taken back, so that one item says that the roster is full.
   */
  async function lookElsewhere(
    id: DeploymentId,
    username: Username,
    place: Place,
    max: number,
    { roster, open: openLanes }: Pick<StoredRoster, 'roster' | 'open'>,
  ): Promise<AddOutcome | 'look again'> {
    if (roster.used < max) return { kind: 'wide', roster, lane: 0 };
    if (openLanes <= 0) return { kind: 'full', roster };
    const cap = capOf(max);
    const rich = (await readLanes(id, username)).filter((lane) => lane.room > 0 && lane.cap === cap);
    const room = rich.reduce((sum, lane) => sum + lane.room, 0);
    if (room === 0) {
      await gather(id, username);
      return 'look again';
    }
    // In proportion, by a place that is random: many who look at the same moment must not all choose the same one.
    let at = Buffer.from(placeBytes(place)).readUInt32BE(1) % room;
    const found = rich.find((lane) => {
      at -= lane.room;
      return at < 0;
    });
    return { kind: 'wide', roster, ...(found === undefined ? {} : { lane: found.lane }) };
  }

  function isEnoughForAll(left: number): boolean {
    return left >= Math.max(layout.near, layout.lanes);
  }

  /** Its part of what is left for each lane. */
  function reserveFor(left: number): number {
    if (!Number.isFinite(left)) return layout.reserveMax;
    return Math.max(1, Math.min(layout.reserveMax, Math.floor(left / layout.lanes)));
  }

  /** Uncounts exactly this place, exactly once; what it leaves is the lane's reserve, until somebody gathers it. */
  async function removePlace(id: DeploymentId, username: Username, place: Place): Promise<'removed' | 'absent'> {
    const lane = laneOf(place);
    const mark = placeBytes(place);
    for (let tries = 0; tries < maxTries; tries++) {
      const answer = await updateLane(laneKey(id, username, lane), {
        UpdateExpression: 'ADD used :less, room :one DELETE places :places',
        ConditionExpression: 'contains(places, :place) AND listed = :one',
        ExpressionAttributeValues: { ':less': -1, ':one': 1, ':places': storedPlaces([place]), ':place': mark },
      });
      if (!(answer instanceof Refused)) {
        if (Number(answer.used) <= 0) await gather(id, username);
        return 'removed';
      }
      if (!decodeLane(lane, answer.item ?? {}).places.has(place)) return 'absent';
      await list(id, username, lane);
    }
    throw contended('others kept writing this lane');
  }

  /**
   * Makes a lane one of the open ones, without a cap: it may gather what is freed. Both items in one step, because a
   * lane with room that nobody looks for would be lost to the username.
   */
  async function list(id: DeploymentId, username: Username, lane: number): Promise<void> {
    await transact(table, [
      {
        Update: {
          TableName: tableName,
          Key: rosterKey(id, username),
          UpdateExpression: 'ADD openLanes :one',
          ConditionExpression: 'used >= :one',
          ExpressionAttributeValues: { ':one': 1 },
        },
      },
      {
        Update: {
          TableName: tableName,
          Key: laneKey(id, username, lane),
          UpdateExpression: 'SET listed = :one',
          ConditionExpression: 'attribute_not_exists(listed) AND used >= :one',
          ExpressionAttributeValues: { ':one': 1 },
        },
      },
    ]);
  }

  /**
   * Gives back every reserve and closes the lanes: afterwards the roster item's `used` is what is counted. First all of
   * them in one step, then, where they are being written, one by one. Of a crowd that finds the roster full all want the
   * same: whoever meets another waits a moment, and whoever is refused looks first whether it is done. `cap`: what the
   * roster is held against from now on.
   */
  async function gather(id: DeploymentId, username: Username, cap?: number): Promise<StoredRoster> {
    for (let tries = 0; tries < maxTries; tries++) {
      const roster = await readRosterItem(id, username);
      if (roster.open <= 0) {
        if (cap === undefined || roster.cap === undefined || roster.cap === cap)
          return removeEmpty(id, username, roster);
        await changeCap(id, username, roster.cap, cap);
        continue;
      }
      const listed = (await readLanes(id, username)).filter((lane) => lane.listed);
      const outcome = await close(id, username, listed);
      if (outcome === 'done') continue;
      if (outcome === 'met others') await (backOff ?? backOffAtRandom)(crowdMs * 2 ** Math.min(tries, 3));
      else if (tries > 0) for (const lane of listed) await close(id, username, [lane]);
    }
    throw contended('others kept writing the lanes of this username');
  }

  async function close(
    id: DeploymentId,
    username: Username,
    lanes: readonly Lane[],
  ): Promise<'done' | 'refused' | 'met others'> {
    if (lanes.length === 0) return 'done';
    const room = lanes.reduce((sum, lane) => sum + lane.room, 0);
    const outcome = await transactOnce(table, [
      {
        Update: {
          TableName: tableName,
          Key: rosterKey(id, username),
          UpdateExpression: 'ADD used :back, lent :back, openLanes :lanes',
          ConditionExpression: 'openLanes >= :count',
          ExpressionAttributeValues: { ':back': -room, ':lanes': -lanes.length, ':count': lanes.length },
        },
      },
      ...lanes.map((lane) => closing(laneKey(id, username, lane.lane), lane)),
    ]);
    return outcome?.kind ?? 'met others';
  }

  /** Only the reserve that was seen is given back: a place counted or freed in between refuses it. */
  function closing(key: Key, lane: Lane): Writes[number] {
    const seen = { TableName: tableName, Key: key };
    const ConditionExpression = 'room = :room AND used = :used AND listed = :one';
    const values = { ':room': lane.room, ':used': lane.used, ':one': 1 };
    if (lane.used <= 0) return { Delete: { ...seen, ConditionExpression, ExpressionAttributeValues: values } };
    return {
      Update: {
        ...seen,
        UpdateExpression: 'SET room = :zero REMOVE listed, cap',
        ConditionExpression,
        ExpressionAttributeValues: { ...values, ':zero': 0 },
      },
    };
  }

  /** Only while no lane is open, so that none has a reserve that was given by another limit. */
  async function changeCap(id: DeploymentId, username: Username, from: number, to: number): Promise<void> {
    await updateLane(rosterKey(id, username), {
      UpdateExpression: 'SET cap = :to',
      ConditionExpression: `cap = :from AND ${noLaneIsOpen}`,
      ExpressionAttributeValues: { ':from': from, ':to': to, ':zero': 0 },
    });
  }

  async function removeEmpty(id: DeploymentId, username: Username, roster: StoredRoster): Promise<StoredRoster> {
    if (roster.roster.wakeAt !== undefined && roster.roster.used <= 0) await removeEmptyRoster(table, id, username);
    return roster;
  }

  /** The write that goes with a folded session's end; see putSession. `also`: places of folded sessions of that lane. */
  function uncountFolded(id: DeploymentId, username: Username, place: Place, also: readonly Place[]): Writes[number] {
    const lane = laneOf(place);
    const common = { TableName: tableName };
    const values = { ':less': -1, ':one': 1, ':places': storedPlaces([place, ...also]) };
    if (lane === 0)
      return {
        Update: {
          ...common,
          Key: rosterKey(id, username),
          UpdateExpression: 'ADD used :less, turn :one DELETE places :places',
          ConditionExpression: 'used >= :one',
          ExpressionAttributeValues: values,
        },
      };
    return {
      Update: {
        ...common,
        Key: laneKey(id, username, lane),
        UpdateExpression: 'ADD used :less, room :one, turn :one DELETE places :places',
        ConditionExpression: 'listed = :one AND used >= :one',
        ExpressionAttributeValues: values,
      },
    };
  }

  async function readPlaces(id: DeploymentId, username: Username, lane: number): Promise<ReadonlySet<Place>> {
    if (lane === 0) return (await readRosterItem(id, username)).roster.places;
    const get = new GetCommand({ TableName: tableName, Key: laneKey(id, username, lane), ConsistentRead: true });
    const { Item: item } = await patiently(() => client.send(get), backOff);
    return placesOf(item?.places);
  }

  return {
    dropped,
    readRosterItem,
    addPlace,
    open,
    lookElsewhere,
    lowerWake,
    removePlace,
    list,
    gather,
    uncountFolded,

    /** What lanes hold in reserve, of a roster that was just read. */
    async reserved(id: DeploymentId, username: Username): Promise<number> {
      return (await readLanes(id, username)).reduce((sum, { room }) => sum + room, 0);
    },

    /** The places of one lane, or of the roster item itself. Consistent. */
    readPlaces,

    /** Whether a session in a lane that holds so many places is worth a number instead. */
    isCrowded(place: Place, places: ReadonlySet<Place>): boolean {
      return laneOf(place) === 0 ? places.size >= layout.wideAt : places.size >= layout.foldAt;
    },

    /**
     * The session says that it is folded before its place goes, so at every moment one of the two counts it, and the place
     * may stay for a while: some of a lane go in one write, with the end of another session or when they are enough. What
     * a process leaves behind that dies goes with its own session's end, or with a recount.
     */
    async dropPlace(id: DeploymentId, username: Username, place: Place, atOnce: boolean): Promise<void> {
      const lane = laneOf(place);
      const waiting = dropped.add(id, username, place);
      if (!atOnce && waiting.length < layout.dropAt) return;
      await dropped.sending(id, username, waiting, () =>
        updateLane(lane === 0 ? rosterKey(id, username) : laneKey(id, username, lane), {
          UpdateExpression: 'ADD turn :one DELETE places :places',
          ConditionExpression: 'used >= :one',
          ExpressionAttributeValues: { ':one': 1, ':places': storedPlaces(waiting) },
        }),
      );
      dropped.forget(id, username, waiting);
    },

    async readParts(id: DeploymentId, username: Username): Promise<readonly RosterPart[] | undefined> {
      const stored = await readRosterItem(id, username);
      if (stored.roster.wide !== true) return undefined;
      const { used, places } = stored.roster;
      const own = { lane: 0, places, folded: used - stored.lent - places.size, turn: stored.turn };
      const lanes = await readLanes(id, username);
      return [
        own,
        ...lanes.map((one) => ({
          lane: one.lane,
          places: one.places,
          folded: one.used - one.places.size,
          turn: one.turn,
        })),
      ];
    },

    /** Conditional on the part's turn, which every fold and every end of a folded session moves on. */
    async correctFolded(id: DeploymentId, username: Username, part: RosterPart, by: number): Promise<void> {
      const roster = {
        TableName: tableName,
        Key: rosterKey(id, username),
        UpdateExpression: part.lane === 0 ? 'ADD used :by, turn :one' : 'ADD used :by, lent :by',
        ConditionExpression: part.lane === 0 ? turnIs(part) : 'used >= :one',
        ExpressionAttributeValues: {
          ':by': by,
          ':one': 1,
          ...(part.lane === 0 && part.turn > 0 ? { ':turn': part.turn } : {}),
        },
      };
      if (part.lane === 0) return void (await updateLane(rosterKey(id, username), roster));
      await transact(table, [
        { Update: roster },
        {
          Update: {
            TableName: tableName,
            Key: laneKey(id, username, part.lane),
            UpdateExpression: 'ADD used :by, turn :one',
            ConditionExpression: turnIs(part),
            ExpressionAttributeValues: { ':by': by, ':one': 1, ...(part.turn > 0 ? { ':turn': part.turn } : {}) },
          },
        },
      ]);
    },
  };
}

function turnIs({ turn }: RosterPart): string {
  return turn > 0 ? 'turn = :turn' : 'attribute_not_exists(turn)';
}

function decodeLane(lane: number, item: Item): Lane {
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
