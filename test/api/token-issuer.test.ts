// The token issuer of a deployment over HTTP: what it takes, what it keeps, what it fetches, and how it is refreshed.

import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type LookupFunction } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { QueryCommand } from '../../shared/adapters/dynamodb/common/commands.ts';
import { createTokenIssuerStore } from '../../shared/adapters/dynamodb/credentials/token-issuer-store.ts';
import { createKeyFetcher } from '../../shared/adapters/node/key-fetcher.ts';
import { isPublicAddress } from '../../shared/adapters/node/public-address.ts';
import { newOperationId } from '../../shared/adapters/node/random.ts';
import { signersOf } from '../../shared/adapters/node/signers.ts';
import { refreshTokenKeys } from '../../shared/app/credentials/token-issuer.ts';
import type { DeploymentId, TenantId } from '../../shared/domain/ids.ts';
import { ms } from '../../shared/domain/time.ts';
import type { OperationMessage } from '../../shared/ports/operations/operations.ts';
import { quietLog } from '../support/quiet-log.ts';
import { faultsOf, type Rig, startRig } from './rig.ts';

let rig: Rig;
/** URLs that were fetched. */
let fetched: string[];
const demo = 'demo' as DeploymentId;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const jwk = (pair: { readonly publicKey: typeof ed.publicKey }, more: object = {}) => ({
  ...pair.publicKey.export({ format: 'jwk' }),
  ...more,
});
const keys = { keys: [jwk(rsa, { kid: 'r', alg: 'RS256', use: 'sig' }), jwk(ec, { kid: 'e' }), jwk(ed)] };
const body = { issuer: 'https://issuer.example/', audience: 'mqtt', keys };
const jwksUrl = 'https://issuer.example/jwks';

beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.stop());
beforeEach(async () => {
  fetched = [];
  rig.fetchKeys = async (url) => {
    fetched.push(url);
    return { kind: 'fetched', document: keys };
  };
  await rig.request('DELETE', 'token-issuer');
  rig.woken.length = 0;
});

/** Audit records of one millisecond have no order. */
const put = (sent: unknown, headers = {}) => {
  rig.now += 1;
  return rig.request('PUT', 'token-issuer', { body: sent, headers });
};

async function audit(): Promise<{ action: string; actor: string; before: unknown; after: unknown }[]> {
  const command = new QueryCommand({
    TableName: rig.tableName,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': 'A|demo' },
    ScanIndexForward: false,
  });
  return ((await rig.client.send(command)).Items ?? []) as never;
}

test('is configured, shown, replaced and deleted, with versions that only grow', async () => {
  expect(await rig.request('GET', 'token-issuer')).toMatchObject({
    status: 404,
    json: { code: 'token_issuer.not_configured' },
  });
  const first = await put(body);
  expect(first.status).toBe(201);
  const shown = await rig.request('GET', 'token-issuer');
  expect(shown.json).toEqual(first.json);
  expect(shown.json).toMatchObject({
    ...body,
    audienceClaim: 'aud',
    usernameClaim: 'sub',
    keys: { keys: [{ kid: 'r' }, { kid: 'e' }, {}] },
  });
  expect(shown.json).not.toHaveProperty('jwksUrl');
  const version = (shown.json as { version: number }).version;
  expect(shown.headers.get('etag')).toBe(`"${version}"`);

  rig.now += 1_000;
  expect((await put(body)).json).toEqual(first.json);
  const changes = { audienceClaim: 'client_id', usernameClaim: 'device' };
  const second = await put({ ...body, ...changes });
  expect(second).toMatchObject({ status: 200, json: { ...changes, version: version + 1 } });
  expect((await rig.request('DELETE', 'token-issuer')).status).toBe(204);
  expect((await rig.request('DELETE', 'token-issuer')).status).toBe(404);
  expect((await put(body)).json).toMatchObject({ version: version + 3 });
});

