import type { DeploymentId, Place, Username } from '../../domain/ids.ts';
import type { Ms } from '../../domain/time.ts';

/** All that is counted of a username, as it stood when it was read; each item of it is consistent by itself. */
export interface Tally {
  /** Sessions counted; 0 where the username has no roster. */
  readonly used: number;
  /** No session of the username expires before; undefined where there is no roster. */
  readonly wakeAt: Ms | undefined;
  /** Whether the session of this place is counted. Whoever asks says that a session has the place. */
  claim(place: Place): boolean;
  /** Places that are counted and that nobody has claimed. */
  unclaimed(): readonly Place[];
  /**
   * Puts right what is counted without places, by what has been claimed: every live session of the username, read after
   * the tally. Changes nothing where that has moved since. Answers by how many it was wrong.
   */
  correct(): Promise<number>;
}

/** What a recount and the sweeper put right. */
export interface CountRepair {
  readTally(deploymentId: DeploymentId, username: Username): Promise<Tally>;
  /** Gives back what is set aside for newcomers, so that one item says what is counted. */
  gatherReserve(deploymentId: DeploymentId, username: Username): Promise<void>;
  /** Removes a roster that counts nothing. */
  removeEmptyRoster(deploymentId: DeploymentId, username: Username): Promise<void>;
}
