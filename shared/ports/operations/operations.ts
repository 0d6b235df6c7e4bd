import type { AttemptId, ClientId, DeploymentId, OperationId, Place, TenantId, Username } from '../../domain/ids.ts';
import type { Ms } from '../../domain/time.ts';
import type { PutOutcome, Stored } from '../presence/sessions.ts';
import type { Change, Missing, Stale } from '../settings/settings.ts';

/** Why sessions are ended in the background. */
export type OperationCause =
  /** Somebody asked for it: the sessions that the username has when it begins. */
  | { readonly kind: 'kick'; readonly username: Username }
  | { readonly kind: 'credential_removed'; readonly username: Username }
  | { readonly kind: 'username_blocked'; readonly username: Username }
  | { readonly kind: 'deployment_suspended' }
  /** The sessions let in by a key that its deployment's issuer is not accepted by any more (S21). */
  | { readonly kind: 'token_issuer_changed' }
  /** Ends them all, and removes everything that the deployment is. */
  | { readonly kind: 'deployment_deleted' };

/** Each that there is. */
export const operationKinds = [
  'kick',
  'credential_removed',
  'username_blocked',
  'deployment_suspended',
  'token_issuer_changed',
  'deployment_deleted',
] as const satisfies readonly OperationCause['kind'][];

/** Where a pass over sessions is: after this client id of this username; usernames in an order that stays. */
export interface PassedBy {
  readonly username?: Username;
  /** `username` is done with. */
  readonly whole?: boolean;
  readonly clientId?: ClientId;
}

/** What is left to do: enough for another process to go on from. */
export type Work =
  | { readonly step: 'begin' }
  /** How many sessions a whole deployment has: usernames up to `after` are in `sessions`. */
  | { readonly step: 'count'; readonly after?: Username; readonly sessions: number }
  | {
      readonly step: 'kick';
      /** Sessions admitted up to then are to end; absent: those of the plan. */
      readonly until?: Ms;
      readonly passBegan: Ms;
      readonly passedBy: PassedBy;
      /** Sessions of this pass that live on and are to end. */
      readonly left: number;
      /** The pass before this one has left some. */
      readonly again?: true;
      /** The attempt that was kicked, of clients whose session could not be ended on the spot. */
      readonly kicked: Readonly<Record<string, AttemptId>>;
      /**
       * Tombstones: whether this pass reaches them at the broker, as the first or once more for those that were left; how
       * many the first pass has reached, and how many this pass has left. Only the first one counts them: to the next, the
       * sessions that it ended are tombstones too.
       */
      readonly tombstones: {
        readonly toReach: 'all' | 'again' | 'none';
        readonly reached: number;
        readonly left: number;
      };
    }
  | { readonly step: 'remove'; readonly from?: string; readonly found: number };

export interface Operation {
  readonly operationId: OperationId;
  readonly tenantId: TenantId;
  readonly deploymentId: DeploymentId;
  readonly cause: OperationCause;
  /** The subject of the token that asked for it. */
  readonly startedBy: string;
  readonly status: 'running' | 'done' | 'failed';
  /** The change that it follows is known to have been made. */
  readonly certain: boolean;
  readonly startedAt: Ms;
  readonly endedAt?: Ms;
  /** Sessions to end, as counted when it began; at the end as many as were ended. */
  readonly total?: number;
  /** Sessions ended, at least. */
  readonly finished: number;
  /** When something was last achieved. */
  readonly progressAt: Ms;
  /** A worker is at it until then. */
  readonly claimedUntil?: Ms;
  /** If it still runs then, nobody may be at it any more. */
  readonly lookAt: Ms;
  readonly work: Work;
}

/** Where a page of operations ended. */
export interface OperationPlace {
  readonly startedAt: Ms;
  readonly operationId: OperationId;
}

export interface OperationRef {
  readonly tenantId: TenantId;
  readonly operationId: OperationId;
}

/** Operations, kept for a week. Throws StoreUnavailable where the database does not answer; all may be repeated. */
export interface OperationStore {
  /** `changed` where there is one of this id. With a change it is recorded in the same atomic step (S18). */
  createOperation(operation: Operation, change?: Change): Promise<PutOutcome<Operation>>;
  /** Consistent. Another tenant's is not there. */
  readOperation(ref: OperationRef): Promise<Stored<Operation> | undefined>;
  /** Writes it if what stands there is still `expected`. */
  saveOperation(operation: Operation, expected: Stored<Operation>): Promise<PutOutcome<Operation>>;
  /** Takes one back that has nothing to do, if it is still `expected`. */
  dropOperation(expected: Stored<Operation>): Promise<void>;
  /** A tenant's, newest first, after `after`, at most `limit`. Eventually consistent. */
  listOperations(
    tenantId: TenantId,
    page: { readonly limit: number; readonly after?: OperationPlace },
  ): Promise<{ readonly items: readonly Operation[]; readonly next: OperationPlace | undefined }>;
  /** Running ones whose `lookAt` is `until` or before, earliest first; eventually consistent. */
  listOverdue(until: Ms, limit: number): Promise<readonly OperationRef[]>;
  /** How many of a tenant's are running; counts no further than `most`. Eventually consistent. */
  countRunning(tenantId: TenantId, most: number): Promise<number>;
  /** The places that an operation is to end. */
  putPlan(ref: OperationRef, places: ReadonlySet<Place>, keptUntil: Ms): Promise<void>;
  readPlan(ref: OperationRef): Promise<ReadonlySet<Place>>;
}

export type OperationMessage = OperationRef & {
  /** The change that the operation follows has been made. */
  readonly certain?: true;
};

/** Wakes a worker, at least once. Rejects where it may not. */
export interface OperationQueue {
  send(message: OperationMessage, options?: { readonly delaySeconds?: number }): Promise<void>;
}

/** A deployment as a heap of items. Throws StoreUnavailable; all may be repeated. */
export interface DeploymentItems {
  /**
   * Usernames that count sessions, in an order that stays, after `after`, at most `limit`. `used` holds what lanes have in
   * reserve too. Consistent.
   */
  listCounted(
    id: DeploymentId,
    page: { readonly limit: number; readonly after?: Username },
  ): Promise<readonly { readonly username: Username; readonly used: number }[]>;
  /**
   * From now on it is being deleted: CONNECTs are refused as unknown. Recorded in the same atomic step (S18); one that
   * is being deleted already stays as it is.
   */
  markDeleting(id: DeploymentId, change: Change): Promise<{ readonly kind: 'done' } | Missing | Stale>;
  /**
   * Removes some of what is stored under its id, all but the deployment itself; `next` is where to go on, undefined at
   * the end. Consistent, and never more than this deployment's, whatever the ids of others begin with.
   */
  removeSome(
    id: DeploymentId,
    from: string | undefined,
  ): Promise<{ readonly removed: number; readonly next: string | undefined }>;
  /** Removes the deployment itself, which is being deleted. */
  removeDeployment(id: DeploymentId, tenantId: TenantId): Promise<void>;
}