test('a stale write is refused, and nothing of it stays', async () => {
  await put(body);
  expect((await put({ ...body, audience: 'other' }, { 'if-match': '"999"' })).status).toBe(412);
  expect((await put(body, { 'if-none-match': '*' })).status).toBe(412);
  expect((await rig.request('DELETE', 'token-issuer', { headers: { 'if-match': '"999"' } })).status).toBe(412);
  expect((await rig.request('GET', 'token-issuer')).json).toMatchObject({ audience: 'mqtt' });
});

test('every change leaves one audit record that says who, what before and what after; no change leaves none', async () => {
  await put(body);
  rig.now += 1_000;
  await put(body);
  await put({ ...body, audience: 'other' });
  rig.now += 1_000;
  rig.now += 1;
  await rig.request('DELETE', 'token-issuer');
  const [deleted, changed, set] = await audit();
  expect(set).toMatchObject({
    action: 'token_issuer.set',
    before: null,
    after: { audience: 'mqtt', keys: ['r', 'e', 'OKP'] },
  });
  expect(changed).toMatchObject({ before: { audience: 'mqtt' }, after: { audience: 'other' } });
  expect(deleted).toMatchObject({ action: 'token_issuer.deleted', before: { audience: 'other' }, after: null });
  expect(deleted?.actor).toBe('API_TOKEN');
});

/** The operations that were started, as they are recorded. */
const started = () =>
  Promise.all(rig.woken.map(async (message) => (await rig.operations.readOperation(message))?.value));
const ofIssuer = (startedBy: string) => ({ cause: { kind: 'token_issuer_changed' }, startedBy, deploymentId: demo });
const running = () => rig.operations.countRunning('local' as TenantId, 1_000);

test('a change that drops a key starts an operation, which Location names (S21); another leaves none behind', async () => {
  const [, second, third] = keys.keys;
  const before = await running();
  await put(body);
  await put(body);
  await put({ ...body, audience: 'other' });
  await put({ ...body, keys: { keys: [...keys.keys, jwk(generateKeyPairSync('ed25519'))] } });
  const stale = { 'if-match': '"999"' };
  await put({ ...body, keys: { keys: [second] } }, stale);
  expect(rig.woken).toEqual([]);
  expect(await running()).toBe(before);

  const answers = [
    await put({ ...body, keys: { keys: [second, third] } }),
    await put({ ...body, keys: { keys: [second, third] }, issuer: 'https://other.example/' }),
    await rig.request('DELETE', 'token-issuer'),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 204]);
  const named = rig.woken.map(({ operationId }) => `/v1/operations/${operationId}`);
  expect(answers.map(({ headers }) => headers.get('location'))).toEqual(named);
  expect(await started()).toEqual(Array(3).fill(expect.objectContaining(ofIssuer('API_TOKEN'))));
  const shown = await rig.request('GET', named[0] ?? '');
  expect(shown.json).toMatchObject({ status: 'running', finished: 0 });
});

