/** The store could not answer in time: throttled, timed out or down. What it did may be unknown. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
  readonly code = 'store.unavailable';

  constructor(cause: unknown) {
    super('the database did not answer in time', { cause });
  }
}
