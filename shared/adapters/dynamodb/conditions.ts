// A failed condition is an answer, not an error: it says what stood in the way.

import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { answering } from './client.ts';

export class Refused {
  /** The item that refused, if the request asked for it and there is one. */
  readonly item: Record<string, unknown> | undefined;

  constructor(item: Record<string, unknown> | undefined) {
    this.item = item;
  }
}

/** Sends a conditional write. Throws StoreUnavailable where the database does not answer. */
export async function refusable<T>(write: () => Promise<T>): Promise<T | Refused> {
  try {
    return await answering(write);
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    return new Refused(error.Item === undefined ? undefined : unmarshall(error.Item));
  }
}
