import type { DeploymentId, Username } from '../../domain/ids.ts';
import type { Seconds } from '../../domain/time.ts';

/** Where a username stands in the order by used. */
export interface Rank {
  /** What was counted when it was refreshed last; 0: it is not in the order. */
  readonly used: number;
  /** Changes with every write; undefined where it was never ranked. */
  readonly revision: string | undefined;
  /** Its item holds more of the username than rank and rejections: an override, or what was told of its threshold. */
  readonly holdsMore?: true;
}

/** Throws StoreUnavailable where the database does not answer; then it may or may not have written. */
export interface RankStore {
  /** Consistent. */
  readRank(deploymentId: DeploymentId, username: Username): Promise<Rank>;
  /** Sets the rank if nobody has since `seen`. `used` 0 takes the username out of the order. */
  putRank(deploymentId: DeploymentId, username: Username, used: number, seen: Rank): Promise<'done' | 'changed'>;
}

/**
 * Whoever changes a count, or meets one that its rank does not agree with, asks for a refresh. It comes after every
 * change that was asked for before it, at most once in some seconds for a username. Never throws: an ask that is lost
 * leaves a username out of order until it is asked for again.
 */
export interface RankRequests {
  ask(deploymentId: DeploymentId, username: Username): Promise<void>;
}

/** What an ask becomes on its way. */
export interface RankRefresh {
  readonly type: 'rank.refresh';
  readonly deploymentId: DeploymentId;
  readonly username: Username;
}

/** Delivers at least once, not before the delay is over. Throws where it cannot tell that it will. */
export interface RankMessages {
  send(message: RankRefresh, delaySeconds: Seconds): Promise<void>;
}
