import type { ClientId, DeploymentId, Username } from '../domain/ids.ts';
import type { Ms } from '../domain/time.ts';

export interface Rejection {
  readonly deploymentId: DeploymentId;
  readonly username: Username;
  readonly clientId: ClientId;
}

/** Takes note of rejections for quota (S5). Never waits, never throws, and is never on the way of an admission. */
export interface RejectionRecorder {
  record(rejection: Rejection): void;
}

export interface HourCount {
  /** The beginning of an hour, in UTC. */
  readonly hour: Ms;
  readonly count: number;
}

export interface RejectionSum extends Rejection {
  /** The same for every try to write this sum, and for no other sum. */
  readonly sumId: string;
  readonly count: number;
  /** `clientId` is the one rejected last, at this time. */
  readonly lastAt: Ms;
  /** `count` by the hours it fell into. */
  readonly hours: readonly HourCount[];
}

export interface RejectionStore {
  /**
   * Adds to what is recorded of a username, and of its deployment's hours, in one step. Tried again with the same
   * `sumId` within 10 min, it adds once. A sum that comes late never takes `lastAt` back. Throws StoreUnavailable; then
   * it may or may not have been added.
   */
  addRejections(sum: RejectionSum): Promise<void>;
}

export interface UsernameRejections {
  readonly username: Username;
  /** The client id that was rejected last. */
  readonly clientId: string;
  readonly count: number;
  readonly lastAt: Ms;
}

/** Where a page of recent rejections ended. */
export type RecentPlace = Pick<UsernameRejections, 'username' | 'lastAt'>;

/** Rejections as the API shows them. Throws StoreUnavailable where the database does not answer. */
export interface RejectionReader {
  /**
   * Usernames that were rejected, the one rejected last first, behind `after`. Their order may lag by a moment; what is
   * said of each is read from its own record.
   */
  listRecent(
    id: DeploymentId,
    page: { readonly limit: number; readonly after?: RecentPlace },
  ): Promise<{ readonly items: readonly UsernameRejections[]; readonly next: RecentPlace | undefined }>;
  /** Hours with rejections, newest first, from `until` back (it included); those that are kept no longer are left out. */
  listHours(
    id: DeploymentId,
    page: { readonly limit: number; readonly until: Ms; readonly from: Ms },
  ): Promise<readonly HourCount[]>;
}
