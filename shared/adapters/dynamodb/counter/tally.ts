// All that is counted of a username, for whoever compares it with the sessions: places, and in a wide roster the numbers that
// count folded sessions.

import type { DeploymentId, Place, Username } from '../../../domain/ids.ts';
import { isFolded, laneOf, unfolded } from '../../../domain/place.ts';
import type { Tally } from '../../../ports/counter/count-repair.ts';
import { laneKey } from '../common/keys.ts';
import { transact, type Writes } from '../common/transaction.ts';
import type { Table } from '../settings/settings-by-username.ts';
import type { Folding } from './folding.ts';
import { isTurn, type LaneItems } from './lane-items.ts';

/** One item of a wide roster. */
interface Part {
  /** 0: the roster item itself. */
  readonly lane: number;
  readonly places: ReadonlySet<Place>;
  /** Sessions that are counted here and have no place here. */
  readonly folded: number;
  /** Changes when places of folded sessions leave, and with every end of a folded session. */
  readonly turn: number;
}

export function createTallies(table: Table, items: LaneItems, folding: Folding) {
  const { tableName } = table;

  async function readTally(id: DeploymentId, username: Username): Promise<Tally> {
    const stored = await items.readRosterItem(id, username);
    const { used, places, wide, wakeAt } = stored.roster;
    const lanes = wide === true ? await items.readLanes(id, username) : [];
    const parts: readonly Part[] = [
      { lane: 0, places, folded: used - stored.lent - places.size, turn: stored.turn },
      ...lanes.map((one) => ({ ...one, folded: one.used - one.places.size })),
    ];
    const unclaimed = new Set(parts.flatMap((part) => [...part.places]));
    const all: ReadonlySet<Place> = new Set(unclaimed);
    /** Those claimed by folded sessions. */
    const told = new Set<Place>();
    return {
      used: Math.max(0, used - lanes.reduce((sum, { room }) => sum + room, 0)),
      wakeAt,
      claim(place) {
        const plain = unfolded(place);
        unclaimed.delete(plain);
        if (isFolded(place)) told.add(plain);
        return isFolded(place) || all.has(plain);
      },
      unclaimed: () => [...unclaimed],
      correct: async () => (wide === true ? correct(id, username, parts, told) : 0),
    };
  }

  async function correct(
    id: DeploymentId,
    username: Username,
    parts: readonly Part[],
    told: ReadonlySet<Place>,
  ): Promise<number> {
    let wrong = 0;
    for (const part of parts) {
      const here = [...told].filter((place) => laneOf(place) === part.lane);
      if (here.length === part.folded && !here.some((place) => part.places.has(place))) continue;
      // Sessions that came after the first reading may be folded too, and their places are still here.
      const places = await items.readPlaces(id, username, part.lane);
      const left = here.filter((place) => places.has(place));
      const by = here.length - left.length - part.folded;
      if (by !== 0) {
        await correctNumber(id, username, part, by);
        wrong += Math.abs(by);
      }
      // The process that folded them died over it, or has not come to it yet.
      for (const place of left) await folding.dropAtOnce(id, username, place);
    }
    return wrong;
  }

  /**
   * Corrects the number of folded sessions of a part by `by`.
   *
   * Invariant: I2: the number is what the records say that were read after it.
   * Race: a place that leaves the part after its session was folded, and the end of a folded session, move the part's turn
   * on. A turn that moved refuses the correction.
   * On crash: the number is corrected or it is not, and the next recount sees which.
   */
  async function correctNumber(id: DeploymentId, username: Username, part: Part, by: number): Promise<void> {
    const sameTurn = isTurn(part.turn);
    const values = { ':by': by, ':one': 1 };
    const withTurn = { ...values, ...sameTurn.values };
    const key = items.rosterKey(id, username);
    if (part.lane === 0) {
      await items.update(key, {
        UpdateExpression: 'ADD used :by, turn :one',
        ConditionExpression: `attribute_exists(used)${sameTurn.and}`,
        ExpressionAttributeValues: withTurn,
      });
      return;
    }
    const roster: Writes[number] = {
      Update: {
        TableName: tableName,
        Key: key,
        UpdateExpression: 'ADD used :by, lent :by',
        ConditionExpression: 'used >= :one',
        ExpressionAttributeValues: values,
      },
    };
    const lane: Writes[number] = {
      Update: {
        TableName: tableName,
        Key: laneKey(id, username, part.lane),
        UpdateExpression: 'ADD used :by, turn :one',
        ConditionExpression: `attribute_exists(used)${sameTurn.and}`,
        ExpressionAttributeValues: withTurn,
      },
    };
    await transact(table, [roster, lane]);
  }

  return { readTally };
}
