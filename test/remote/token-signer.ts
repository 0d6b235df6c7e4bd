// Signed tokens for the checks, of an issuer that nobody else has the key of.

import { generateKeyPairSync, sign } from 'node:crypto';

export function createTokenSigner() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256', use: 'sig' };
  const issuer = { issuer: 'https://issuer.example', audience: 'headcount', keys: { keys: [jwk] } };
  return {
    issuer,
    tokenOf(username: string, validSeconds: number): string {
      const exp = Math.floor(Date.now() / 1_000) + validSeconds;
      const claims = { iss: issuer.issuer, aud: issuer.audience, sub: username, exp };
      const body = [{ alg: 'ES256', kid: 'one' }, claims]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.');
      const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
      return `${body}.${sign('sha256', Buffer.from(body), key).toString('base64url')}`;
    },
  };
}
