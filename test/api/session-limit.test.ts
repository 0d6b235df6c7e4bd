import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { StoreUnavailable } from '../../shared/ports/common/errors.ts';
import { faultsOf, type Rig, startRig } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.stop());
afterEach(async () => {
  rig.usage.overLimit = async () => 0;
  await rig.request('DELETE', 'session-limit');
});

const put = (body: unknown, headers = {}) => rig.request('PUT', 'session-limit', { body, headers });
const patch = (body: unknown, headers = {}) => rig.request('PATCH', 'session-limit', { body, headers });
const get = () => rig.request('GET', 'session-limit');

describe('configure, change, delete', () => {
  test('none is configured until one is: 404 with its own code', async () => {
    for (const answered of [
      await get(),
      await patch({ enabled: false }),
      await rig.request('DELETE', 'session-limit'),
    ]) {
      expect(answered.status).toBe(404);
      expect(answered.json).toMatchObject({ status: 404, code: 'session_limit.not_configured' });
      expect(answered.headers.get('content-type')).toBe('application/problem+json');
    }
  });

  test('PUT {} configures the defaults: 201 first, 200 after', async () => {
    const first = await put({});
    expect(first.status).toBe(201);
    expect(first.json).toEqual({
      enabled: true,
      maxSessionsPerUsername: 100,
      whitelist: [],
      version: expect.any(Number),
      updatedAt: '2026-11-22T17:00:00.250Z',
      usernamesOverLimit: 0,
    });
    const again = await put({ maxSessionsPerUsername: 5 });
    expect(again.status).toBe(200);
  });

  test('PUT replaces the whole, PATCH only what it names', async () => {
    await put({ enabled: false, maxSessionsPerUsername: 5, whitelist: ['bob', 'alice', 'bob'] });
    expect((await get()).json).toMatchObject({
      enabled: false,
      maxSessionsPerUsername: 5,
      whitelist: ['alice', 'bob'],
    });
    expect((await patch({ enabled: true })).status).toBe(200);
    expect((await get()).json).toMatchObject({ enabled: true, maxSessionsPerUsername: 5, whitelist: ['alice', 'bob'] });
    await put({ maxSessionsPerUsername: 6 });
    expect((await get()).json).toMatchObject({ enabled: true, maxSessionsPerUsername: 6, whitelist: [] });
  });

  test('the answer to a change says how many usernames are now over', async () => {
    rig.usage.overLimit = async () => 3;
    expect((await put({ maxSessionsPerUsername: 1 })).json).toMatchObject({ usernamesOverLimit: 3 });
    expect((await patch({ maxSessionsPerUsername: 2 })).json).toMatchObject({ usernamesOverLimit: 3 });
    expect((await get()).json).not.toHaveProperty('usernamesOverLimit');
  });

  test('a change that was made is answered as made, also where the count fails', async () => {
    rig.usage.overLimit = () => Promise.reject(new StoreUnavailable('planted'));
    const answered = await put({ maxSessionsPerUsername: 9 });
    expect(answered.status).toBe(201);
    expect(answered.json).toMatchObject({ maxSessionsPerUsername: 9, usernamesOverLimit: null });
  });

  test('DELETE is for good: 204, then 404, and the next one counts its versions on', async () => {
    const first = await put({ whitelist: ['alice'] });
    await rig.request('PUT', 'session-limit/overrides/bob', { body: { limit: 'blocked' } });
    const deleted = await rig.request('DELETE', 'session-limit');
    expect([deleted.status, deleted.text]).toEqual([204, '']);
    expect((await get()).status).toBe(404);
    expect((await rig.request('GET', 'session-limit/overrides')).json).toMatchObject({
      code: 'session_limit.not_configured',
    });
    const again = await put({});
    expect(again.status).toBe(201);
    const version = (answered: typeof first) => (answered.json as { version: number }).version;
    expect(version(again)).toBeGreaterThan(version(first) + 1);
    expect(again.json).toMatchObject({ whitelist: [] });
    expect((await rig.request('GET', 'session-limit/overrides')).json).toEqual({ items: [] });
  });
});

