import type { ClientId, DeploymentId, Place, Username } from '../../domain/ids.ts';
import type { Override } from '../../domain/limit.ts';
import type { Session } from '../../domain/session/record.ts';
import type { Ms } from '../../domain/time.ts';

/** A session as stored. `revision` changes with every write and never comes back. */
export interface Stored<T> {
  readonly value: T;
  readonly revision: string;
}

/**
 * A username's count. While it is narrow it is the set of the places counted. When it is wide, most of them lie in lanes,
 * and sessions that are folded are a number only: `places` is then no more than what the roster item itself holds.
 */
export interface Roster {
  /** Sessions counted; 0 where the username has no roster. */
  readonly used: number;
  readonly places: ReadonlySet<Place>;
  /** No session of the username expires before; undefined where there is no roster. */
  readonly wakeAt?: Ms;
  readonly wide?: true;
  /** Lanes of it may hold something in reserve. */
  readonly open?: true;
}

/** One item of a wide roster, as it stood at one moment. */
export interface RosterPart {
  /** 0: the roster item itself. */
  readonly lane: number;
  readonly places: ReadonlySet<Place>;
  /** Sessions that are counted here and have no place here: folded ones. */
  readonly folded: number;
  /** Changes whenever `folded` does. */
  readonly turn: number;
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
  /** `used` may be too high where lanes of a wide roster hold something in reserve. */
  readonly roster: Roster;
  /** The roster was read consistently. */
  readonly rosterIsExact: boolean;
  readonly whitelisted: boolean;
  readonly override: Override | undefined;
}

/** What of the deployment's settings has to be looked for under the username. */
export interface LookFor {
  /** The list that may name it; undefined where none does. */
  readonly whitelistId: string | undefined;
  /** The generation that its override has to be of; undefined where no username has any. */
  readonly overridesOf: number | undefined;
  /** What most usernames of the deployment may hold; Infinity where nothing is enforced. */
  readonly limit: number;
}

export interface Names {
  readonly deploymentId: DeploymentId;
  readonly username: Username;
  readonly clientId: ClientId;
}

export type PutOutcome<T> =
  /** It stands there now. */
  | ({ readonly kind: 'done' } & Stored<T>)
  /** Somebody wrote first; `current` is what stands there now. */
  | { readonly kind: 'changed'; readonly current: Stored<T> | undefined };

export type AddOutcome =
  /** The place is in the roster now and was not before. */
  | { readonly kind: 'added'; readonly used: number }
  /** The place was there already; nothing changed. */
  | { readonly kind: 'present' }
  /**
   * The place has to be another one, since the roster has become wide, or there is room in another lane only: in `lane`
   * where that is told. Nothing changed. `roster` is consistent.
   */
  | { readonly kind: 'wide'; readonly roster: Roster; readonly lane?: number }
  /** `max` sessions are counted, or more; nothing changed. `roster` is consistent. */
  | { readonly kind: 'full'; readonly roster: Roster }
  /** Others hold the roster against another limit, and nothing changed: whoever asked may be behind. */
  | { readonly kind: 'differs' };

export interface HowToAdd {
  /**
   * A narrow place is taken by a wide roster too. Otherwise it is refused: thousands that come while it becomes wide would
   * make the roster item large for good.
   */
  readonly forced?: true;
  /** When a roster that becomes wide wakes at the latest; without it none does. */
  readonly wakeBy?: Ms;
  /**
   * Tells that a wide roster was last held against another limit than `max`. Otherwise it is held against `max` from now
   * on, and every reserve that was given by the other limit is taken back.
   */
  readonly tellsDiffering?: boolean;
}

export interface Removed {
  /** How many of the places were counted. */
  readonly removed: number;
  /** Nothing else was counted, and the roster has gone with them. */
  readonly gone: boolean;
}

/**
 * Sessions, client id owners and rosters. Each method changes at most one thing, atomically: most are one request to the
 * database; those that touch a wide roster may be more, and each of these leaves what is counted as it is. Every method
 * throws StoreUnavailable where the database does not answer in time, and then may or may not have written: all of them
 * may be repeated, and do no more the second time than the first.
 */