describe('what cannot be taken is named', () => {
  const one = (key: object) => ({ ...body, keys: { keys: [key] } });
  const small = generateKeyPairSync('rsa', { modulusLength: 1_024 });
  const other = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
  test.each<[string, unknown, string[]]>([
    ['nothing', {}, ['body issuer', 'body audience', 'body jwksUrl']],
    ['an unknown field', { ...body, more: 1 }, ['body more']],
    ['both sources', { ...body, jwksUrl }, ['body jwksUrl']],
    ['neither', { issuer: 'i', audience: 'a' }, ['body jwksUrl']],
    [
      'names that are none',
      { ...body, issuer: '', audience: 1, audienceClaim: 'azp', usernameClaim: [] },
      ['body issuer', 'body audience', 'body audienceClaim', 'body usernameClaim'],
    ],
    ['a URL that is not https', { issuer: 'i', audience: 'a', jwksUrl: 'http://issuer.example/' }, ['body jwksUrl']],
    ['a URL that is none', { issuer: 'i', audience: 'a', jwksUrl: 'https://' }, ['body jwksUrl']],
    ['keys that are no set', { ...body, keys: [] }, ['body keys']],
    ['no key', { ...body, keys: { keys: [] } }, ['body keys']],
    ['too many keys', { ...body, keys: { keys: Array(17).fill(jwk(ed)) } }, ['body keys']],
    ['a private key', one(rsa.privateKey.export({ format: 'jwk' })), ['body keys.keys.0']],
    ['a shared secret', one({ kty: 'oct', k: 'c2VjcmV0' }), ['body keys.keys.0']],
    ['a key for HS256', one(jwk(rsa, { alg: 'HS256' })), ['body keys.keys.0']],
    ['a key for encryption', one(jwk(rsa, { use: 'enc' })), ['body keys.keys.0']],
    ['an RSA key of 1,024 bits', one(jwk(small)), ['body keys.keys.0']],
    ['a curve of nobody here', one(jwk(other)), ['body keys.keys.0']],
    ['no point', one({ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }), ['body keys.keys.0']],
    ['a prototype’s name as a curve', one({ kty: 'EC', crv: 'constructor', x: 'AA', y: 'AA' }), ['body keys.keys.0']],
    [
      'keys that are no objects',
      { ...body, keys: { keys: [null, 'x', [1]] } },
      ['body keys.keys.0', 'body keys.keys.1', 'body keys.keys.2'],
    ],
  ])('%s', async (_what, sent, faults) => {
    const answered = await put(sent);
    expect([answered.status, faultsOf(answered)]).toEqual([400, faults]);
    expect(fetched).toEqual([]);
    expect((await rig.request('GET', 'token-issuer')).status).toBe(404);
  });
});

