// A deployment's token issuer, read. Pure, like the other settings.

import { type Ms, ms } from '../../../domain/time.ts';
import { audienceClaims, type PublicKey, type StoredTokenIssuer } from '../../../ports/credentials/token-issuer.ts';

type Item = Record<string, unknown>;

/** What outlives the issuer: its versions. 0 where there never was one. */
export function versionOfIssuerItem(item: Item | undefined): number {
  return typeof item?.version === 'number' ? item.version : 0;
}

export function parseTokenIssuerItem(item: Item | undefined): StoredTokenIssuer | undefined {
  if (item?.configured !== true) return undefined;
  const { issuer, audience, audienceClaim = 'aud', usernameClaim, jwksUrl, keys, keysReadAt, updatedAt } = item;
  const names = [issuer, audience, usernameClaim, ...(jwksUrl === undefined ? [] : [jwksUrl])];
  const claim = audienceClaims.find((known) => known === audienceClaim);
  if (!names.every((name) => typeof name === 'string') || !Array.isArray(keys) || claim === undefined)
    throw new TypeError(`the token issuer of ${String(item.pk)} is not one`);
  return {
    issuer: String(issuer),
    audience: String(audience),
    audienceClaim: claim,
    usernameClaim: String(usernameClaim),
    jwksUrl: jwksUrl === undefined ? undefined : String(jwksUrl),
    keys: keys as readonly PublicKey[],
    keysReadAt: time(keysReadAt),
    version: versionOfIssuerItem(item),
    updatedAt: time(updatedAt),
  };
}

function time(value: unknown): Ms {
  if (typeof value !== 'number') throw new TypeError('a stored time is a number');
  return ms(value);
}
