// The counts of a start: what each roster has to lose when the sessions of the last run are settled. Most rosters are one
// item that holds a few places, and a hundred of them go into one transaction; any other is left to a recount.

import type { Writes } from '../shared/adapters/dynamodb/common/transaction.ts';
import { storedPlaces } from '../shared/adapters/dynamodb/counter/place-set.ts';
import { decodeStoredRoster, noLaneIsOpen } from '../shared/adapters/dynamodb/counter/roster-item.ts';
import { wideAt } from '../shared/config/constants.ts';
import type { Session } from '../shared/domain/session/record.ts';
import type { Ms } from '../shared/domain/time.ts';

export type Item = Record<string, unknown>;

export type CountPlan =
  | 'agrees'
  /** It takes more than to remove places. */
  | 'recount'
  /** `canWait`: nothing but the time at which the roster wakes is to change, and that is not `soon`. */
  | { readonly write: Writes[number]; readonly canWait: boolean };

/**
 * The one write that makes a roster agree with its sessions as they are settled.
 *
 * Invariant: I2: the places of the sessions that are not ended stay in, and no other.
 * Race: a write that can wait runs beside clients. A roster that moved meanwhile refuses it, and is recounted.
 * On crash: the next start reads the same records, and finds nothing left to remove.
 */
export function planCount(
  tableName: string,
  item: Item | undefined,
  sessions: readonly Session[],
  soon: Ms,
): CountPlan {
  const live = sessions.filter(({ phase }) => phase.kind !== 'ended');
  if (item === undefined) return live.length === 0 ? 'agrees' : 'recount';
  const { roster, lent, open, marked } = decodeStoredRoster(item, wideAt);
  const { used, places, wakeAt } = roster;
  const isPlain = !marked && roster.wide !== true && lent === 0 && open === 0 && places.size === used;
  if (!isPlain || wakeAt === undefined || !live.every(({ place }) => places.has(place))) return 'recount';
  const Key = { pk: item.pk, sk: item.sk };
  if (live.length === 0) {
    const ConditionExpression = `used = :used AND ${noLaneIsOpen}`;
    const ExpressionAttributeValues = { ':used': used, ':zero': 0 };
    const write = { Delete: { TableName: tableName, Key, ConditionExpression, ExpressionAttributeValues } };
    return { write, canWait: false };
  }
  const kept = new Set(live.map(({ place }) => place));
  const gone = [...places].filter((place) => !kept.has(place));
  const due = Math.min(wakeAt, ...live.map(({ dueAt }) => dueAt));
  if (gone.length === 0 && due === wakeAt) return 'agrees';
  const removing = gone.length === 0 ? undefined : { ':less': -gone.length, ':gone': storedPlaces(gone) };
  const write = {
    Update: {
      TableName: tableName,
      Key,
      UpdateExpression: `SET wakeAt = :due${removing === undefined ? '' : ' ADD used :less DELETE places :gone'}`,
      ConditionExpression: 'used = :used AND wakeAt = :was',
      ExpressionAttributeValues: { ':due': due, ':used': used, ':was': wakeAt, ...removing },
    },
  };
  return { write, canWait: removing === undefined && due >= soon };
}
