import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StoreUnavailable } from '../../shared/ports/common/errors.ts';
import { type Rig, startRig, tilde } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
  await rig.request('PUT', 'session-limit', { body: { whitelist: ['alice'] } });
});
afterAll(() => rig.stop());

test('a token sees the deployments of its own tenant only', async () => {
  const ids = async (token: string) => {
    const { json } = await rig.request('GET', '/v1/deployments', { token });
    return (json as { items: { deploymentId: string }[] }).items.map((item) => item.deploymentId);
  };
  expect(await ids('local')).toEqual(['demo']);
  expect(await ids('foreign')).toEqual(['theirs']);
  expect((await rig.request('GET', '/v1/deployments', { token: 'usage' })).status).toBe(403);
  expect((await rig.request('GET', '/v1/deployments', { token: '' })).status).toBe(401);
});

test('a deployment is shown with the fields of the contract and no other', async () => {
  expect((await rig.request('GET', '')).json).toEqual({
    deploymentId: 'demo',
    name: 'The demo',
    mqttHost: 'demo.mqtt.localhost',
    status: 'active',
    sessionExpirySeconds: 3600,
    clientIdTakeover: 'deny',
    onStoreFailure: 'reject',
    createdAt: '2026-01-02T03:04:05.006Z',
  });
});

test('the scheme of the token is read as HTTP has it, and only Bearer is one', async () => {
  const status = async (authorization: string) =>
    (await rig.request('GET', '', { token: '', headers: { authorization } })).status;
  expect(await status('bearer local')).toBe(200);
  expect(await status('BEARER  local')).toBe(200);
  for (const wrong of ['local', 'Basic local', 'Bearer', 'Bearer ', 'Bearer local local', 'Bearer=local'])
    expect(await status(wrong)).toBe(401);
});

test('an id that no deployment can have is answered as one that none has', async () => {
  const missing = await rig.request('GET', '/v1/deployments/nowhere');
  for (const id of ['Not%20an%20id', '%E0%A4%A', 'x'.repeat(99), '~bm93aGVyZQ'])
    expect((await rig.request('GET', `/v1/deployments/${id}`)).text).toBe(missing.text);
});

describe('routing', () => {
  test('an unknown path is a 404 problem, known without a token', async () => {
    for (const path of [
      '/',
      '/v1',
      '/v1/nope',
      '/v1/deployments/',
      '/v1/deployments/demo/session-limit/',
      '/V1/deployments',
    ]) {
      const answered = await rig.request('GET', path, { token: '' });
      expect([answered.status, answered.json]).toEqual([
        404,
        expect.objectContaining({ code: 'route.not_found', status: 404 }),
      ]);
      expect(answered.headers.get('content-type')).toBe('application/problem+json');
    }
  });

  test('a wrong method is a 405 that says which are right', async () => {
    const answered = await rig.request('POST', 'session-limit', { body: {} });
    expect(answered.status).toBe(405);
    expect(answered.headers.get('allow')).toBe('DELETE, GET, HEAD, PATCH, PUT');
    expect(answered.json).toMatchObject({ code: 'method.not_allowed' });
    expect((await rig.request('DELETE', 'session-usage')).status).toBe(405);
    expect((await rig.request('POST', 'credentials/bob')).headers.get('allow')).toBe('DELETE, PUT');
  });

  test('HEAD answers as GET does, without the body', async () => {
    const answered = await rig.request('HEAD', 'session-limit');
    expect([answered.status, answered.text]).toEqual([200, '']);
    expect(answered.headers.get('etag')).toMatch(/^"\d+"$/);
  });
});

test('every answer forbids keeping it and guessing its type, and has an id of its own', async () => {
  const answers = [
    await rig.request('GET', '/healthz', { token: '' }),
    await rig.request('GET', 'session-limit'),
    await rig.request('GET', 'session-limit', { token: '' }),
    await rig.request('GET', '/nope'),
    await rig.request('POST', 'session-limit'),
    await rig.request('PUT', 'session-limit', { body: { nope: 1 } }),
  ];
  for (const { headers } of answers) {
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  }
  expect(new Set(answers.map(({ headers }) => headers.get('x-request-id'))).size).toBe(answers.length);
});

