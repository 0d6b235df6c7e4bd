import type { Share } from '../../domain/fair-queue.ts';
import type { DeploymentId, Username } from '../../domain/ids.ts';
import type { Ms } from '../../domain/time.ts';
import type { Change } from '../settings/settings.ts';

export interface ScryptCost {
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

/** A stored password: a digest under a key that never lies in the table, and what it was made with. */
export interface PasswordHash extends ScryptCost {
  readonly keyId: string;
  readonly salt: Uint8Array;
  readonly digest: Uint8Array;
}

export interface PasswordKey {
  /** Follows from the key, tells nothing of it, and may lie in the table. */
  readonly id: string;
  /** At least 256 bits. */
  readonly secret: Uint8Array;
}

export interface Keyring {
  /** New digests are made under it. */
  readonly current: PasswordKey;
  /** By id; the current one is among them. */
  readonly keys: ReadonlyMap<string, PasswordKey>;
  /** Where they were read, for messages. */
  readonly source: string;
}

/** The keyring of a running process. Both throw where the process cannot read it, or the data are refused. */
export interface PasswordKeys {
  current(): Promise<PasswordKey>;
  /** Throws DataRefused where there is no such key. */
  key(id: string): Promise<PasswordKey>;
}

export interface MqttUser {
  readonly username: Username;
  readonly createdAt: Ms;
}

export interface Credential extends MqttUser {
  readonly hash: PasswordHash;
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
  /** Eventually consistent. Sees nothing of the password. */
  hasCredential(id: DeploymentId, username: Username): Promise<boolean>;
  /** `full`: it is new, and there are credentialsPerDeploymentMax. Only changes that say whose they are count. */
  putCredential(id: DeploymentId, credential: Credential, change?: CredentialChange): Promise<'set' | 'full'>;
  /** Replaces the digest of the same password, only where `seen` is still stored. Leaves no audit record. */
  renewHash(renewal: HashRenewal): Promise<'done' | 'changed'>;
  deleteCredential(id: DeploymentId, username: Username, change?: CredentialChange): Promise<'deleted' | 'missing'>;
  /** In order of username (bytes of UTF-8), after `after`, at most `limit`. Sees nothing of the passwords. */
  listCredentials(
    id: DeploymentId,
    page: { readonly limit: number; readonly after?: Username },
  ): Promise<readonly MqttUser[]>;
}

/** A password that was right gets a new digest: it was stored under an older key or at another cost. */
export interface HashRenewal {
  readonly deploymentId: DeploymentId;
  readonly username: Username;
  /** The digest that the password was checked against. */
  readonly seen: Uint8Array;
  readonly hash: PasswordHash;
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
   * scope, and an unknown username must share no more than a known one. Throws where the keys cannot be read.
   */
  check(
    scope: string,
    credential: Credential | undefined,
    password: Uint8Array,
    asker?: Asker,
  ): Promise<'right' | 'wrong' | 'overloaded'>;
  /**
   * For a right password: its new hash where it is stored under an older key or at another cost. Undefined where nothing
   * is to be replaced, where it was asked for moments ago, or where too many checks wait.
   */
  renew(credential: Credential, password: Uint8Array): Promise<PasswordHash | undefined>;
}

/** Makes what is stored of a new password, chosen or generated. */
export interface PasswordMaker {
  /** `overloaded` where too many hashes of the deployment wait already. Throws where the keys cannot be read. */
  hash(password: string, deployment?: string): Promise<PasswordHash | 'overloaded'>;
  /** 192 random bits as text, to be shown once. */
  generate(): string;
}

/** The cryptography that passwords need. */
export interface PasswordCrypto {
  randomBytes(length: number): Uint8Array;
  /** HMAC-SHA-256. */
  hmac(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** 32 bytes, off the main thread. */
  scrypt(password: Uint8Array, salt: Uint8Array, cost: ScryptCost): Promise<Uint8Array>;
  /** In constant time; false for different lengths. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
  /** Tells lists of parts apart, under a random key that never leaves the process. */
  fingerprint(parts: readonly Uint8Array[]): string;
}
