import type { ClientId, DeploymentId, Username } from '../../domain/ids.ts';
import type { EffectiveLimit } from '../../domain/limit.ts';
import type { Ms, Seconds } from '../../domain/time.ts';

export interface UsernameUsage {
  readonly username: Username;
  /** Live sessions, exact when read: expired ones are not in it (S11). */
  readonly used: number;
  readonly limit: EffectiveLimit;
  readonly whitelisted: boolean;
  readonly rejections?: { readonly count: number; readonly lastAt: Ms; readonly lastClientId: string };
}

export interface UsernameDetail extends UsernameUsage {
  readonly connected: number;
  readonly retained: number;
  readonly pending: number;
}

export type SessionState = 'pending' | 'connected' | 'retained';

export interface SessionView {
  readonly clientId: ClientId;
  readonly username: Username;
  readonly state: SessionState;
  readonly connectedAt?: Ms;
  readonly disconnectedAt?: Ms;
  /** When a retained session stops counting. */
  readonly expiresAt?: Ms;
  readonly protocolVersion?: 3 | 4 | 5;
  readonly ipAddress?: string;
  readonly sessionExpirySeconds?: Seconds;
}

/** A place in the order by used: as a username was ranked, which is up to 60 s behind what it holds. */
export interface RankMark {
  readonly used: number;
  readonly username: Username;
}

/** Usage as the API shows it (S16). Throws StoreUnavailable where the database does not answer. */
export interface UsageReader {
  /**
   * Usernames with at least one live session in order of username (bytes of UTF-8), strictly after `after` in the
   * direction of `order`, with `prefix` if given. Never skips or repeats one. A page may be shorter than `limit` only
   * where nothing follows; `more` says whether anything may follow.
   */
  listUsernames(
    id: DeploymentId,
    page: {
      readonly limit: number;
      readonly order: 'asc' | 'desc';
      readonly after?: Username;
      readonly prefix?: string;
    },
  ): Promise<{ readonly items: readonly UsernameUsage[]; readonly more: boolean }>;
  /**
   * Usernames with at least one live session, and at least `minUsed`, in order of used as they were ranked last, equals
   * in order of username; strictly after `after`. The order lags by up to 60 s, and with it who is in it; `used` of each
   * is exact when read, and a page is in order of it. A page may be shorter than `limit` where ranks have not followed
   * yet; `next` says where the next one comes after, undefined where nothing may follow.
   */
  listByUsed(
    id: DeploymentId,
    page: {
      readonly limit: number;
      readonly order: 'asc' | 'desc';
      readonly after?: RankMark;
      readonly minUsed?: number;
    },
  ): Promise<{ readonly items: readonly UsernameUsage[]; readonly next: RankMark | undefined }>;
  /** Undefined where it has neither a live session nor a rejection. */
  getUsername(id: DeploymentId, username: Username): Promise<UsernameDetail | undefined>;
  /** A username's live sessions, in an order that is the same every time; `after` is the last client id seen. */
  listSessions(
    id: DeploymentId,
    username: Username,
    page: { readonly limit: number; readonly after?: ClientId },
  ): Promise<{ readonly items: readonly SessionView[]; readonly more: boolean }>;
  getClient(id: DeploymentId, clientId: ClientId): Promise<SessionView | undefined>;
  /** How many usernames hold more than their limit now (S14). */
  countOverLimit(id: DeploymentId): Promise<number>;
}
