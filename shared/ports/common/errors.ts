/**
 * `silent`: throttled, timed out or down. `contended`: the database answered all the time, but others kept writing first,
 * or one CONNECT's time ran out over it.
 */
export type Unavailability = 'silent' | 'contended';

/** Nothing could be decided in time. What a request did whose answer did not come is unknown. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
  readonly code = 'store.unavailable';
  readonly why: Unavailability;

  constructor(cause: unknown, why: Unavailability = 'silent') {
    super(why === 'silent' ? 'the database did not answer in time' : 'others came first, or it took too long', {
      cause,
    });
    this.why = why;
  }
}

export function contended(what: string): StoreUnavailable {
  return new StoreUnavailable(new Error(what), 'contended');
}

/**
 * The data cannot be used as they are: another format, or a key is absent. The message is one sentence for the operator:
 * what was found, what is expected, what to do. It holds no secret.
 */
export class DataRefused extends Error {
  override readonly name = 'DataRefused';
  readonly code = 'data.refused';
}
