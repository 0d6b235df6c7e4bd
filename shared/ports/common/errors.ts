/** The store could not answer in time: throttled, timed out or down. What it did may be unknown. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
  readonly code = 'store.unavailable';

  constructor(cause: unknown) {
    super('the database did not answer in time', { cause });
  }
}

/**
 * The data cannot be used as they are: another format, or a key is absent. The message is one sentence for the operator:
 * what was found, what is expected, what to do. It holds no secret.
 */
export class DataRefused extends Error {
  override readonly name = 'DataRefused';
  readonly code = 'data.refused';
}

/**
 * The store answered all the time, but others kept writing first, or one CONNECT's time ran out over it. A deployment that
 * admits while the store is down does not admit on this: whoever makes the contention would be let in by it.
 */
export class Contended extends StoreUnavailable {}
