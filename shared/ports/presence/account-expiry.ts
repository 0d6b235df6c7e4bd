import type { Seconds } from '../../domain/time.ts';

/**
 * How long the account's broker keeps a persistent session of MQTT 3: one number, that no packet tells
 * [AWS: persistent session expiry of the account]. Throws StoreUnavailable where the database does not answer.
 */
export interface AccountExpiryStore {
  /** Undefined until the broker has told it. */
  readAccountExpiry(): Promise<Seconds | undefined>;
  writeAccountExpiry(expirySeconds: Seconds): Promise<void>;
}
