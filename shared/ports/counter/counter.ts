import type { DeploymentId, Place, Username } from '../../domain/ids.ts';
import type { Session } from '../../domain/session/record.ts';
import type { Ms } from '../../domain/time.ts';
import type { Names } from '../presence/sessions.ts';

/**
 * A username's count. While it is narrow it is the set of the places counted. When it is wide, most sessions are counted
 * elsewhere: `places` is then no more than what the roster item itself holds.
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
  | { readonly kind: 'differs' }
  /** By `recheck`; nothing changed. */
  | { readonly kind: 'outdated' };

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
  /**
   * Reads the record: false where it does not name this very place any more. A place in a wide roster is then counted only
   * if no session has come to be counted by a number, and left the places, between this reading and the count. A caller
   * needs it if another process may count the same place.
   */
  readonly recheck?: () => Promise<boolean>;
}

export interface Removed {
  /** How many of the places were counted. */
  readonly removed: number;
  /** Nothing else was counted, and the roster has gone with them. */
  readonly gone: boolean;
}

/** How many sessions a username has, and the one step that decides (S4). Only `shared/app/counter` moves it. */
export interface Counter {
  /** Consistent; of a wide roster whose lanes are written at the same moment, as nearly as several readings can be. */
  readRoster(deploymentId: DeploymentId, username: Username): Promise<Roster>;
  /** Consistent, and one request: `used` may be too high where lanes hold something in reserve. */
  peekRoster(deploymentId: DeploymentId, username: Username): Promise<Roster>;
  /** Whether a session that is not freed, or the place of one that is, is counted. Consistent. */
  holds(session: Session): Promise<boolean>;
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
  /**
   * Uncounts a place. `absent`: it was not counted. `last` is a guess that it is the only one, which saves a write. Without
   * it the store goes by what it saw of the username last, and reads where it has seen nothing.
   */
  removePlace(
    deploymentId: DeploymentId,
    username: Username,
    place: Place,
    last?: boolean,
  ): Promise<'removed' | 'absent'>;
  /**
   * Uncounts many places. It may be several requests; each is atomic and leaves a roster that is right for
   * what it has taken out. `last` is a guess that no others are counted.
   */
  removePlaces(
    deploymentId: DeploymentId,
    username: Username,
    places: readonly Place[],
    last: boolean,
  ): Promise<Removed>;
}