test('health and reference need no token', async () => {
  expect((await rig.request('GET', '/healthz', { token: '' })).json).toEqual({ status: 'ok' });
  expect((await rig.request('GET', '/openapi.json', { token: '' })).status).toBe(200);
});

test('a database that does not answer is a 503 to try again, anything else a 500, and neither says why', async () => {
  const { usernames } = rig.usage;
  const restore = () =>
    Object.defineProperty(rig.usage, 'usernames', { value: usernames, writable: true, configurable: true });
  const plant = (error: Error) =>
    Object.defineProperty(rig.usage, 'usernames', {
      configurable: true,
      get: () => {
        throw error;
      },
    });
  plant(new StoreUnavailable(new Error('secret-endpoint timed out')));
  const unavailable = await rig.request('GET', 'session-usage');
  plant(new TypeError('secret-detail'));
  const broken = await rig.request('GET', 'session-usage');
  restore();
  expect([unavailable.status, unavailable.json]).toEqual([503, expect.objectContaining({ code: 'store.unavailable' })]);
  expect(unavailable.headers.get('retry-after')).toBe('1');
  expect([broken.status, broken.json]).toEqual([500, expect.objectContaining({ code: 'internal' })]);
  expect(unavailable.text + broken.text).not.toContain('secret');
  expect(rig.log.join()).toContain('secret-detail');
  expect(broken.headers.get('cache-control')).toBe('no-store');
});

describe('usernames in paths', () => {
  const readBack = async (segment: string) => {
    const answered = await rig.request('GET', `session-limit/overrides/${segment}`);
    return answered.status === 200 ? (answered.json as { username: string }).username : answered.status;
  };

  test.each([
    'plain',
    'a/b',
    'a+b @#&=;,',
    'a%2Fb',
    '50%',
    'ünï çødé',
    '日本語',
    '\u{1F600}',
    'tab\tinside',
    '..a',
    '|pipes|',
    '\uFEFFbom',
    'x'.repeat(256),
  ])('%j is the same percent-encoded and as ~base64url', async (username) => {
    for (const segment of [encodeURIComponent(username), tilde(username)]) {
      const answered = await rig.request('PUT', `session-limit/overrides/${segment}`, { body: { limit: 3 } });
      expect(answered.status).toBe(204);
      expect(await readBack(segment)).toBe(username);
      await rig.request('DELETE', `session-limit/overrides/${segment}`);
    }
  });

  test.each(['.', '..', '~tilde', '~'])('%j needs the ~ form, and has it', async (username) => {
    const answered = await rig.request('PUT', `session-limit/overrides/${tilde(username)}`, { body: { limit: 3 } });
    expect(answered.status).toBe(204);
    expect(await readBack(tilde(username))).toBe(username);
  });

  test.each([
    ['%E0%A4%A', 'broken percent-encoding'],
    ['%FF', 'bytes that are not UTF-8'],
    ['~', 'nothing'],
    ['~YQ==', 'padding'],
    ['~YR', 'a base64url that nobody writes'],
    ['~a*', 'what is not base64url'],
    ['~_w', 'base64url of what is not UTF-8'],
    ['a%3Fb', 'a question mark'],
    ['%00', 'U+0000'],
    [encodeURIComponent('é'.repeat(129)), '258 bytes'],
  ])('%s (%s) is a 400 that names it', async (segment) => {
    const answered = await rig.request('PUT', `session-limit/overrides/${segment}`, { body: { limit: 0 } });
    expect(answered.status).toBe(400);
    expect(answered.json).toMatchObject({
      errors: [
        { in: 'path', name: 'username' },
        { in: 'body', name: 'limit' },
      ],
    });
  });
});
