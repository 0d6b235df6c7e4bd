import type { DeploymentId, Username } from '../../domain/ids.ts';
import type { Override, ShownLimit } from '../../domain/limit.ts';
import type { NoticeState } from '../../domain/notice.ts';
import type { Ms } from '../../domain/time.ts';

/** A username has crossed the threshold of its limit. */
export interface ThresholdNotice {
  readonly deploymentId: DeploymentId;
  readonly username: Username;
  /** What was counted when it was told. */
  readonly used: number;
  readonly limit: ShownLimit;
  readonly state: NoticeState;
  /** When the crossing was noticed: one that is told twice has the same, and of two the later one holds. */
  readonly at: Ms;
}

/** Whoever asked to be told. Throws where it cannot be known that it was taken. */
export interface Notices {
  tell(notice: ThresholdNotice): Promise<void>;
}

/** What is remembered of a username's notices. */
export interface Noticed {
  readonly state: NoticeState;
  /** Of the last crossing; undefined where there was none, or nothing of it is left. */
  readonly at: Ms | undefined;
  /** It may not have been told yet. */
  readonly untold: boolean;
  /** Changes with every write; undefined where nothing is remembered. */
  readonly revision: string | undefined;
}

/** Throws StoreUnavailable where the database does not answer; then it may or may not have written. */
export interface NoticeStore {
  /** Consistent. The override is the one of that generation of the limit. */
  readNoticed(
    deploymentId: DeploymentId,
    username: Username,
    generation: number | undefined,
  ): Promise<Noticed & { readonly override: Override | undefined }>;
  /** Remembers it if nobody has since `seen`, and answers it with its revision. A `clear` that was told leaves nothing. */
  putNoticed(
    deploymentId: DeploymentId,
    username: Username,
    next: Omit<Noticed, 'revision'>,
    seen: Noticed,
  ): Promise<Noticed | 'changed'>;
  /** Whether a username is on the whitelist of this id. */
  isWhitelisted(deploymentId: DeploymentId, listId: string, username: Username): Promise<boolean>;
}
