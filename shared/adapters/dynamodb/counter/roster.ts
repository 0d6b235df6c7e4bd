// The roster of a username: the set of the places counted, and their number. One item, so that deciding and counting
// are one conditional write. A place is 9 bytes in it: about 100 fit into one write unit. A username with more sessions
// gets a wide roster, whose places lie in lanes.

import type { DeploymentId, Place, Username } from '../../../domain/ids.ts';
import { isFolded, isWide, laneOf } from '../../../domain/place.ts';
import { type Ms, ms } from '../../../domain/time.ts';
import { contended } from '../../../ports/common/errors.ts';
import type { SessionStore } from '../../../ports/common/session-store.ts';
import type { AddOutcome, HowToAdd } from '../../../ports/counter/counter.ts';
import { backOffAtRandom } from '../common/back-off.ts';
import { isThrottled, Refused } from '../common/conditions.ts';
import { wakePartition } from '../common/keys.ts';
import type { Item } from '../presence/session-item.ts';
import type { Table } from '../settings/settings-by-username.ts';
import type { Gathering } from './gathering.ts';
import { isTurn, type LaneItems, type RosterLayout } from './lane-items.ts';
import type { LaneWrites } from './lanes.ts';
import { createCrowds, type NewPlace } from './newcomers.ts';
import { placeBytes, storedPlaces } from './place-set.ts';
import { capOf, type Reserves } from './reserves.ts';
import { decodeStoredRoster, type StoredRoster } from './roster-item.ts';

const addTries = 8;

