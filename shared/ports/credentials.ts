import type { Share } from '../domain/fair-queue.ts';
import type { DeploymentId, Username } from '../domain/ids.ts';
import type { Ms } from '../domain/time.ts';
import type { Change } from './settings.ts';

/** A stored password: never the password itself. */
export type PasswordHash =
  /** A generated password (at least 128 random bits): one SHA-256 is enough. */
  | { readonly kind: 'sha256'; readonly digest: Uint8Array }
  /** A password somebody chose. */
  | {
      readonly kind: 'scrypt';
      readonly salt: Uint8Array;
      readonly digest: Uint8Array;
      readonly n: number;
      readonly r: number;
      readonly p: number;
    };

export interface Credential {
  readonly username: Username;
  readonly hash: PasswordHash;
  readonly createdAt: Ms;
}

/** Who changes an MQTT user, and when. */
export type CredentialChange = Pick<Change, 'actor' | 'at'>;

/**
 * MQTT users of a deployment. A change that says whose it is leaves its audit record in the same atomic step, which says
 * nothing of passwords. Throws StoreUnavailable where the database does not answer.
 */
export interface CredentialStore {
  /** Eventually consistent. */
  getCredential(id: DeploymentId, username: Username): Promise<Credential | undefined>;
  putCredential(id: DeploymentId, credential: Credential, change?: CredentialChange): Promise<void>;
  deleteCredential(id: DeploymentId, username: Username, change?: CredentialChange): Promise<'deleted' | 'missing'>;
  /** In order of username (bytes of UTF-8), after `after`, at most `limit`. */
  listCredentials(
    id: DeploymentId,
    page: { readonly limit: number; readonly after?: Username },
  ): Promise<readonly Credential[]>;
}

/** The client that a password came from. */
export interface Asker {
  /** Checks wait in a queue that deployments share, and source addresses within them (S24). */
  readonly share: Share;
  /** Aborted when the client has left: its check leaves the queue. */
  readonly left?: AbortSignal | undefined;
}

/** Checks an MQTT password. */
export interface PasswordCheck {
  /**
   * `credential` is undefined for an unknown username or deployment: the same work is done, and the answer is `wrong`.
   * `overloaded` where the asker's share is used up, or it has left. Passwords that were right are remembered for a few
   * seconds.
   * `scope` names the deployment and the username as they came, known or not: equal checks share their work inside one
   * scope, and who is unknown must share no more than who is known.
   */
  check(
    scope: string,
    credential: Credential | undefined,
    password: Uint8Array,
    asker?: Asker,
  ): Promise<'right' | 'wrong' | 'overloaded'>;
}

/** Makes what is stored of a new password. */
export interface PasswordMaker {
  /** `overloaded` where too many hashes of the deployment wait already. */
  hashChosen(password: string, deployment?: string): Promise<PasswordHash | 'overloaded'>;
  /** 192 random bits, to be shown once. */
  generate(): { readonly password: string; readonly hash: PasswordHash };
}

export interface ScryptCost {
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

/** The cryptography that passwords need. */
export interface PasswordCrypto {
  randomBytes(length: number): Uint8Array;
  sha256(data: Uint8Array): Uint8Array;
  /** 32 bytes, off the main thread. */
  scrypt(password: Uint8Array, salt: Uint8Array, cost: ScryptCost): Promise<Uint8Array>;
  /** In constant time; false for different lengths. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
  /** Tells lists of parts apart, under a random key that never leaves the process. */
  fingerprint(parts: readonly Uint8Array[]): string;
}
