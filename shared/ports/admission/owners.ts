import type { ClientId, DeploymentId, Username } from '../../domain/ids.ts';
import type { Override } from '../../domain/limit.ts';
import type { Session } from '../../domain/session/record.ts';
import type { Ms } from '../../domain/time.ts';
import type { Roster } from '../counter/counter.ts';
import type { Names, PutOutcome, Stored } from '../presence/sessions.ts';

/** Which username holds a client id, or held it last. */
export interface Owner {
  readonly username: Username;
  /** It is remembered at least until then. */
  readonly keptUntil: Ms;
}

export interface ConnectView {
  readonly session: Stored<Session> | undefined;
  readonly owner: Stored<Owner> | undefined;
  /** `used` may be too high where lanes of a wide roster hold something in reserve. */
  readonly roster: Roster;
  /** The roster was read consistently. */
  readonly rosterIsExact: boolean;
  readonly whitelisted: boolean;
  readonly override: Override | undefined;
}

/** What of the deployment's settings has to be looked for under the username. */
export interface LookFor {
  /** The list that may name it; undefined where none does. */
  readonly whitelistId: string | undefined;
  /** The generation that its override has to be of; undefined where no username has any. */
  readonly overridesOf: number | undefined;
  /** What most usernames of the deployment may hold; Infinity where nothing is enforced. */
  readonly limit: number;
}

/** Which username a client id belongs to (S9). */
export interface Owners {
  /** Consistent. */
  readOwner(deploymentId: DeploymentId, clientId: ClientId): Promise<Stored<Owner> | undefined>;
  putOwner(
    deploymentId: DeploymentId,
    clientId: ClientId,
    owner: Owner,
    expected: Stored<Owner> | undefined,
  ): Promise<PutOutcome<Owner>>;
}

/** The first reading of a CONNECT. */
export interface ConnectReader {
  /**
   * What a CONNECT needs in one batch, eventually consistent, so that it is a hint and every write checks it. The roster
   * may be read apart, and consistently, where the deployment has a whitelist and overrides.
   */
  readForConnect(names: Names, lookFor: LookFor): Promise<ConnectView>;
}