export interface SessionStore {
  /**
   * What a CONNECT needs in one batch, eventually consistent, so that it is a hint and every write checks it. The roster
   * may be read apart, and consistently, where the deployment has a whitelist and overrides.
   */
  readForConnect(names: Names, lookFor: LookFor): Promise<ConnectView>;
  /** Consistent. */
  readSession(names: Names): Promise<Stored<Session> | undefined>;
  /** Consistent. */
  readOwner(deploymentId: DeploymentId, clientId: ClientId): Promise<Stored<Owner> | undefined>;
  /** Consistent; of a wide roster whose lanes are written at the same moment, as nearly as several readings can be. */
  readRoster(deploymentId: DeploymentId, username: Username): Promise<Roster>;
  /** Consistent, and one request: `used` may be too high where lanes hold something in reserve. */
  peekRoster(deploymentId: DeploymentId, username: Username): Promise<Roster>;
  /** All of a wide roster; undefined where it is narrow, or there is none. Each part is consistent by itself. */
  readParts(deploymentId: DeploymentId, username: Username): Promise<readonly RosterPart[] | undefined>;
  /** Whether a session that is not freed, or the place of one that is, is counted. Consistent. */
  holds(session: Session): Promise<boolean>;

  /**
   * Writes a session if what stands there is still `expected` (undefined: nothing). A freed one becomes a tombstone.
   * `value` is what was written: one that is confirmed, in a username with very many, may be counted by a number from now
   * on (`folded`). `uncounted`: it was, and has been uncounted in the same atomic step, so it owes nothing.
   */
  putSession(
    session: Session,
    expected: Stored<Session> | undefined,
  ): Promise<PutOutcome<Session> & { readonly uncounted?: true }>;
  /** Removes the item of an attempt that was never counted, if it is still `expected`. */
  removeSession(names: Names, expected: Stored<Session>): Promise<'done' | 'changed'>;
  putOwner(
    deploymentId: DeploymentId,
    clientId: ClientId,
    owner: Owner,
    expected: Stored<Owner> | undefined,
  ): Promise<PutOutcome<Owner>>;

  /** Where a new session is to be counted: `place` itself, or in a lane (`lane`) if the roster is wide. Asks nobody. */
  placeFor(names: Names, place: Place, roster: Roster, max: number, lane?: number): Place;
  /**
   * Counts a place: the one atomic step that decides (S4). `max` Infinity: whatever is used. `dueAt`: when the session
   * of this place expires at the earliest.
   */
  addPlace(
    deploymentId: DeploymentId,
    username: Username,
    place: Place,
    max: number,
    dueAt: Ms,
    how?: HowToAdd,
  ): Promise<AddOutcome>;
  /** Uncounts a place. `absent`: it was not counted. `last` is a guess that it is the only one, which saves a write. */
  removePlace(
    deploymentId: DeploymentId,
    username: Username,
    place: Place,
    last: boolean,
  ): Promise<'removed' | 'absent'>;
  /**
   * Uncounts many places. The one method that may be several requests; each is atomic and leaves a roster that is right for
   * what it has taken out. `last` is a guess that no others are counted.
   */
  removePlaces(
    deploymentId: DeploymentId,
    username: Username,
    places: readonly Place[],
    last: boolean,
  ): Promise<Removed>;
  /**
   * A folded session's place leaves its lane; what is counted stays as it is. Safe to repeat. Without `atOnce` it may wait
   * for others of its lane, for as long as the process lives.
   */
  dropPlace(
    deploymentId: DeploymentId,
    username: Username,
    place: Place,
    how: { readonly atOnce: boolean },
  ): Promise<void>;
  /** Corrects the number of folded sessions of a part by `by`, if it is still what was read. */
  correctFolded(deploymentId: DeploymentId, username: Username, part: RosterPart, by: number): Promise<void>;
  /** Gives back what lanes hold in reserve. Does nothing where the roster is narrow. */
  gatherReserve(deploymentId: DeploymentId, username: Username): Promise<void>;
  /** Removes a roster that counts nothing. */
  removeEmptyRoster(deploymentId: DeploymentId, username: Username): Promise<void>;
  /** Makes the roster's wakeAt no later than `at`. Does nothing where there is no roster. */
  lowerWake(deploymentId: DeploymentId, username: Username, at: Ms): Promise<void>;
  /** Moves wakeAt from `from` to `to`, unless somebody changed it. */
  moveWake(deploymentId: DeploymentId, username: Username, from: Ms, to: Ms): Promise<void>;

  /**
   * Client ids of a username's sessions whose dueAt is `until` or before, at most `limit`, earliest first. `wide`: where
   * its sessions may be in lanes.
   */
  listDue(
    deploymentId: DeploymentId,
    username: Username,
    until: Ms,
    limit: number,
    wide?: boolean,
  ): Promise<readonly ClientId[]>;
  /** The earliest dueAt of a username's sessions, undefined if it has none. */
  nextDue(deploymentId: DeploymentId, username: Username, wide?: boolean): Promise<Ms | undefined>;
  /**
   * All sessions of a username, tombstones too, consistent; page by page, `after` the last client id seen. In an order
   * that stays; by client id where all of them are one page.
   */
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
