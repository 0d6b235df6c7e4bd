import type { ClientId, DeploymentId, Names, Username } from '../../domain/ids.ts';

export type { Names } from '../../domain/ids.ts';

import type { Session } from '../../domain/session/record.ts';

/** A session as stored. `revision` changes with every write and never comes back. */
export interface Stored<T> {
  readonly value: T;
  readonly revision: string;
}

export type PutOutcome<T> =
  /** It stands there now. */
  | ({ readonly kind: 'done' } & Stored<T>)
  /** Somebody wrote first; `current` is what stands there now. */
  | { readonly kind: 'changed'; readonly current: Stored<T> | undefined };

/** Session records. Each method is one atomic step, throws StoreUnavailable where the database does not answer in time, and may be repeated. */
export interface Sessions {
  /** Consistent. */
  readSession(names: Names): Promise<Stored<Session> | undefined>;
  /**
   * Writes a session if what stands there is still `expected` (undefined: nothing). A freed one becomes a tombstone.
   * `value` is what was written: the form of its place may have changed, since the store decides how it counts one that
   * is confirmed. `uncounted`: it has been uncounted in the same atomic step, so it owes nothing.
   */
  putSession(
    session: Session,
    expected: Stored<Session> | undefined,
  ): Promise<PutOutcome<Session> & { readonly uncounted?: true }>;
  /** Removes the item of an attempt that was never counted, if it is still `expected`. */
  removeSession(names: Names, expected: Stored<Session>): Promise<'done' | 'changed'>;
  /**
   * All sessions of a username, tombstones too, consistent; page by page, `after` the last client id seen. In an order
   * that stays; by client id where all of them are one page.
   */
  listSessions(
    deploymentId: DeploymentId,
    username: Username,
    page: { readonly limit: number; readonly after?: ClientId },
  ): Promise<{ readonly items: readonly Stored<Session>[]; readonly more: boolean }>;
}
