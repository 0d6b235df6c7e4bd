// Signed tokens as MQTT passwords, verified with the keys that are known already.

import {
  type CryptoKey,
  createLocalJWKSet,
  exportJWK,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  type JWTVerifyResult,
  jwtVerify,
  type ResolvedKey,
} from 'jose';
import { ms } from '../../domain/time.ts';
import type { PublicKey, TokenCheck, TokenIssuer } from '../../ports/credentials/token-issuer.ts';
import { signerOf } from './signers.ts';

/** Far above what an issuer signs, far below what MQTT carries. */
const maxBytes = 16_384;
/** How far the clock of an issuer may be ahead: for `nbf`, never for `exp`. */
const leewaySeconds = 30;
const compact = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** `algorithms`: those that may have signed, whatever the token's own header says. */
export function createTokenCheck(algorithms: readonly string[]): TokenCheck {
  // Settings are read anew every few seconds; within these, a key is imported once.
  const sets = new WeakMap<TokenIssuer, JWTVerifyGetKey>();

  function keysOf(issuer: TokenIssuer): JWTVerifyGetKey {
    const known = sets.get(issuer) ?? createLocalJWKSet({ keys: issuer.keys.map((key) => ({ ...key })) });
    sets.set(issuer, known);
    return known;
  }

  return {
    async verify(password, issuer, username, now) {
      if (password.length > maxBytes) return undefined;
      const token = Buffer.from(password).toString('latin1');
      if (!compact.test(token)) return undefined;
      const options: JWTVerifyOptions = {
        algorithms: [...algorithms],
        issuer: issuer.issuer,
        requiredClaims: ['exp', 'iss', issuer.audienceClaim],
        currentDate: new Date(now),
        clockTolerance: leewaySeconds,
        ...(issuer.audienceClaim === 'aud' ? { audience: issuer.audience } : {}),
      };
      const verified = await verifyWith(token, keysOf(issuer), options);
      if (verified === undefined) return undefined;
      const { payload, key } = verified;
      // The library's leeway is for `exp` too, and an expired token must vouch for nothing.
      if (payload.exp === undefined || payload.exp * 1_000 <= now) return undefined;
      if (issuer.audienceClaim === 'client_id' && payload.client_id !== issuer.audience) return undefined;
      if (!Object.hasOwn(payload, issuer.usernameClaim)) return undefined;
      if (payload[issuer.usernameClaim] !== username) return undefined;
      const signedBy = signerOf(issuer.issuer, (await exportJWK(key)) as PublicKey);
      return { validUntil: ms(Math.floor(payload.exp * 1_000)), signedBy };
    },
  };
}

async function verifyWith(
  token: string,
  keys: JWTVerifyGetKey,
  options: JWTVerifyOptions,
): Promise<(JWTVerifyResult & ResolvedKey) | undefined> {
  try {
    return await jwtVerify(token, keys, options);
  } catch (error) {
    // A token that does not say which key: each that could be it is tried, and there are few.
    if (!isSeveral(error)) return undefined;
    for await (const key of error) {
      const verified = await jwtVerify(token, key, options).catch(() => undefined);
      if (verified !== undefined) return { ...verified, key };
    }
    return undefined;
  }
}

function isSeveral(error: unknown): error is Error & AsyncIterable<CryptoKey> {
  return error instanceof Error && 'code' in error && error.code === 'ERR_JWKS_MULTIPLE_MATCHING_KEYS';
}
