// Keys of token issuers by what they are: the issuer and the thumbprint of the key [RFC 7638], hashed to 16 bytes. What
// else a JWK says, its `kid` among it, may change without the key being another one.

import { createHash } from 'node:crypto';
import type { SignerId } from '../../domain/ids.ts';
import type { PublicKey, SignersOf } from '../../ports/credentials/token-issuer.ts';

const signerBytes = 16;

export function signerOf(issuer: string, key: PublicKey): SignerId {
  const text = JSON.stringify([issuer, sha256(materialOf(key)).toString('base64url')]);
  return sha256(text).subarray(0, signerBytes).toString('base64url') as SignerId;
}

export const signersOf: SignersOf = ({ issuer, keys }) => new Set(keys.map((key) => signerOf(issuer, key)));

/** The required members in the order of their names. */
function materialOf({ kty, n, e, crv, x, y }: PublicKey): string {
  switch (kty) {
    case 'RSA':
      return JSON.stringify({ e: canonical(e), kty, n: canonical(n) });
    case 'EC':
      return JSON.stringify({ crv, kty, x: reencoded(x), y: reencoded(y) });
    case 'OKP':
      return JSON.stringify({ crv, kty, x: reencoded(x) });
  }
}

/** A JWK as it was given may say the same bytes in more than one way. */
const reencoded = (text = ''): string => Buffer.from(text, 'base64url').toString('base64url');

/** A number without the zeros that may stand before it. */
function canonical(text = ''): string {
  const bytes = Buffer.from(text, 'base64url');
  const first = bytes.findIndex((byte) => byte !== 0);
  return bytes.subarray(Math.max(0, first)).toString('base64url');
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