describe('versions', () => {
  test('every answer that shows it carries its ETag', async () => {
    const created = await put({});
    const etag = created.headers.get('etag');
    expect(etag).toBe(`"${(created.json as { version: number }).version}"`);
    expect((await get()).headers.get('etag')).toBe(etag);
    const changed = await patch({ enabled: false });
    expect(changed.headers.get('etag')).not.toBe(etag);
    expect((await get()).headers.get('etag')).toBe(changed.headers.get('etag'));
  });

  test('a change that changes nothing keeps version and ETag', async () => {
    const created = await put({ maxSessionsPerUsername: 5, whitelist: ['a', 'b'] });
    rig.now += 1_000;
    const again = await put({ maxSessionsPerUsername: 5, whitelist: ['b', 'a'] });
    expect(again.status).toBe(200);
    expect(again.json).toEqual(created.json);
    expect((await patch({})).json).toEqual(created.json);
  });

  test('If-Match that is stale is a 412 on PUT, PATCH and DELETE, and changes nothing', async () => {
    const etag = (await put({ maxSessionsPerUsername: 5 })).headers.get('etag') ?? '';
    const now = await patch({ maxSessionsPerUsername: 6 }, { 'if-match': etag });
    expect(now.status).toBe(200);
    const stale = { 'if-match': etag };
    for (const answered of [
      await put({ maxSessionsPerUsername: 7 }, stale),
      await patch({ maxSessionsPerUsername: 7 }, stale),
      await rig.request('DELETE', 'session-limit', { headers: stale }),
      await put({ maxSessionsPerUsername: 7 }, { 'if-match': `W/${now.headers.get('etag')}` }),
      await put({ maxSessionsPerUsername: 7 }, { 'if-none-match': '*' }),
    ]) {
      expect(answered.status).toBe(412);
      expect(answered.json).toMatchObject({ code: 'precondition.failed' });
    }
    expect((await get()).json).toMatchObject({ maxSessionsPerUsername: 6 });
    const matching = { 'if-match': `"999999", ${now.headers.get('etag')}` };
    expect((await rig.request('DELETE', 'session-limit', { headers: matching })).status).toBe(204);
  });

  test('If-Match: * asks that there is one, If-None-Match: * that there is none', async () => {
    expect((await put({}, { 'if-match': '*' })).status).toBe(412);
    expect((await put({}, { 'if-none-match': '*' })).status).toBe(201);
    expect((await put({ maxSessionsPerUsername: 3 }, { 'if-match': '*' })).status).toBe(200);
  });

  test('If-None-Match with tags refuses those versions only, and both headers must hold', async () => {
    const made = (await put({}, { 'if-none-match': '"1", W/"2"' })).headers.get('etag') ?? '';
    for (const refused of [{ 'if-none-match': `"a,b", W/${made}` }, { 'if-match': made, 'if-none-match': '*' }])
      for (const answered of [
        await put({ maxSessionsPerUsername: 3 }, refused),
        await patch({ maxSessionsPerUsername: 3 }, refused),
        await rig.request('DELETE', 'session-limit', { headers: refused }),
      ])
        expect(answered.status).toBe(412);
    const allowed = { 'if-match': `"a,b", ${made},`, 'if-none-match': '"999999"' };
    expect((await put({ maxSessionsPerUsername: 3 }, allowed)).status).toBe(200);
  });

  test('If-Match that is no entity tag is a 400 that names it', async () => {
    await put({});
    const answered = await put({ maxSessionsPerUsername: 8 }, { 'if-match': '7' });
    expect(answered.status).toBe(400);
    expect(faultsOf(answered)).toEqual(['header if-match']);
  });

  test('of PUTs that meet with one If-Match exactly one wins', async () => {
    const etag = (await put({ maxSessionsPerUsername: 1 })).headers.get('etag') ?? '';
    const answers = await Promise.all(
      [10, 20, 30, 40].map((max) => put({ maxSessionsPerUsername: max, whitelist: [`u${max}`] }, { 'if-match': etag })),
    );
    expect(answers.map((answered) => answered.status).sort()).toEqual([200, 412, 412, 412]);
    const won = answers.find((answered) => answered.status === 200);
    expect(won?.json).toMatchObject((await get()).json as object);
  });

  test('PATCHes of different fields that meet are all kept', async () => {
    await put({});
    const answers = await Promise.all([
      patch({ enabled: false }),
      patch({ maxSessionsPerUsername: 17 }),
      patch({ whitelist: ['alice'] }),
    ]);
    expect(answers.map((answered) => answered.status)).toEqual([200, 200, 200]);
    expect((await get()).json).toMatchObject({ enabled: false, maxSessionsPerUsername: 17, whitelist: ['alice'] });
  });
});

