import type { DeploymentId, Place, Username } from '../../domain/ids.ts';

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

/** What a recount and the sweeper put right in a count that lies in several items. */
export interface CountRepair {
  /** All of a wide roster; undefined where it is narrow, or there is none. Each part is consistent by itself. */
  readParts(deploymentId: DeploymentId, username: Username): Promise<readonly RosterPart[] | undefined>;
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
}
