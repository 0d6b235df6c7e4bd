// Signed tokens as MQTT passwords, through the whole answer to a CONNECT on the real engine; the sentence on them in
// ARCHITECTURE.md, "Security", part by part.

import { createHmac } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTokenIssuerStore } from '../../shared/adapters/dynamodb/credentials/token-issuer-store.ts';
import { signersOf } from '../../shared/adapters/node/signers.ts';
import { readFetchedKeys } from '../../shared/app/credentials/public-keys.ts';
import type { ConnectRequest } from '../../shared/domain/connect.ts';
import type { DeploymentId, Username } from '../../shared/domain/ids.ts';
import { defaultsOf, limitSettings } from '../../shared/domain/settings.ts';
import type { PublicKey } from '../../shared/ports/credentials/token-issuer.ts';
import { type ConnectRig, startConnectRig } from './connect-rig.ts';

type Signer = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

let rig: ConnectRig;
const signers = new Map<string, Signer>();
let published: readonly PublicKey[];
const algorithms = ['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA'];
const named = {
  issuer: 'https://issuer.example/',
  audience: 'mqtt',
  audienceClaim: 'aud',
  usernameClaim: 'device',
} as const;

beforeAll(async () => {
  rig = await startConnectRig();
  const keys = await Promise.all(
    algorithms.map(async (alg) => {
      const pair = await generateKeyPair(alg, { extractable: true });
      signers.set(alg, pair.privateKey);
      return { ...(await exportJWK(pair.publicKey)), kid: `key-${alg}`, use: 'sig' };
    }),
  );
  published = readFetchedKeys({ keys });
  expect(published).toHaveLength(algorithms.length);
  const issuers = createTokenIssuerStore(rig.client, rig.tableName);
  for (const [id, onStoreFailure] of [
    ['demo', 'admit'],
    ['plain', 'reject'],
  ] as const) {
    await rig.addDeployment(id, { onStoreFailure });
    await rig.addUser(id, 'alice', 'alice-secret');
  }
  const issuer = { ...named, keys: published, jwksUrl: undefined };
  await issuers.putTokenIssuer('demo' as DeploymentId, issuer, { actor: 'test', at: rig.now() as never });
}, 60_000);
afterAll(() => rig.stop());
beforeEach(() => {
  rig.newProcess();
  rig.queue.length = 0;
});

const seconds = () => Math.floor(rig.now() / 1_000);
const claims = (): JWTPayload => ({
  iss: named.issuer,
  aud: named.audience,
  exp: seconds() + 3_600,
  device: 'sensor',
});

const without = (claim: string): JWTPayload =>
  Object.fromEntries(Object.entries(claims()).filter(([name]) => name !== claim));

function sign(payload: JWTPayload, alg = 'ES256', header: object = { kid: `key-${alg}` }): Promise<string> {
  const signer = signers.get(alg);
  if (signer === undefined) throw new Error(`no signer for ${alg}`);
  return new SignJWT(payload).setProtectedHeader({ alg, ...header }).sign(signer);
}

/** What a CONNECT of `sensor` with this password is told. */
async function told(password: string, request: Partial<ConnectRequest> = {}): Promise<string> {
  const sent = { username: 'sensor', password: Buffer.from(password), clientId: 'c1', ...request };
  const decision = await rig.connect(sent);
  return decision.kind === 'admitted' ? 'admitted' : decision.reason;
}

test.each(algorithms)('%s: the token of a username that has no password is right, and costs no hash', async (alg) => {
  rig.watch();
  expect(await told(await sign(claims(), alg))).toBe('admitted');
  expect(await told(await sign({ ...claims(), aud: ['other', 'mqtt'] }, alg))).toBe('admitted');
  expect(rig.hashes).toBe(0);
});

test.each(algorithms)(
  '%s: the session knows the key that verified its token, named by it or not (S21)',
  async (alg) => {
    const keys = published.filter(({ kid }) => kid === `key-${alg}`);
    const [signer] = signersOf({ issuer: named.issuer, keys });
    for (const header of [undefined, {}]) {
      rig.advance(60);
      const clientId = `${alg}-${header === undefined}`;
      expect(await told(await sign(claims(), alg, header), { clientId })).toBe('admitted');
      expect((await rig.session('demo', 'sensor', clientId))?.signedBy).toEqual([signer]);
    }
    await told('alice-secret', { username: 'alice', clientId: `${alg}-password` });
    expect(await rig.session('demo', 'alice', `${alg}-password`)).not.toHaveProperty('signedBy');
  },
);