describe('an override', () => {
  const path = 'session-limit/overrides/bob';
  const putIt = (limit: unknown, headers = {}) => rig.request('PUT', path, { body: { limit }, headers });

  test('every answer that shows it carries its ETag, and so does the one that sets it', async () => {
    await put({});
    const first = await putIt(5);
    expect([first.status, first.text]).toEqual([204, '']);
    expect((await rig.request('GET', path)).headers.get('etag')).toBe(first.headers.get('etag'));
    // What changes nothing keeps it.
    expect((await putIt(5)).headers.get('etag')).toBe(first.headers.get('etag'));
    const second = await putIt(6);
    expect(second.headers.get('etag')).not.toBe(first.headers.get('etag'));
    await rig.request('DELETE', path);
    const tags = [first, second, await putIt(5)].map((answered) =>
      Number(JSON.parse(answered.headers.get('etag') ?? '')),
    );
    expect(tags).toEqual([...new Set(tags)].sort((a, b) => a - b));
  });

  test('If-Match that is stale is a 412 on PUT and DELETE, and changes nothing', async () => {
    await put({});
    const stale = { 'if-match': (await putIt(5)).headers.get('etag') ?? '' };
    const now = await putIt(6, stale);
    expect(now.status).toBe(204);
    for (const answered of [
      await putIt(7, stale),
      await rig.request('DELETE', path, { headers: stale }),
      await putIt(7, { 'if-none-match': '*' }),
    ])
      expect([answered.status, answered.json]).toEqual([412, expect.objectContaining({ code: 'precondition.failed' })]);
    expect((await rig.request('GET', path)).json).toEqual({ username: 'bob', limit: 6 });
    const matching = { 'if-match': now.headers.get('etag') ?? '' };
    expect((await rig.request('DELETE', path, { headers: matching })).status).toBe(204);
    expect((await putIt(7, matching)).status).toBe(412);
  });
});

describe('a deployment', () => {
  test('every answer that shows it carries its ETag; a stale If-Match is a 412 on PATCH and DELETE', async () => {
    const made = await rig.request('POST', '/v1/deployments', { body: { name: 'Versioned' } });
    const path = `/v1/deployments/${(made.json as { deploymentId: string }).deploymentId}`;
    const etag = made.headers.get('etag') ?? '';
    expect((await rig.request('GET', path)).headers.get('etag')).toBe(etag);
    const stale = { 'if-match': etag };
    const changed = await rig.request('PATCH', path, { body: { name: 'Changed' }, headers: stale });
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).not.toBe(etag);
    for (const answered of [
      await rig.request('PATCH', path, { body: { status: 'suspended' }, headers: stale }),
      await rig.request('DELETE', path, { headers: stale }),
      await rig.request('DELETE', path, { headers: { 'if-none-match': '*' } }),
    ])
      expect([answered.status, answered.json]).toEqual([412, expect.objectContaining({ code: 'precondition.failed' })]);
    expect((await rig.request('GET', path)).json).toMatchObject({ name: 'Changed', status: 'active' });
    const matching = { 'if-match': changed.headers.get('etag') ?? '' };
    expect((await rig.request('DELETE', path, { headers: matching })).status).toBe(202);
    expect((await rig.request('GET', path)).json).toMatchObject({ status: 'deleting' });
  });
});

