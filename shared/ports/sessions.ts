import type { ClientId, DeploymentId, Place, Username } from '../domain/ids.ts';
import type { Override } from '../domain/limit.ts';
import type { Session } from '../domain/session.ts';
import type { Ms } from '../domain/time.ts';

/** A session as stored. `revision` changes with every write and never comes back. */
export interface Stored<T> {
  readonly value: T;
  readonly revision: string;
}

/** A username's count: the set of the places counted. */
export interface Roster {
  /** Places counted; 0 where the username has no roster. */
  readonly used: number;
  readonly places: ReadonlySet<Place>;
  /** No session of the username expires before; undefined where there is no roster. */
  readonly wakeAt?: Ms;
}

/** Which username holds a client id, or held it last. */
export interface Owner {
  readonly username: Username;
  /** It is remembered at least until then. */
  readonly keptUntil: Ms;
}

export interface ConnectView {
  readonly session: Stored<Session> | undefined;
  readonly owner: Stored<Owner> | undefined;
  readonly roster: Roster;
  readonly whitelisted: boolean;
  readonly override: Override | undefined;
}

export interface Names {
  readonly deploymentId: DeploymentId;
  readonly username: Username;
  readonly clientId: ClientId;
}

export type PutOutcome<T> =
  | { readonly kind: 'done'; readonly revision: string }
  /** Somebody wrote first; `current` is what stands there now. */
  | { readonly kind: 'changed'; readonly current: Stored<T> | undefined };

export type AddOutcome =
  /** The place is in the roster now and was not before. */
  | { readonly kind: 'added'; readonly used: number }
  /** The place was there already; nothing changed. */
  | { readonly kind: 'present' }
  /** The roster holds `max` places or more; nothing changed. `roster` is consistent. */
  | { readonly kind: 'full'; readonly roster: Roster };

/**
 * Sessions, client id owners and rosters. Each method is one request to the database, atomic by itself; nothing spans
 * two of them. Every method throws StoreUnavailable where the database does not answer in time, and then may or may
 * not have written: all of them may be repeated, and do no more the second time than the first.
 */
export interface SessionStore {
  /**
   * What a CONNECT needs: the roster consistently, and beside it the rest in one batch, eventually consistent, so that it
   * is a hint and every write checks it.
   */
  readForConnect(
    names: Names,
    settings: { readonly whitelistId: string | undefined; readonly generation: number },
  ): Promise<ConnectView>;
  /** Consistent. */
  readSession(names: Names): Promise<Stored<Session> | undefined>;
  /** Consistent. */
  readOwner(deploymentId: DeploymentId, clientId: ClientId): Promise<Stored<Owner> | undefined>;
  /** Consistent. */
  readRoster(deploymentId: DeploymentId, username: Username): Promise<Roster>;

  /** Writes a session if what stands there is still `expected` (undefined: nothing). A freed one becomes a tombstone. */
  putSession(session: Session, expected: Stored<Session> | undefined): Promise<PutOutcome<Session>>;
  /** Removes the item of an attempt that was never counted, if it is still `expected`. */
  removeSession(names: Names, expected: Stored<Session>): Promise<'done' | 'changed'>;
  putOwner(
    deploymentId: DeploymentId,
    clientId: ClientId,
    owner: Owner,
    expected: Stored<Owner> | undefined,
  ): Promise<PutOutcome<Owner>>;

  /**
   * Counts a place: the one atomic step that decides (S4). `max` Infinity: whatever is used. `dueAt`: when the session
   * of this place expires at the earliest.
   */
  addPlace(deploymentId: DeploymentId, username: Username, place: Place, max: number, dueAt: Ms): Promise<AddOutcome>;
  /** Uncounts a place. `absent`: it was not counted. `last` is a guess that it is the only one, which saves a write. */
  removePlace(
    deploymentId: DeploymentId,
    username: Username,
    place: Place,
    last: boolean,
  ): Promise<'removed' | 'absent'>;
  /**
   * Uncounts many places, and answers how many of them were counted. The one method that may be several requests; each is
   * atomic and leaves a roster that is right for what it has taken out. `last` is a guess that no others are counted.
   */
  removePlaces(
    deploymentId: DeploymentId,
    username: Username,
    places: readonly Place[],
    last: boolean,
  ): Promise<number>;
  /** Removes a roster that counts nothing. */
  removeEmptyRoster(deploymentId: DeploymentId, username: Username): Promise<void>;
  /** Makes the roster's wakeAt no later than `at`. Does nothing where there is no roster. */
  lowerWake(deploymentId: DeploymentId, username: Username, at: Ms): Promise<void>;
  /** Moves wakeAt from `from` to `to`, unless somebody changed it. */
  moveWake(deploymentId: DeploymentId, username: Username, from: Ms, to: Ms): Promise<void>;

  /** Client ids of a username's sessions whose dueAt is `until` or before, at most `limit`, earliest first. */
  listDue(deploymentId: DeploymentId, username: Username, until: Ms, limit: number): Promise<readonly ClientId[]>;
  /** The earliest dueAt of a username's sessions, undefined if it has none. */
  nextDue(deploymentId: DeploymentId, username: Username): Promise<Ms | undefined>;
  /** All sessions of a username, tombstones too, consistent; page by page, `after` the last client id seen. */
  listSessions(
    deploymentId: DeploymentId,
    username: Username,
    page: { readonly limit: number; readonly after?: ClientId },
  ): Promise<{ readonly items: readonly Stored<Session>[]; readonly more: boolean }>;
  /**
   * What the sweeper has to look at in one partition of the wake index, earliest first, due at `until` or before; `after`
   * the last one seen, which need not be there any more.
   */
  listWakes(partition: number, until: Ms, limit: number, after?: Wake): Promise<readonly Wake[]>;
}

export type Wake =
  /** A pending attempt whose lease is over. */
  | { readonly kind: 'lease'; readonly names: Names; readonly at: Ms }
  /** A username some of whose sessions may have expired. */
  | { readonly kind: 'roster'; readonly deploymentId: DeploymentId; readonly username: Username; readonly at: Ms };
