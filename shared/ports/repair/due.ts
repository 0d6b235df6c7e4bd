import type { ClientId, DeploymentId, Username } from '../../domain/ids.ts';
import type { Ms } from '../../domain/time.ts';
import type { Names } from '../presence/sessions.ts';

export type Wake =
  /** A pending attempt whose lease is over. */
  | { readonly kind: 'lease'; readonly names: Names; readonly at: Ms }
  /** A username some of whose sessions may have expired. */
  | { readonly kind: 'roster'; readonly deploymentId: DeploymentId; readonly username: Username; readonly at: Ms };

/** What has to be looked at, and when. */
export interface Due {
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
   * What the sweeper has to look at in one partition of the wake index, earliest first, due at `until` or before; `after`
   * the last one seen, which need not be there any more.
   */
  listWakes(partition: number, until: Ms, limit: number, after?: Wake): Promise<readonly Wake[]>;
  /** Makes the roster's wakeAt no later than `at`. Does nothing where there is no roster. */
  lowerWake(deploymentId: DeploymentId, username: Username, at: Ms): Promise<void>;
  /** Moves wakeAt from `from` to `to`, unless somebody changed it. */
  moveWake(deploymentId: DeploymentId, username: Username, from: Ms, to: Ms): Promise<void>;
}
