// A stored MQTT password, read and written: never the password itself.

import { ms } from '../../domain/time.ts';
import type { Credential, PasswordHash } from '../../ports/credentials.ts';
import { storedUsername } from './settings-item.ts';

type Item = Record<string, unknown>;

function bytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError('a stored digest is bytes');
  return value;
}

function whole(value: unknown): number {
  if (typeof value !== 'number') throw new TypeError('a stored cost is a number');
  return value;
}

function parseHash(item: Item): PasswordHash {
  switch (item.hash) {
    case 'sha256':
      return { kind: 'sha256', digest: bytes(item.digest) };
    case 'scrypt':
      return {
        kind: 'scrypt',
        salt: bytes(item.salt),
        digest: bytes(item.digest),
        n: whole(item.n),
        r: whole(item.r),
        p: whole(item.p),
      };
    default:
      throw new TypeError(`a stored password is hashed by sha256 or scrypt, not ${String(item.hash)}`);
  }
}

export function parseCredentialItem(item: Item | undefined): Credential | undefined {
  if (item === undefined) return undefined;
  return { username: storedUsername(item), hash: parseHash(item), createdAt: ms(whole(item.createdAt)) };
}

/** The attributes of a hash. */
export function hashAttributes(hash: PasswordHash): Item {
  const { kind, ...rest } = hash;
  return { hash: kind, ...rest };
}