test('a key is the same however its JWK writes it, and another under another issuer', () => {
  const of = (key: PublicKey, issuer: string = named.issuer) => [...signersOf({ issuer, keys: [key] })];
  const rsa = published.find(({ kid }) => kid === 'key-RS256');
  if (rsa?.n === undefined) throw new Error('an RSA key is published');
  const padded = Buffer.concat([Buffer.alloc(1), Buffer.from(rsa.n, 'base64url')]).toString('base64url');
  expect(of({ ...rsa, n: padded, kid: 'other', alg: 'PS256' })).toEqual(of(rsa));
  expect(of(rsa, 'https://other.example/')).not.toEqual(of(rsa));
});

test.each([2, 30])('a token of a clock that is %i s ahead is right already', async (ahead) => {
  expect(await told(await sign({ ...claims(), iat: seconds() + ahead, nbf: seconds() + ahead }))).toBe('admitted');
});

describe('an access token of Cognito, which carries client_id and no aud', () => {
  const toldCognito = (payload: JWTPayload) => sign(payload).then((token) => told(token, { deploymentId: 'cognito' }));
  const access = (): JWTPayload => ({ ...without('aud'), client_id: 'mqtt', token_use: 'access' });
  beforeAll(async () => {
    await rig.addDeployment('cognito');
    const issuer = { ...named, audienceClaim: 'client_id', keys: published, jwksUrl: undefined } as const;
    const change = { actor: 'test', at: rig.now() as never };
    await createTokenIssuerStore(rig.client, rig.tableName).putTokenIssuer('cognito' as DeploymentId, issuer, change);
  });

  test('is right where the issuer says so', async () => {
    expect(await toldCognito(access())).toBe('admitted');
    expect(await toldCognito({ ...access(), aud: 'other' })).toBe('admitted');
  });

  test.each<[string, () => JWTPayload]>([
    ['of another client', () => ({ ...access(), client_id: 'other' })],
    ['of a list of clients', () => ({ ...access(), client_id: ['mqtt'] })],
    ['with aud only', claims],
    ['with neither', () => without('aud')],
    ['expired', () => ({ ...access(), exp: seconds() })],
    ['of another issuer', () => ({ ...access(), iss: 'https://other.example/' })],
  ])('%s is bad credentials', async (_what, payload) => {
    expect(await toldCognito(payload())).toBe('bad_credentials');
  });
});

test('a token that does not name its key is tried with each that could be it', async () => {
  expect(await told(await sign(claims(), 'RS256', {}))).toBe('admitted');
});

test('the connection ends with the token: that is told to whoever admits', async () => {
  const decision = await rig.connect({ username: 'sensor', password: Buffer.from(await sign(claims())) });
  expect(decision).toMatchObject({ kind: 'admitted', validUntil: (seconds() + 3_600) * 1_000 });
  const byPassword = await rig.connect({ clientId: 'by-password' });
  expect(byPassword.kind).toBe('admitted');
  expect(byPassword).not.toHaveProperty('validUntil');
});

test('passwords work beside tokens, also one that looks like a token', async () => {
  expect(await told('alice-secret', { username: 'alice', clientId: 'alice' })).toBe('admitted');
  await rig.addUser('demo', 'odd', 'a.b.c');
  expect(await told('a.b.c', { username: 'odd', clientId: 'odd' })).toBe('admitted');
});

/** Base64url of JSON. */
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const wrong: [string, () => Promise<string> | string][] = [
  ['expired', () => sign({ ...claims(), exp: seconds() })],
  ['expired within the leeway of nbf', () => sign({ ...claims(), exp: seconds() - 1 })],
  ['not valid for 31 s', () => sign({ ...claims(), nbf: seconds() + 31 })],
  ['without exp', () => sign(without('exp'))],
  ['without aud', () => sign(without('aud'))],
  ['with client_id in the place of aud', () => sign({ ...without('aud'), client_id: 'mqtt' })],
  ['without iss', () => sign(without('iss'))],
  ['for another audience', () => sign({ ...claims(), aud: 'other' })],
  ['of another issuer', () => sign({ ...claims(), iss: 'https://issuer.example' })],
  ['for another username', () => sign({ ...claims(), device: 'other' })],
  ['without the claim', () => sign({ ...without('device'), sub: 'sensor' })],
  ['whose claim is a list', () => sign({ ...claims(), device: ['sensor'] })],
  ['with exp as text', () => sign({ ...claims(), exp: '99999999999' as never })],
  ['of an unknown key', () => sign(claims(), 'ES256', { kid: 'unknown' })],
  ['that names another key', () => sign(claims(), 'RS256', { kid: 'key-RS512' })],
  [
    'with an unknown critical header',
    () => sign(claims(), 'ES256', { kid: 'key-ES256', crit: ['x'], x: 1 }).catch(() => ''),
  ],
  ['with none', () => new UnsecuredJWT(claims()).encode()],
  ['with none and a signature', () => `${part({ alg: 'none' })}.${part(claims())}.AAAA`],
  [
    'with HS256 and the public key as its secret',
    async () => {
      const key = published.find((one) => one.kid === 'key-RS256');
      const signed = `${part({ alg: 'HS256', kid: 'key-RS256' })}.${part(claims())}`;
      const secret = Buffer.from(JSON.stringify(key));
      return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
    },
  ],
  [
    'with a key of its own in its header',
    async () => {
      const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
      const header = { alg: 'ES256', jwk: await exportJWK(publicKey), jku: 'https://127.0.0.1/jwks' };
      return new SignJWT(claims()).setProtectedHeader(header).sign(privateKey);
    },
  ],
  [
    'changed after it was signed',
    async () => (await sign(claims())).replace(/\.[^.]+\./, `.${part({ ...claims(), x: 1 })}.`),
  ],
  ['with its signature cut off', async () => (await sign(claims())).replace(/[^.]+$/, '')],
  ['longer than any', () => sign({ ...claims(), more: 'x'.repeat(20_000) })],
  ['in bytes that are no text', () => '\uFFFD.\uFFFD.\uFFFD'],
];

