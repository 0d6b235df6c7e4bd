// A stored MQTT password, read and written: never the password itself.

import { ms } from '../../../domain/time.ts';
import type { Credential, MqttUser, PasswordHash } from '../../../ports/credentials/credentials.ts';
import { storedUsername } from '../settings/settings-item.ts';

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
  if (typeof item.keyId !== 'string') throw new TypeError('a stored password names its key');
  return {
    keyId: item.keyId,
    salt: bytes(item.salt),
    digest: bytes(item.digest),
    n: whole(item.n),
    r: whole(item.r),
    p: whole(item.p),
  };
}

export function parseCredentialItem(item: Item | undefined): Credential | undefined {
  if (item === undefined) return undefined;
  return { ...parseMqttUserItem(item), hash: parseHash(item) };
}

export function parseMqttUserItem(item: Item): MqttUser {
  return { username: storedUsername(item), createdAt: ms(whole(item.createdAt)) };
}

export const hashNames = ['keyId', 'salt', 'digest', 'n', 'r', 'p'] as const satisfies readonly (keyof PasswordHash)[];
