// Public keys out of a JWK set [RFC 7517, 7518], given by a caller or fetched: only those that verify signatures of the
// fixed algorithms, and only the members that say what the key is.

import type { PublicKey } from '../../ports/credentials/token-issuer.ts';
import { type Checked, type Fault, faulty, fine } from '../common/fault.ts';

/** Asymmetric ones only: a key that also signs would be a secret, and `none` is no signature. */
export const tokenAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

export const publicKeysMax = 16;
const kidMaxLength = 256;
/** RSA from 2,048 bits on [RFC 7518, 3.3], and up to what is verified in no time. */
const modulusBytes = { min: 256, max: 1_024 };
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
const coordinateBytes: Readonly<Record<string, number>> = { 'P-256': 32, 'P-384': 48, 'P-521': 66 };

function bytesOf(raw: unknown): Buffer | undefined {
  if (typeof raw !== 'string' || !/^[A-Za-z0-9_-]+$/.test(raw)) return undefined;
  return Buffer.from(raw, 'base64url');
}

function parseMaterial(key: Readonly<Record<string, unknown>>): PublicKey | string {
  const { kty, n, e, crv, x, y } = key;
  if (kty === 'RSA') {
    const modulus = bytesOf(n);
    const exponent = bytesOf(e);
    if (modulus === undefined || exponent === undefined || exponent.length > 8) return 'an RSA key has n and e';
    const length = modulus.length - (modulus[0] === 0 ? 1 : 0);
    if (length < modulusBytes.min || length > modulusBytes.max) return 'an RSA key has 2,048 to 8,192 bits';
    return { kty, n: String(n), e: String(e) };
  }
  if (kty === 'EC') {
    const length = typeof crv === 'string' && Object.hasOwn(coordinateBytes, crv) ? coordinateBytes[crv] : undefined;
    if (length === undefined) return 'an EC key is of P-256, P-384 or P-521';
    if (bytesOf(x)?.length !== length || bytesOf(y)?.length !== length) return 'an EC key has x and y';
    return { kty, crv: String(crv), x: String(x), y: String(y) };
  }
  if (kty === 'OKP') {
    if (crv !== 'Ed25519' || bytesOf(x)?.length !== 32) return 'an OKP key is of Ed25519, with x';
    return { kty, crv, x: String(x) };
  }
  return 'kty is RSA, EC or OKP';
}

function parseKey(raw: unknown): PublicKey | string {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return 'must be a JWK';
  const key = raw as Readonly<Record<string, unknown>>;
  if (privateMembers.some((member) => Object.hasOwn(key, member)))
    return 'must be a public key, this one holds a secret';
  const { kid, alg, use } = key;
  if (use !== undefined && use !== 'sig') return 'must be a key for signatures';
  if (alg !== undefined && !tokenAlgorithms.some((known) => known === alg))
    return `alg is one of ${tokenAlgorithms.join(', ')}`;
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > kidMaxLength))
    return `kid is a string of at most ${kidMaxLength} characters`;
  const material = parseMaterial(key);
  if (typeof material === 'string') return material;
  return {
    ...material,
    ...(typeof kid === 'string' ? { kid } : {}),
    ...(typeof alg === 'string' ? { alg } : {}),
  };
}

function entriesOf(raw: unknown): readonly unknown[] | undefined {
  if (typeof raw !== 'object' || raw === null || !('keys' in raw) || !Array.isArray(raw.keys)) return undefined;
  return raw.keys;
}

/** A set that a caller gave: every key of it must be one that can be used. */
export function parseGivenKeys(raw: unknown, name: string): Checked<readonly PublicKey[]> {
  const entries = entriesOf(raw);
  if (entries === undefined) return faulty(name, 'must be a JWK set, {"keys": [...]}');
  if (entries.length === 0 || entries.length > publicKeysMax)
    return faulty(name, `must hold 1 to ${publicKeysMax} keys, this one has ${entries.length}`);
  const faults: Fault[] = [];
  const keys = entries.flatMap((entry, place) => {
    const key = parseKey(entry);
    if (typeof key !== 'string') return [key];
    faults.push({ name: `${name}.keys.${place}`, problem: key });
    return [];
  });
  return faults.length === 0 ? fine(keys) : { ok: false, faults };
}

/** A set that was fetched: issuers publish keys for other uses beside those that matter here. The first so many. */
export function readFetchedKeys(document: unknown): readonly PublicKey[] {
  const keys = (entriesOf(document) ?? []).slice(0, 100).map(parseKey);
  return keys.filter((key) => typeof key !== 'string').slice(0, publicKeysMax);
}