describe('what a body may hold', () => {
  test.each([
    ['not an object', [], ['body ']],
    ['null', null, ['body ']],
    ['no session', { maxSessionsPerUsername: 0 }, ['body maxSessionsPerUsername']],
    ['one too many', { maxSessionsPerUsername: 1_000_001 }, ['body maxSessionsPerUsername']],
    ['a part of a session', { maxSessionsPerUsername: 1.5 }, ['body maxSessionsPerUsername']],
    ['a number in words', { maxSessionsPerUsername: '5' }, ['body maxSessionsPerUsername']],
    ['null for a field', { enabled: null }, ['body enabled']],
    ['a word for a switch', { enabled: 'yes' }, ['body enabled']],
    ['an unknown field', { max: 5 }, ['body max']],
    ['a field of every object', { toString: 5, __proto__x: 1 }, ['body toString', 'body __proto__x']],
    ['a whitelist that is no list', { whitelist: 'alice' }, ['body whitelist']],
    ['bad usernames', { whitelist: ['ok', '', 'a?b', 7, '\ud800'] }, [1, 2, 3, 4].map((n) => `body whitelist.${n}`)],
    ['a long username', { whitelist: ['é'.repeat(129)] }, ['body whitelist.0']],
    [
      'everything at once',
      { enabled: 1, maxSessionsPerUsername: -1, whitelist: ['?'], nope: true },
      ['body enabled', 'body maxSessionsPerUsername', 'body whitelist.0', 'body nope'],
    ],
  ])('%s is a 400 that names every fault, in PUT and in PATCH', async (_, body, named) => {
    for (const answered of [await put(body), await patch(body)]) {
      expect(answered.status).toBe(400);
      expect(answered.json).toMatchObject({ status: 400, code: 'request.invalid', title: 'Bad Request' });
      expect(faultsOf(answered).sort()).toEqual([...named].sort());
    }
    expect((await get()).status).toBe(404);
  });

  test('the bounds themselves are allowed', async () => {
    expect((await put({ maxSessionsPerUsername: 1 })).status).toBe(201);
    expect((await put({ maxSessionsPerUsername: 1_000_000, whitelist: ['x'.repeat(256)] })).status).toBe(200);
  });

  test('10,000 different usernames are the most, duplicates not counted', async () => {
    const many = Array.from({ length: 10_001 }, (_, n) => `u${n}`);
    const answered = await put({ whitelist: many });
    expect(answered.status).toBe(400);
    expect(faultsOf(answered)).toEqual(['body whitelist']);
    const repeated = await put({ whitelist: [...many.slice(0, 20), ...Array.from({ length: 10_000 }, () => 'u0')] });
    expect(repeated.status).toBe(201);
  });

  test('a list of nothing but faults does not answer with a megabyte of them', async () => {
    const answered = await put({ whitelist: Array.from({ length: 5_000 }, () => '') });
    expect(answered.status).toBe(400);
    expect(faultsOf(answered)).toHaveLength(101);
  });

  test.each([
    ['malformed JSON', '{"enabled":', {}, 400, 'body.malformed'],
    ['no JSON at all', '', {}, 400, 'body.malformed'],
    ['not UTF-8', new Uint8Array([0x22, 0xff, 0x22]), {}, 400, 'body.malformed'],
    ['a form', 'enabled=false', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'body.unsupported_type'],
    ['text', '{}', { 'content-type': 'text/plain' }, 415, 'body.unsupported_type'],
    ['no content type', '{}', { 'content-type': '' }, 415, 'body.unsupported_type'],
    ['a body over its bound', `"${'x'.repeat(4_000_000)}"`, {}, 413, 'body.too_large'],
  ])('%s is refused', async (_, raw, headers, status, code) => {
    const answered = await rig.request('PUT', 'session-limit', { raw, headers });
    expect(answered.status).toBe(status);
    expect(answered.json).toMatchObject({ status, code });
    expect((await get()).status).toBe(404);
  });

  test('a charset behind the content type is fine', async () => {
    const headers = { 'content-type': 'Application/JSON; charset=utf-8' };
    expect((await rig.request('PUT', 'session-limit', { raw: '{}', headers })).status).toBe(201);
  });

  test('a query parameter that nobody knows is named beside the faults of the body', async () => {
    const answered = await rig.request('PUT', 'session-limit?force=1&force=2', { body: { enabled: 3 } });
    expect(answered.status).toBe(400);
    expect(faultsOf(answered)).toEqual(['query force', 'query force', 'body enabled']);
  });
});