export function createRosterAdding(
  { backOff }: Table,
  { items, lanes, reserves, gathering, layout }: RosterParts,
): Pick<SessionStore, 'addPlace'> {
  const { lowerWake } = items;
  const { wideAt } = layout;

  /**
   * Invariant: I1: all of the places are added only while there is room for all of them, in the write that counts them.
   * Race: whatever another process counted in between, the number that is held against the limit is the item's own.
   * On crash: all of them are in or none is, and each has its session item, whose lease leads the sweeper here.
   */
  async function addTogether(
    id: DeploymentId,
    username: Username,
    newcomers: readonly NewPlace[],
    max: number,
  ): Promise<AddOutcome | undefined> {
    const count = newcomers.length;
    const upTo = Math.min(wideAt - 1, max) - count;
    if (upTo < 0) return undefined;
    const places = newcomers.map(({ place }) => place);
    const answer = await updateOnce(id, username, {
      UpdateExpression:
        'ADD used :count, places :places SET wakePk = if_not_exists(wakePk, :wakePk), wakeAt = if_not_exists(wakeAt, :due)',
      ConditionExpression: [
        ...places.map((_, n) => `NOT contains(places, :place${n})`),
        '(attribute_not_exists(wakeAt) OR wakeAt <= :due)',
        'attribute_not_exists(wide)',
        'attribute_not_exists(cap)',
        '(attribute_not_exists(used) OR used <= :upTo)',
      ].join(' AND '),
      ExpressionAttributeValues: {
        ':count': count,
        ':places': storedPlaces(places),
        ...Object.fromEntries(places.map((place, n) => [`:place${n}`, placeBytes(place)])),
        ':due': Math.min(...newcomers.map(({ dueAt }) => dueAt)),
        ':wakePk': wakePartition(`${id}|${username}`),
        ':upTo': upTo,
      },
    });
    return answer instanceof Refused || answer === 'throttled'
      ? undefined
      : { kind: 'added', used: Number(answer.used) };
  }

  const addInCrowd = createCrowds(addTogether);

  /** For the one write that a crowd sends to one item. */
  async function updateOnce(
    id: DeploymentId,
    username: Username,
    expression: object,
  ): Promise<Item | Refused | 'throttled'> {
    try {
      return await items.updateRoster(id, username, expression, { untilThrottled: true });
    } catch (error) {
      if (isThrottled(error)) return 'throttled';
      throw error;
    }
  }

  /**
   * Invariant: I1: the place is added only while `used` is below the limit, in the write that counts it.
   * Race: no interleaving over-admits: of those that come at once, each write is refused or counted by itself.
   * On crash: the place makes it safe to repeat: a second try meets its own place (I5). Its session item, written before,
   * still stands, and its lease leads the sweeper here.
   */
  async function addPlace(
    id: DeploymentId,
    username: Username,
    place: Place,
    max: number,
    dueAt: Ms,
    how: HowToAdd = {},
  ): Promise<AddOutcome> {
    const alone = () => addAlone(id, username, place, max, dueAt, how);
    if (isWide(place) || how.forced === true) return alone();
    return addInCrowd(id, username, { place, dueAt, max }, alone);
  }

  async function addAlone(
    id: DeploymentId,
    username: Username,
    place: Place,
    max: number,
    dueAt: Ms,
    how: HowToAdd,
  ): Promise<AddOutcome> {
    const { forced, wakeBy, tellsDiffering = false, recheck } = how;
    if (isFolded(place)) return { kind: 'present' };
    if (laneOf(place) > 0) {
      // A lane does not know when the roster wakes.
      if (forced === true) await lowerWake(id, username, dueAt);
      return lanes.addPlace(id, username, place, max, how);
    }
    // A roster that holds a wide place is marked as wide, and one that is sleeps for minutes only.
    const wakesAt = isWide(place) ? ms(Math.min(dueAt, wakeBy ?? 0)) : dueAt;
    for (let tries = 0; tries < addTries; tries++) {
      let turn: number | undefined;
      if (isWide(place) && recheck !== undefined) {
        const before = await items.readRosterItem(id, username);
        if (!(await recheck())) return { kind: 'outdated' };
        if (before.roster.places.has(place)) return { kind: 'present' };
        turn = before.turn;
      }
      const adding = { place, max, forced: forced === true, tellsDiffering, turn };
      const answer = await updateOnce(id, username, expressionOf(id, username, adding, wakesAt));
      if (answer === 'throttled') {
        // The item takes no more. Read, it may say that it has become wide, or full: whoever only tried again would keep
        // it busy.
        await (backOff ?? backOffAtRandom)(20 * 2 ** tries);
        const { roster, open } = await items.readRosterItem(id, username);
        if (roster.places.has(place)) return { kind: 'present' };
        if (roster.used >= max && open <= 0) return { kind: 'full', roster };
        if (roster.wide === true && choosesAgain(adding)) return { kind: 'wide', roster };
        continue;
      }
      if (!(answer instanceof Refused)) {
        const used = Number(answer.used);
        if (used === wideAt && answer.wide === undefined && wakeBy !== undefined)
          await reserves.open(id, username, max, wakeBy);
        return { kind: 'added', used };
      }
      const outcome = await readRefusal(id, username, adding, decodeStoredRoster(answer.item, wideAt));
      if (typeof outcome === 'object') return outcome;
      // What is left of the condition: the roster would sleep past this session's end.
      if (outcome === 'sleeps too long') await lowerWake(id, username, wakesAt);
    }
    throw contended('others kept writing this roster');
  }

  function expressionOf(id: DeploymentId, username: Username, adding: Adding, wakesAt: Ms): object {
    const { place, max, forced, turn } = adding;
    const limited = Number.isFinite(max);
    const again = choosesAgain(adding);
    return {
      UpdateExpression:
        'ADD used :one, places :places SET wakePk = if_not_exists(wakePk, :wakePk), wakeAt = if_not_exists(wakeAt, :due)' +
        (isWide(place) ? ', wide = :one' : ''),
      ConditionExpression: [
        'NOT contains(places, :place)',
        '(attribute_not_exists(wakeAt) OR wakeAt <= :due)',
        // By its number too: of a crowd nobody is counted here while somebody is still on the way to mark it.
        ...(again ? ['attribute_not_exists(wide)', '(attribute_not_exists(used) OR used < :wideAt)'] : []),
        // What lanes hold in reserve was given by this limit: nobody else may bring the count above it meanwhile.
        `(attribute_not_exists(cap) OR used < cap${forced ? ' OR attribute_not_exists(openLanes) OR openLanes = :zero' : ''})`,
        ...(limited ? ['(attribute_not_exists(used) OR used < :max)'] : []),
      ]
        .join(' AND ')
        .concat(isTurn(turn).and),
      ExpressionAttributeValues: {
        ':one': 1,
        ':places': storedPlaces([place]),
        ':place': placeBytes(place),
        ':due': wakesAt,
        ':wakePk': wakePartition(`${id}|${username}`),
        ...(limited ? { ':max': max } : {}),
        ...(again ? { ':wideAt': wideAt } : {}),
        ...(forced ? { ':zero': 0 } : {}),
        ...isTurn(turn).values,
      },
    };
  }

  /** What of the condition did not hold, by the item that refused. */
  async function readRefusal(
    id: DeploymentId,
    username: Username,
    adding: Adding,
    { roster, open, cap, turn: turnNow }: StoredRoster,
  ): Promise<AddOutcome | 'look again' | 'sleeps too long'> {
    const { place, max, forced, tellsDiffering, turn } = adding;
    if (roster.places.has(place)) return { kind: 'present' };
    if (turn !== undefined && turn !== turnNow) return 'look again';
    if (forced) {
      if (open <= 0 || roster.used < (cap ?? Number.POSITIVE_INFINITY)) return 'sleeps too long';
      await gathering.gather(id, username);
      return 'look again';
    }
    if (cap !== undefined && cap !== capOf(max)) {
      if (tellsDiffering) return { kind: 'differs' };
      await gathering.gather(id, username, capOf(max));
      return 'look again';
    }
    if (roster.used >= max && open <= 0) return { kind: 'full', roster };
    if (roster.wide === true && choosesAgain(adding)) return { kind: 'wide', roster };
    if (roster.used >= max) return lanes.lookElsewhere(id, username, place, max, { roster, open });
    return 'sleeps too long';
  }

  return { addPlace };
}

interface RosterParts {
  readonly items: LaneItems;
  readonly lanes: LaneWrites;
  readonly reserves: Reserves;
  readonly gathering: Gathering;
  readonly layout: RosterLayout;
}

interface Adding {
  readonly place: Place;
  readonly max: number;
  readonly forced: boolean;
  readonly tellsDiffering: boolean;
  /** The roster item's turn, where it has to be the same still (lanes.ts). */
  readonly turn: number | undefined;
}

/** A narrow place is refused by a wide roster. */
function choosesAgain({ place, forced }: Adding): boolean {
  return !isWide(place) && !forced;
}
