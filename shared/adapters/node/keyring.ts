// The keys that passwords are stored under, as they lie in a secret or a file: one JSON object of texts. `current` is the
// key of new digests; every other field holds an older key, under any name. A key's id follows from the key itself, so
// no other key can pass for it by its name.

import { createHmac, randomBytes } from 'node:crypto';
import { DataRefused } from '../../ports/common/errors.ts';
import type { Keyring, PasswordKey } from '../../ports/credentials/credentials.ts';

/** 43 letters and digits are 256 bits. */
const keyLengthMin = 43;

function toKey(text: string): PasswordKey {
  const secret = Buffer.from(text, 'utf8');
  return { id: createHmac('sha256', secret).update('the id of a password key').digest('hex').slice(0, 16), secret };
}

export function generateKeyring(): string {
  return `${JSON.stringify({ current: randomBytes(32).toString('base64url') })}\n`;
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : undefined;
  } catch {
    // The parser's own message quotes what it could not read.
    return undefined;
  }
}

/** `source`: where the text was, for messages. Throws DataRefused; the message holds nothing of the text. */
export function parseKeyring(text: string, source: string): Keyring {
  const { current, ...older } = fieldsOf(text) ?? {};
  const isKey = (value: unknown): value is string => typeof value === 'string' && value.length >= keyLengthMin;
  const olderKeys = Object.values(older);
  if (!isKey(current) || !olderKeys.every(isKey))
    throw new DataRefused(
      `${source} holds no keys of MQTT passwords: expected is a JSON object with "current", and with older keys under ` +
        `other names, each a text of at least ${keyLengthMin} characters; put it back from a backup (docs/operate.md)`,
    );
  const key = toKey(current);
  return { current: key, keys: new Map([key, ...olderKeys.map(toKey)].map((one) => [one.id, one])), source };
}
