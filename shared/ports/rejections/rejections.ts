import type { DeploymentId, Username } from '../../domain/ids.ts';
import type { Proven, RecordedReason, Refusal } from '../../domain/refusal.ts';
import type { Ms } from '../../domain/time.ts';

/** Takes note of refusals after valid credentials (S5). Never waits, never throws, and is never on the way of an admission. */
export interface RejectionRecorder {
  record(refusal: Refusal): void;
}

/** One refusal of a username. */
export interface RejectionEntry {
  readonly at: Ms;
  /** As the client sent it. */
  readonly clientId: string;
  readonly reason: RecordedReason;
}

/** Entries that are kept of a username. */
export const rejectionsKept = 20;

/** The refusals of a username for one reason. */
export interface ReasonSum {
  readonly reason: RecordedReason;
  readonly count: number;
  /** `clientId` is the one rejected last, at this time. */
  readonly lastAt: Ms;
  readonly clientId: string;
}

export interface HourCount {
  /** The beginning of an hour, in UTC. */
  readonly hour: Ms;
  readonly count: number;
}

export interface RejectionSum extends Proven {
  /** The same for every try to write this sum, and for no other sum. */
  readonly sumId: string;
  /** At least one, and each reason once. */
  readonly reasons: readonly ReasonSum[];
  /** Those for quota by the hours they fell into. */
  readonly hours: readonly HourCount[];
  /** The newest of them, oldest first, at most `rejectionsKept`. */
  readonly last: readonly RejectionEntry[];
}

export interface RejectionStore {
  /**
   * Adds to what is recorded of a username, of each reason, and keeps the newest entries; those for quota also count in
   * what usage shows of the username, and in its deployment's hours.
   * Tried again with the same `sumId` within 10 min, it adds once. A sum that comes late takes neither `lastAt` back nor
   * a newer entry away. Throws StoreUnavailable; then any part of it may or may not have been added.
   */
  addRejections(sum: RejectionSum): Promise<void>;
}

export interface UsernameRejections extends ReasonSum {
  readonly username: Username;
}

/** Where a page of recent rejections ended. */
export type RecentPlace = Pick<UsernameRejections, 'username' | 'reason' | 'lastAt'>;

export interface RecentFilter {
  readonly reason?: RecordedReason;
  readonly username?: Username;
  /** Rejected last at this time or later. */
  readonly from?: Ms;
  /** Rejected last before this time. */
  readonly to?: Ms;
}

/** Rejections as the API shows them. Throws StoreUnavailable where the database does not answer. */
export interface RejectionReader {
  /**
   * Records of usernames that were rejected, one of each reason, the one rejected last first, behind `after`. Their order
   * may lag by a moment; what is said of each is read from its own record. With `reason` a page may be shorter than asked
   * for: `next` alone says whether others follow.
   */
  listRecent(
    id: DeploymentId,
    page: RecentFilter & { readonly limit: number; readonly after?: RecentPlace },
  ): Promise<{ readonly items: readonly UsernameRejections[]; readonly next: RecentPlace | undefined }>;
  /** The last `rejectionsKept` of a username, newest first. */
  listLast(id: DeploymentId, username: Username): Promise<readonly RejectionEntry[]>;
  /** Hours with rejections, newest first, from `until` back (it included); those that are kept no longer are left out. */
  listHours(
    id: DeploymentId,
    page: { readonly limit: number; readonly until: Ms; readonly from: Ms },
  ): Promise<readonly HourCount[]>;
}
