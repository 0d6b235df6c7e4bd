import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { PasswordCrypto } from '../../ports/credentials/credentials.ts';

const digestBytes = 32;

const scryptAsync = promisify<
  Uint8Array,
  Uint8Array,
  number,
  { N: number; r: number; p: number; maxmem: number },
  Buffer
>(scrypt);

export function createPasswordCrypto(): PasswordCrypto {
  const key = randomBytes(32);
  return {
    randomBytes: (length) => randomBytes(length),
    hmac: (secret, data) => createHmac('sha256', secret).update(data).digest(),
    // The cost is read from the table: one that takes more memory than Node's own bound is not refused.
    scrypt: (password, salt, { n, r, p }) =>
      scryptAsync(password, salt, digestBytes, { N: n, r, p, maxmem: 2 * 128 * n * r }),
    equal: (a, b) => a.length === b.length && timingSafeEqual(a, b),
    fingerprint: (parts) => {
      const mac = createHmac('sha256', key);
      for (const part of parts) {
        const length = Buffer.alloc(4);
        length.writeUInt32BE(part.length);
        mac.update(length).update(part);
      }
      return mac.digest('base64');
    },
  };
}