describe('a token', () => {
  test.each(wrong)(
    '%s is bad credentials, with the readings and the one hash of any wrong password',
    async (_what, make) => {
      const password = await make();
      for (const [username, deploymentId] of [
        ['sensor', 'demo'],
        ['alice', 'demo'],
        ['sensor', 'plain'],
        ['sensor', 'nowhere'],
      ]) {
        rig.newProcess();
        rig.watch();
        expect(await told(password, { username, deploymentId })).toBe('bad_credentials');
        expect([rig.hashes, [...rig.sent].sort()]).toEqual([1, ['BatchGetItemCommand', 'GetItemCommand']]);
      }
    },
  );

  test('of a deployment that takes none is a wrong password like any other', async () => {
    expect(await told(await sign(claims()), { deploymentId: 'plain' })).toBe('bad_credentials');
  });

  test('never stands in for a user name that is absent or cannot be one', async () => {
    for (const username of ['?', '', 'a?b'])
      expect(await told(await sign({ ...claims(), device: username }), { username })).toBe('bad_credentials');
    expect(await told(await sign({ ...claims(), device: '?' }), { username: undefined })).toBe('bad_credentials');
  });

  test('is worth nothing 5 s after the issuer was removed, and its keys are those of one issuer', async () => {
    const issuers = createTokenIssuerStore(rig.client, rig.tableName);
    await rig.addDeployment('short');
    const change = { actor: 'test', at: rig.now() as never };
    const issuer = { ...named, keys: published, jwksUrl: undefined };
    await issuers.putTokenIssuer('short' as DeploymentId, issuer, change);
    const token = await sign(claims());
    expect(await told(token, { deploymentId: 'short' })).toBe('admitted');
    await issuers.deleteTokenIssuer('short' as DeploymentId, change);
    rig.advance(5);
    expect(await told(token, { deploymentId: 'short' })).toBe('bad_credentials');
  });

  test('of a blocked username is right, and not authorized', async () => {
    const change = { actor: 'test', at: rig.now() as never };
    const limit = { ...defaultsOf(limitSettings), maxSessionsPerUsername: 9, whitelist: [] };
    await rig.settings.putSessionLimit('demo' as DeploymentId, limit, change);
    await rig.settings.putOverride('demo' as DeploymentId, 'banned' as Username, { kind: 'blocked' }, change);
    rig.advance(5);
    const token = await sign({ ...claims(), device: 'banned' });
    expect(await told(token, { username: 'banned' })).toBe('blocked');
  });
});

test('S17: a signed token needs no database: its holder is let in by the keys that were read last', async () => {
  expect(await told(await sign(claims()))).toBe('admitted');
  await rig.engine.stop();
  rig.advance(600);
  const token = await sign({ ...claims(), device: 'never-seen' });
  expect(await told(token, { username: 'never-seen', clientId: 'c2' })).toBe('admitted');
  expect(rig.queue).toHaveLength(1);
  expect(await told(token, { username: 'other', clientId: 'c2' })).toBe('unavailable');
  rig.advance(300);
  expect(await told(await sign(claims()))).toBe('unavailable');
  await rig.engine.restart();
  await rig.drain();
  expect(await rig.used('demo', 'never-seen')).toBe(1);
  expect((await rig.session('demo', 'never-seen', 'c2'))?.signedBy).toHaveLength(1);
});