describe('keys from a URL', () => {
  const fromUrl = { issuer: 'https://issuer.example/', audience: 'mqtt', jwksUrl };
  const refresh = () => {
    const issuers = createTokenIssuerStore(rig.client, rig.tableName);
    const clock = { now: () => ms(rig.now) };
    const { operations, settings } = rig;
    const queue = { send: async (message: OperationMessage) => void rig.woken.push(message) };
    return refreshTokenKeys({
      issuers,
      settings,
      signersOf,
      starts: { operations, queue, newOperationId, clock, log: quietLog },
      fetcher: { fetchKeys: rig.fetchKeys },
      clock,
      log: quietLog,
    });
  };
  const kids = async () => (await rig.settings.getConnectSettings(demo))?.tokenIssuer?.keys.map((key) => key.kid);

  test('are fetched when they are set, and only what verifies signatures is kept', async () => {
    const document = {
      keys: [
        jwk(ec, { kid: 'good', x5c: ['…'] }),
        { kty: 'oct', k: 'c2VjcmV0', kid: 'secret' },
        jwk(rsa, { use: 'enc' }),
        7,
      ],
    };
    rig.fetchKeys = async () => ({ kind: 'fetched', document });
    const answered = await put(fromUrl);
    expect(answered).toMatchObject({ status: 201, json: { jwksUrl } });
    const { keys: kept } = answered.json as { keys: unknown };
    expect(kept).toEqual({ keys: [{ ...jwk(ec), kid: 'good' }] });
    expect(await kids()).toEqual(['good']);
  });

  test.each([
    ['a URL that leads inside', { kind: 'refused' }, 'public address'],
    ['no answer', { kind: 'failed', problem: 'jwksUrl did not answer' }, 'did not answer'],
    ['no keys', { kind: 'fetched', document: { keys: [] } }, 'no key'],
    ['something else', { kind: 'fetched', document: 'hello' }, 'no key'],
  ] as const)('%s changes nothing, and says so', async (_what, outcome, said) => {
    await put(body);
    rig.fetchKeys = async () => outcome;
    const answered = await put(fromUrl);
    expect(answered).toMatchObject({ status: 422, json: { code: 'token_issuer.no_keys' } });
    expect((answered.json as { detail: string }).detail).toContain(said);
    expect((await rig.request('GET', 'token-issuer')).json).not.toHaveProperty('jwksUrl');
  });

  test('are fetched again on the schedule; where that fails the old ones hold; given keys are left alone', async () => {
    await put(fromUrl);
    const version = ((await rig.request('GET', 'token-issuer')).json as { version: number }).version;
    rig.now += 600_000;
    rig.fetchKeys = async () => ({ kind: 'fetched', document: { keys: [jwk(ed, { kid: 'next' })] } });
    expect(await refresh()).toEqual({ refreshed: 1, failed: 0 });
    expect(await kids()).toEqual(['next']);
    const shown = (await rig.request('GET', 'token-issuer')).json;
    expect(shown).toMatchObject({ version, keysReadAt: new Date(rig.now).toISOString() });

    rig.fetchKeys = async () => ({ kind: 'failed', problem: 'jwksUrl did not answer' });
    expect(await refresh()).toEqual({ refreshed: 0, failed: 1 });
    expect(await kids()).toEqual(['next']);

    await put(body);
    expect(await refresh()).toEqual({ refreshed: 0, failed: 0 });
    expect(await kids()).toEqual(['r', 'e', undefined]);
  });

  test('a key that is not there any more starts an operation (S21); keys that cannot be fetched start none', async () => {
    await put(fromUrl);
    rig.fetchKeys = async () => ({ kind: 'failed', problem: 'jwksUrl did not answer' });
    await refresh();
    rig.fetchKeys = async () => ({ kind: 'fetched', document: { keys: [] } });
    await refresh();
    rig.now += 1;
    rig.fetchKeys = async () => ({ kind: 'fetched', document: { keys: [...keys.keys.toReversed()] } });
    await refresh();
    expect(rig.woken).toEqual([]);
    rig.now += 1;
    rig.fetchKeys = async () => ({ kind: 'fetched', document: { keys: keys.keys.slice(1) } });
    await refresh();
    await refresh();
    expect(await started()).toEqual([expect.objectContaining(ofIssuer('system'))]);
  });

  test('that were on their way when the issuer was changed are not kept', async () => {
    await put(fromUrl);
    rig.fetchKeys = async () => {
      rig.fetchKeys = async () => ({ kind: 'refused' });
      await put(body);
      return { kind: 'fetched', document: { keys: [jwk(ed, { kid: 'late' })] } };
    };
    await refresh();
    expect(await kids()).toEqual(['r', 'e', undefined]);
  });
});

test('an answer is no way to find out what is inside: a name that is not known, one that leads inside, and silence read the same', async () => {
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, 'close');
  const resolvers: Readonly<Record<string, LookupFunction>> = {
    unknown: (_name, _how, answer) => answer(Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }), []),
    inside: (_name, _how, answer) => answer(null, [{ address: '10.0.0.1', family: 4 }]),
    nowhere: (_name, _how, answer) => answer(null, []),
    silent: () => undefined,
    closed: (_name, _how, answer) => answer(null, [{ address: '127.0.0.1', family: 4 }]),
  };
  const answers: string[] = [];
  for (const [name, resolve] of Object.entries(resolvers)) {
    const fetcher = createKeyFetcher({
      resolve,
      timeoutMs: 100,
      allowedPorts: [String(port)],
      isAllowed: (address) => address === '127.0.0.1' || isPublicAddress(address),
    });
    rig.fetchKeys = (url) => fetcher.fetchKeys(url);
    const answered = await put({ issuer: 'i', audience: 'a', jwksUrl: `https://${name}.example:${port}/` });
    expect(answered.status).toBe(422);
    answers.push(answered.text);
  }
  const literal = await put({ issuer: 'i', audience: 'a', jwksUrl: `https://10.0.0.1:${port}/` });
  expect(new Set([...answers, literal.text]).size).toBe(1);
});
