import type { ClientId, DeploymentId, TenantId, Username } from '../../domain/ids.ts';
import type { Override, SessionLimit } from '../../domain/limit.ts';
import type { deploymentSettings, Values } from '../../domain/settings.ts';
import type { Ms } from '../../domain/time.ts';
import type { TokenIssuer } from '../credentials/token-issuer.ts';

/** How it behaves, as its tenant chooses. */
export type DeploymentSettings = Values<typeof deploymentSettings>;

export interface Deployment extends DeploymentSettings {
  readonly deploymentId: DeploymentId;
  readonly tenantId: TenantId;
  readonly name: string;
  /** The TLS server name that it has set, in lower case; undefined where none. Its id stands for it besides (S25). */
  readonly mqttHost: string | undefined;
  readonly status: 'active' | 'suspended' | 'deleting';
  readonly createdAt: Ms;
}

/** A deployment with the version that its own changes count, from 1. */
export interface StoredDeployment extends Deployment {
  readonly version: number;
}

/** What a caller may change of a deployment; what is not named stays. */
export type DeploymentChange = {
  readonly [K in 'name' | 'mqttHost' | keyof DeploymentSettings]?: Deployment[K];
} & { readonly status?: 'active' | 'suspended' };

/** What the connect path needs of a deployment's settings; may be up to 5 s old (S1). */
export interface ConnectSettings {
  readonly deployment: Deployment;
  /** Undefined: never configured, or deleted. */
  readonly limit:
    | (SessionLimit & {
        /** The list whose entries hold; undefined where the whitelist is empty. */
        readonly whitelistId: string | undefined;
        /** Grows when the limit is deleted. An override of an older generation is void. */
        readonly generation: number;
        /** False: no username has a limit of its own, so none need be looked for. */
        readonly mayHaveOverrides: boolean;
      })
    | undefined;
  /** Absent where the deployment takes no signed tokens. */
  readonly tokenIssuer?: TokenIssuer;
}

/** A session limit as the API shows it. */
export interface StoredSessionLimit extends SessionLimit {
  /** In order of username. */
  readonly whitelist: readonly Username[];
  /** Grows with every change, across delete and re-create. */
  readonly version: number;
  readonly updatedAt: Ms;
}

/** An override with the version that its own changes count; versions grow across delete and re-create. */
export interface StoredOverride {
  readonly username: Username;
  readonly override: Override;
  readonly version: number;
}

export interface Change {
  /** Who: the person, or the name of the token. */
  readonly actor: string;
  /** Whose audit shows it; undefined: that of the deployment only. */
  readonly tenantId?: TenantId;
  readonly at: Ms;
  /** The version the caller saw; undefined: any. A PUT that must be the first passes `'none'`. */
  readonly expectedVersion?: number | 'none';
}

/** What a caller looked for and did not find. */
export type Missing = {
  readonly kind: 'missing';
  readonly what: 'deployment' | 'session_limit' | 'override';
};

/** The version now; undefined where there is nothing now. */
export type Stale = { readonly kind: 'stale'; readonly version: number | undefined };

export type WriteOutcome<T> = { readonly kind: 'done'; readonly value: T; readonly created: boolean } | Missing | Stale;

