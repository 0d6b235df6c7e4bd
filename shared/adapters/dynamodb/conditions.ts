// A failed condition is an answer, not an error: it says what stood in the way.

import { ConditionalCheckFailedException, TransactionConflictException } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { StoreUnavailable } from '../../ports/errors.ts';
import { type BackOff, backOffAtRandom } from './back-off.ts';
import { answering } from './client.ts';

export class Refused {
  /** The item that refused, if the request asked for it and there is one. */
  readonly item: Record<string, unknown> | undefined;

  constructor(item: Record<string, unknown> | undefined) {
    this.item = item;
  }
}

const meetingTries = 8;

/**
 * Sends a conditional write. One that meets a transaction on its item has written nothing, and is tried again. Throws
 * StoreUnavailable where the database does not answer.
 */
export async function refusable<T>(write: () => Promise<T>, backOff: BackOff = backOffAtRandom): Promise<T | Refused> {
  for (let tried = 1; ; tried++) {
    try {
      return await answering(write);
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException)
        return new Refused(error.Item === undefined ? undefined : unmarshall(error.Item));
      if (!metTransaction(error) || tried >= meetingTries) throw error;
      // Short: a transaction is over within milliseconds.
      await backOff(5 * 2 ** tried);
    }
  }
}

function metTransaction(error: unknown): boolean {
  return error instanceof StoreUnavailable && error.cause instanceof TransactionConflictException;
}
