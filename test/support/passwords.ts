// A keyring, and passwords under it, for tests that are about something else.

import { systemClock } from '../../shared/adapters/node/clock.ts';
import { parseKeyring } from '../../shared/adapters/node/keyring.ts';
import { createPasswordCrypto } from '../../shared/adapters/node/password-crypto.ts';
import { keysOf } from '../../shared/app/common/open-data.ts';
import { createPasswords } from '../../shared/app/credentials/passwords.ts';
import type { PasswordHash } from '../../shared/ports/credentials/credentials.ts';

/** As it lies in the secret. */
export const testKeyringText = JSON.stringify({ current: 'a-key-of-the-tests-that-holds-256-bits-in-text' });
export const testKeyring = parseKeyring(testKeyringText, 'the keyring of the tests');
export const testKeys = keysOf(testKeyring);

/** So that a hash takes no time. */
export const cheapCost = { n: 16, r: 8, p: 1 };

const passwords = createPasswords({ crypto: createPasswordCrypto(), keys: testKeys, clock: systemClock });

/** As the product would: at another cost it would be renewed at its first login. */
export async function hashOf(password: string): Promise<PasswordHash> {
  const made = await passwords.hash(password);
  if (made === 'overloaded') throw new Error('all of them wait');
  return made;
}

/** The hash of no password. */
export const someHash: PasswordHash = {
  keyId: 'some-key',
  salt: new Uint8Array([1, 2]),
  digest: new Uint8Array([3, 4]),
  ...cheapCost,
};

/** For tests that apply presence messages without a renewed hash. */
export const noRenewals = { renewHash: async () => 'changed' as const };