/** One change of settings as it was recorded (S18). */
export interface AuditRecord {
  /** Its place in the list; records of a deployment are in order of it. */
  readonly key: string;
  readonly deploymentId: DeploymentId;
  readonly at: Ms;
  readonly actor: string;
  readonly action: string;
  /** The username or client id concerned. */
  readonly subject?: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** What a caller names a request by, so that sending it again makes nothing again; unique in its tenant. */
export type IdempotencyKey = string & { readonly __brand: 'IdempotencyKey' };

/** The deployment that a key made, and the name that it was asked for under. */
export interface MadeByKey {
  readonly deploymentId: DeploymentId;
  readonly name: string;
}

/** Where a page of a tenant's audit ended. */
export type AuditPlace = Pick<AuditRecord, 'at' | 'deploymentId' | 'key'>;

export type DeploymentOutcome =
  | { readonly kind: 'done'; readonly before: StoredDeployment; readonly after: StoredDeployment }
  | Missing
  | Stale
  /** Another deployment has the server name, or its label is another deployment's id. */
  | { readonly kind: 'host_taken' }
  /** It is being deleted, and changes no more. */
  | { readonly kind: 'deleting' };

/**
 * Settings are three small ports. Every change of a deployment, a session limit or an override writes its audit record in
 * the same atomic step (S18); a write that would change nothing writes nothing. What the API reads is read consistently.
 * Each method throws StoreUnavailable where the database does not answer.
 */
export interface DeploymentStore {
  /**
   * `change` where somebody asked for it: then it is recorded. A server name belongs to one deployment, and its first
   * label is never the id of another. With a key, the key is taken in the same atomic step: `key_taken` where it has made
   * another deployment than `instead` within idempotencySeconds.
   */
  createDeployment(
    deployment: Deployment,
    change?: Change,
    byKey?: { readonly key: IdempotencyKey; readonly instead: DeploymentId | undefined },
  ): Promise<'created' | 'exists' | 'host_taken' | 'key_taken'>;
  /** What a tenant's key has made within idempotencySeconds before `now`. Consistent. */
  getMadeByKey(tenantId: TenantId, key: IdempotencyKey, now: Ms): Promise<MadeByKey | undefined>;
  getDeployment(id: DeploymentId): Promise<StoredDeployment | undefined>;
  changeDeployment(id: DeploymentId, changes: DeploymentChange, change: Change): Promise<DeploymentOutcome>;
  /** A tenant's deployments in order of their id, after `after`, at most `limit` (and at most 100). */
  listDeployments(
    tenantId: TenantId,
    page: { readonly limit: number; readonly after?: DeploymentId },
  ): Promise<readonly Deployment[]>;
  /** How many deployments a tenant owns, those being deleted included; counts no further than `most`. Consistent. */
  countDeployments(tenantId: TenantId, most: number): Promise<number>;
  /** The deployment that has set a TLS server name; eventually consistent. */
  getDeploymentOfHost(host: string): Promise<DeploymentId | undefined>;
  /** For the connect path: deployment and limit in one read, eventually consistent. */
  getConnectSettings(id: DeploymentId): Promise<ConnectSettings | undefined>;
}

/** Session limits of deployments, with their whitelists and overrides. */
export interface LimitStore {
  /** Undefined where none is configured. */
  getSessionLimit(id: DeploymentId): Promise<StoredSessionLimit | undefined>;
  /**
   * Replaces the whole: entries of the new whitelist are written first, one pointer switches to them. `created` where
   * none was configured before. A duplicate in the whitelist is merged.
   */
  putSessionLimit(
    id: DeploymentId,
    limit: SessionLimit & { readonly whitelist: readonly Username[] },
    change: Change,
  ): Promise<WriteOutcome<StoredSessionLimit>>;
  /** Removes settings, whitelist and overrides for good, all of them in one step. */
  deleteSessionLimit(id: DeploymentId, change: Change): Promise<WriteOutcome<undefined>>;
  getOverride(
    id: DeploymentId,
    username: Username,
  ): Promise<{ readonly kind: 'found'; readonly value: StoredOverride } | Missing>;
  /** `full` where usernamesPerListMax usernames have one already. */
  putOverride(
    id: DeploymentId,
    username: Username,
    override: Override,
    change: Change,
  ): Promise<WriteOutcome<StoredOverride> | { readonly kind: 'full' }>;
  deleteOverride(id: DeploymentId, username: Username, change: Change): Promise<WriteOutcome<undefined>>;
  /** In order of username, after `after`, at most `limit`. Undefined where no session limit is configured. */
  listOverrides(
    id: DeploymentId,
    page: { readonly limit: number; readonly after?: Username },
  ): Promise<readonly StoredOverride[] | undefined>;
}

/** What was changed, and by whom. */
export interface AuditStore {
  /** Newest first, after the record `after`, at most `limit`; fewer where records are large. `next`: more may follow. */
  listAudit(
    id: DeploymentId,
    page: { readonly limit: number; readonly after?: string },
  ): Promise<{ readonly items: readonly AuditRecord[]; readonly next: string | undefined }>;
  /** A tenant's, over all its deployments, those deleted too; newest first, eventually consistent. Otherwise as above. */
  listTenantAudit(
    tenantId: TenantId,
    page: { readonly limit: number; readonly after?: AuditPlace },
  ): Promise<{ readonly items: readonly AuditRecord[]; readonly next: AuditPlace | undefined }>;
  /** A kick of one client follows, or was tried. */
  recordKick(id: DeploymentId, clientId: ClientId, change: Change): Promise<void>;
}

/** All of them, for those who assemble. */
export type SettingsStore = DeploymentStore & LimitStore & AuditStore;
