// Counting in the lanes of a wide roster. One roster item takes about 1,000 writes a second, and grows with every place; a
// fleet that shares one username needs more of the one and less of the other. So places are spread over lanes, each of which
// counts newcomers out of the reserve that it was given (reserves.ts).

import type { DeploymentId, Place, Username } from '../../../domain/ids.ts';
import { laneOf } from '../../../domain/place.ts';
import { ms } from '../../../domain/time.ts';
import { contended } from '../../../ports/common/errors.ts';
import type { AddOutcome, HowToAdd } from '../../../ports/counter/counter.ts';
import { backOffAtRandom } from '../common/back-off.ts';
import { Refused } from '../common/conditions.ts';
import { laneKey } from '../common/keys.ts';
import type { Table } from '../settings/settings-by-username.ts';
import type { Gathering } from './gathering.ts';
import { decodeLane, isTurn, type Lane, type LaneItems, type RosterLayout } from './lane-items.ts';
import { placeBytes, storedPlaces } from './place-set.ts';
import { capOf, type LaneNewcomer, type Reserves } from './reserves.ts';
import type { StoredRoster } from './roster-item.ts';

const maxTries = 20;
/** About twice as long as it takes to give a lane a reserve. */
const crowdMs = 80;
/** Parts of a crowd, one after the other. */
const crowds = 4;
/** With so many places left, a lane is given more: whoever takes that one does it, one of all that come. */
const refillAt: ReadonlySet<number> = new Set([48, 16, 4, 0]);

export type LaneWrites = ReturnType<typeof createLanes>;

export function createLanes(table: Table, { items, reserves, gathering, layout }: LaneParts) {
  const pause = table.backOff ?? backOffAtRandom;
  const { readRosterItem, readLanes } = items;
  const { gather } = gathering;

  /**
   * Invariant: I1: counted only out of the lane's reserve, which the roster item holds against the limit already. A limit
   * that is lower than the one it was given by finds the cap too high.
   * Race: the condition takes the place out of the reserve in the same write, so two never take the last one.
   * A session that is folded has lost its place, and would be counted a second time. So the turn is read before the record,
   * and a turn that has moved refuses the place.
   * On crash: the place makes it safe to repeat (I5); dying after it leaves a session item whose lease leads here.
   */
  async function addPlace(
    id: DeploymentId,
    username: Username,
    place: Place,
    max: number,
    { wakeBy, tellsDiffering = false, recheck }: HowToAdd,
  ): Promise<AddOutcome> {
    const lane = laneOf(place);
    const mark = placeBytes(place);
    const cap = capOf(max);
    let before = recheck === undefined ? undefined : await items.readLane(id, username, lane);
    let inCrowd = false;
    for (let tries = 0; tries < maxTries; tries++) {
      if (recheck !== undefined && !(await recheck())) return { kind: 'outdated' };
      if (before?.places.has(place) === true) return { kind: 'present' };
      const turn = before?.turn;
      const answer = await items.update(laneKey(id, username, lane), {
        UpdateExpression: 'ADD used :one, room :less, places :places',
        ConditionExpression: `NOT contains(places, :place) AND room >= :one AND cap <= :cap${isTurn(turn).and}`,
        ExpressionAttributeValues: {
          ...isTurn(turn).values,
          ':one': 1,
          ':less': -1,
          ':places': storedPlaces([place]),
          ':place': mark,
          ':cap': cap,
        },
      });
      if (!(answer instanceof Refused)) {
        if (refillAt.has(Number(answer.room))) await reserves.refill(id, username, decodeLane(lane, answer), max);
        return { kind: 'added', used: Number(answer.used) };
      }
      const seen = decodeLane(lane, answer.item ?? {});
      if (seen.places.has(place)) return { kind: 'present' };
      before = recheck === undefined ? undefined : seen;
      if (turn !== undefined && seen.turn !== turn) continue;
      // Its reserve was given by a higher limit, which is the roster's as well.
      if (tellsDiffering && seen.cap !== undefined && seen.cap > cap) return { kind: 'differs' };
      // Of a crowd that finds a lane empty a part gets it a reserve, and the others wait for that.
      if (tries < crowds && (mark.at(-1) ?? 0) % crowds !== tries) {
        await pause(crowdMs);
        continue;
      }
      const outcome = await addFromRoster(id, username, { place, max, by: wakeBy ?? ms(0), turn }, seen, {
        inCrowd,
        tellsDiffering,
      });
      if (typeof outcome === 'object') return outcome;
      if (outcome === 'met others') inCrowd = true;
      if (tries >= crowds) await pause(crowdMs);
    }
    throw contended('others kept writing this lane');
  }

  /**
   * The lane has no reserve that this limit may use: it gets one from the roster item, and the place out of it. `inCrowd`:
   * others want the same at this moment.
   */
  async function addFromRoster(
    id: DeploymentId,
    username: Username,
    newcomer: LaneNewcomer,
    seen: Lane,
    { inCrowd, tellsDiffering }: { readonly inCrowd: boolean; readonly tellsDiffering: boolean },
  ): Promise<AddOutcome | 'look again' | 'met others'> {
    const { place, max, by } = newcomer;
    const stored = await readRosterItem(id, username);
    const { used, wakeAt } = stored.roster;
    const cap = capOf(max);
    if (stored.cap !== undefined && stored.cap !== cap) {
      if (tellsDiffering) return { kind: 'differs' };
      await gather(id, username, cap);
      return 'look again';
    }
    const left = max - used;
    if (left < layout.near) return lookElsewhere(id, username, place, max, stored);
    if (wakeAt !== undefined && stored.open <= 0 && (inCrowd || !stored.marked) && reserves.isEnoughForAll(left)) {
      await reserves.open(id, username, max, by);
      return 'look again';
    }
    if (wakeAt !== undefined && wakeAt > by) await items.lowerWake(id, username, by);
    const outcome = await reserves.takeFirst(id, username, newcomer, seen, left);
    if (outcome === 'refused') return 'look again';
    return outcome === 'done' ? { kind: 'added', used: used + 1 } : outcome;
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

  /**
   * Uncounts exactly this place, exactly once; what it leaves is the lane's reserve, until somebody gathers it.
   *
   * Invariant: I1: the roster item goes on counting it, now as a reserve.
   * Race: whoever comes second finds the place gone. A lane that is not listed refuses, and is listed first.
   * On crash: the tombstone that led here does so again.
   */
  async function removePlace(id: DeploymentId, username: Username, place: Place): Promise<'removed' | 'absent'> {
    const lane = laneOf(place);
    const mark = placeBytes(place);
    for (let tries = 0; tries < maxTries; tries++) {
      const answer = await items.update(laneKey(id, username, lane), {
        UpdateExpression: 'ADD used :less, room :one DELETE places :places',
        ConditionExpression: 'contains(places, :place) AND listed = :one',
        ExpressionAttributeValues: { ':less': -1, ':one': 1, ':places': storedPlaces([place]), ':place': mark },
      });
      if (!(answer instanceof Refused)) {
        if (Number(answer.used) <= 0) await gather(id, username);
        return 'removed';
      }
      if (!decodeLane(lane, answer.item ?? {}).places.has(place)) return 'absent';
      await gathering.list(id, username, lane);
    }
    throw contended('others kept writing this lane');
  }

  return { addPlace, lookElsewhere, removePlace };
}

interface LaneParts {
  readonly items: LaneItems;
  readonly reserves: Reserves;
  readonly gathering: Gathering;
  readonly layout: RosterLayout;
}
