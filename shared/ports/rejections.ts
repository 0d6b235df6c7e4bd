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

export interface RejectionSum extends Rejection {
  readonly count: number;
  /** `clientId` is the one rejected last, at this time. */
  readonly lastAt: Ms;
}

export interface RejectionStore {
  /** Adds to what is recorded of a username. Throws StoreUnavailable; then it may or may not have been added. */
  addRejections(sum: RejectionSum): Promise<void>;
}
