import type { DeploymentId, Username } from '../../domain/ids.ts';
import type { Session } from '../../domain/session/record.ts';
import type { Ms } from '../../domain/time.ts';
import type { PutOutcome, Stored } from '../counter/sessions.ts';

declare const bookmark: unique symbol;

/** Where a walk goes on; it means something to the walk only. */
export type Bookmark = string & { readonly [bookmark]: true };

/** How far the reconciler has come. */
export interface Progress {
  /** Passes begun, this one included. */
  readonly pass: number;
  readonly startedAt: Ms;
  /** The pass is over; the next begins later. */
  readonly endedAt?: Ms;
  /** Absent at the beginning of a pass. */
  readonly after?: Bookmark;
  /** Pages read in this pass. */
  readonly pages: number;
  /** Pages of the pass before; absent in the first. */
  readonly pagesBefore?: number;
}

export interface WalkPage {
  /** Sessions as they stood a moment ago, tombstones too; those of one partition of a username lie one after another. */
  readonly sessions: readonly Session[];
  /** Usernames whose rosters lie on this page. */
  readonly rosters: readonly { readonly deploymentId: DeploymentId; readonly username: Username }[];
  /** Absent where the table ends. */
  readonly next?: Bookmark;
}

/**
 * The whole table, page by page, in no order that means anything. What is written during a pass may be met in it or
 * not; what stood there before and stays is met exactly once. Throws StoreUnavailable where the database does not
 * answer in time.
 */
export interface TableWalk {
  /** Reads about `limit` items, eventually consistent: a hint of where to look. */
  readPage(after: Bookmark | undefined, limit: number): Promise<WalkPage>;
  readProgress(): Promise<Stored<Progress> | undefined>;
  /** Only if nobody else has saved since: two walkers would tread on each other's heels. */
  saveProgress(progress: Progress, expected: Stored<Progress> | undefined): Promise<PutOutcome<Progress>>;
}
