// A failed condition is an answer, not an error: it says what stood in the way.

import { StoreUnavailable } from '../../../ports/common/errors.ts';
import { answering, isNamed } from './answering.ts';
import { fromItem } from './attribute-values.ts';
import { type BackOff, backOffAtRandom } from './back-off.ts';

export class Refused {
  /** The item that refused, if the request asked for it and there is one. */
  readonly item: Record<string, unknown> | undefined;

  constructor(item: Record<string, unknown> | undefined) {
    this.item = item;
  }
}

const throttledTries = 8;
/**
 * A transaction is over within milliseconds, and the next one may hold the item then. While a crowd leaves a username, some
 * are always on their way. So a write that meets them is tried often, and never waits long. A wait that doubled with each
 * try would last for a second, beside an item that is free between any two of them.
 */
const meetingTries = 24;
const meetingWaitMs = 40;

/**
 * Sends a conditional write. One that meets a transaction on its item, or a partition that takes no more, has written
 * nothing, and is tried again; whoever waits for it sees to its own time. Throws StoreUnavailable where the database does
 * not answer.
 */
export async function refusable<T>(
  write: () => Promise<T>,
  backOff: BackOff = backOffAtRandom,
  { untilThrottled = false }: { readonly untilThrottled?: boolean } = {},
): Promise<T | Refused> {
  for (let tried = 1; ; tried++) {
    try {
      return await answering(write);
    } catch (error) {
      if (isNamed(error, 'ConditionalCheckFailedException'))
        return new Refused(error.Item === undefined ? undefined : fromItem(error.Item));
      const met = metTransaction(error);
      const again = met || (!untilThrottled && isThrottled(error));
      if (!again || tried >= (met ? meetingTries : throttledTries)) throw error;
      await backOff(met ? Math.min(5 * 2 ** tried, meetingWaitMs) : 5 * 2 ** tried);
    }
  }
}

const throttled: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
]);

/** The partition takes no more at this moment; nothing was written. */
export function isThrottle(error: unknown): boolean {
  return error instanceof Error && throttled.has(error.name);
}

/** The same, as `answering` tells it. */
export function isThrottled(error: unknown): boolean {
  return error instanceof StoreUnavailable && isThrottle(error.cause);
}

/** A reading that a partition does not take at this moment is tried again. */
export async function patiently<T>(read: () => Promise<T>, backOff: BackOff = backOffAtRandom): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await answering(read);
    } catch (error) {
      if (!isThrottled(error) || tried >= throttledTries) throw error;
      await backOff(5 * 2 ** tried);
    }
  }
}

function metTransaction(error: unknown): boolean {
  return error instanceof StoreUnavailable && isNamed(error.cause, 'TransactionConflictException');
}
