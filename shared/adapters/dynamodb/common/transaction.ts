// One transaction. Those that meet on an item cancel each other and have then written nothing, like those that a partition
// does not take, so they are tried again here; a failed condition is an answer and goes back to the caller.

import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { StoreUnavailable } from '../../../ports/common/errors.ts';
import type { Item } from '../presence/session-item.ts';
import type { Table } from '../settings/settings-by-username.ts';
import { answering, type CancellationReason, isNamed, meansUnavailable } from './answering.ts';
import { fromItem } from './attribute-values.ts';
import { backOffAtRandom } from './back-off.ts';
import { TransactWriteCommand } from './commands.ts';
import { isThrottle, isThrottled } from './conditions.ts';

export type Writes = NonNullable<TransactWriteCommandInput['TransactItems']>;

export type TransactionOutcome =
  | { readonly kind: 'done' }
  /**
   * The places, in the order of the writes, whose condition failed; and by place the item that refused, where the write
   * asked for it and there is one.
   */
  | { readonly kind: 'refused'; readonly at: readonly number[]; readonly items: ReadonlyMap<number, Item> };

const maxTries = 8;
const cancelled = 'TransactionCanceledException';

/**
 * Sent once: undefined where it met another on an item, or a partition took no more. For who looks whether it is needed
 * still before it is sent again.
 */
export async function transactOnce(table: Table, writes: Writes): Promise<TransactionOutcome | undefined> {
  try {
    return await transact(table, writes, 1);
  } catch (error) {
    if (error instanceof StoreUnavailable && (isThrottled(error) || isNamed(error.cause, cancelled))) return undefined;
    throw error;
  }
}

export async function transact(table: Table, writes: Writes, tries = maxTries): Promise<TransactionOutcome> {
  let conflict: unknown;
  for (let tried = 0; tried < tries; tried += 1) {
    if (tried > 0) await (table.backOff ?? backOffAtRandom)(20 * 2 ** tried);
    try {
      // The client's own retries carry one request token, so a try whose outcome is unknown is not done twice.
      await table.client.send(new TransactWriteCommand({ TransactItems: writes }));
      return { kind: 'done' };
    } catch (error) {
      if (isThrottle(error)) {
        conflict = error;
        continue;
      }
      if (!isNamed(error, cancelled)) return answering(() => Promise.reject(error));
      const reasons = error.CancellationReasons ?? [];
      const at = reasons.flatMap(({ Code }, place) => (Code === 'ConditionalCheckFailed' ? [place] : []));
      if (at.length > 0) return { kind: 'refused', at, items: itemsOf(reasons) };
      if (!meansUnavailable(error)) throw error;
      conflict = error;
    }
  }
  throw isThrottle(conflict) ? new StoreUnavailable(conflict) : new StoreUnavailable(conflict, 'contended');
}

function itemsOf(reasons: readonly CancellationReason[]): ReadonlyMap<number, Item> {
  return new Map(
    reasons.flatMap(({ Item: item }, place) => (item === undefined ? [] : [[place, fromItem(item)] as const])),
  );
}
