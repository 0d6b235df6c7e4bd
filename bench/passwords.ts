// One keyring, and one generated password, for everything that is measured here.

import { systemClock } from '../shared/adapters/node/clock.ts';
import { generateKeyring, parseKeyring } from '../shared/adapters/node/keyring.ts';
import { createPasswordCrypto } from '../shared/adapters/node/password-crypto.ts';
import { keysOf } from '../shared/app/common/open-data.ts';
import { createPasswords } from '../shared/app/credentials/passwords.ts';
import type { PasswordHash } from '../shared/ports/credentials/credentials.ts';

/** As it lies in the secret. */
export const benchKeyring = generateKeyring();
export const benchKeys = keysOf(parseKeyring(benchKeyring, 'the keyring of the benchmark'));

const passwords = createPasswords({ crypto: createPasswordCrypto(), keys: benchKeys, clock: systemClock });

export const benchPassword = passwords.generate();
export const benchHash: PasswordHash = await hashOf(benchPassword);

async function hashOf(password: string): Promise<PasswordHash> {
  const made = await passwords.hash(password);
  if (made === 'overloaded') throw new Error('nothing else is hashed here');
  return made;
}
