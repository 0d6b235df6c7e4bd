import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { encodeCursor } from '../../functions/api/cursor.ts';
import { bindingOf } from '../../functions/api/route.ts';
import type { ClientId, TenantId, Username } from '../../shared/domain/ids.ts';
import { ms, seconds } from '../../shared/domain/time.ts';
import type { SessionView, UsernameDetail } from '../../shared/ports/usage/usage.ts';
import { faultsOf, type Rig, startRig, tilde } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
  await rig.request('PUT', 'session-limit', { body: {} });
});
afterAll(() => rig.stop());

interface Page {
  readonly items: Record<string, unknown>[];
  readonly nextCursor?: string;
}

async function pageAt(path: string): Promise<Page> {
  const answered = await rig.request('GET', path);
  expect(answered.status).toBe(200);
  return answered.json as Page;
}

/** Follows the cursors to the end. */
async function readAll(path: string): Promise<Page[]> {
  const pages: Page[] = [];
  for (let cursor = ''; ; ) {
    const page = await pageAt(`${path}${cursor}`);
    pages.push(page);
    if (page.nextCursor === undefined) return pages;
    cursor = `&cursor=${page.nextCursor}`;
  }
}

const detailOf = (username: string, used: number): UsernameDetail => ({
  username: username as Username,
  used,
  limit: { kind: 'number', max: 3 },
  whitelisted: false,
  connected: used,
  retained: 0,
  pending: 0,
});

beforeEach(() => {
  rig.usage.usernames = Array.from({ length: 7 }, (_, n) => detailOf(`user-${n}`, n + 1));
  rig.usage.sessions = [];
});

describe('overrides', () => {
  test('are put, read, listed and removed, each with its own limit', async () => {
    for (const limit of [5, 'unlimited', 'blocked']) {
      const put = await rig.request('PUT', 'session-limit/overrides/bob', { body: { limit } });
      expect([put.status, put.text]).toEqual([204, '']);
      const item = { username: 'bob', limit };
      expect((await rig.request('GET', 'session-limit/overrides/bob')).json).toEqual(item);
      expect((await rig.request('GET', 'session-limit/overrides')).json).toEqual({ items: [item] });
    }
    expect((await rig.request('DELETE', 'session-limit/overrides/bob')).status).toBe(204);
    for (const method of ['GET', 'DELETE'])
      expect((await rig.request(method, 'session-limit/overrides/bob')).json).toMatchObject({
        code: 'override.not_found',
      });
  });

  test('a stale If-Match is a 412 here too', async () => {
    await rig.request('PUT', 'session-limit/overrides/carol', { body: { limit: 1 } });
    const etag = (await rig.request('GET', 'session-limit/overrides/carol')).headers.get('etag') ?? '';
    const headers = { 'if-match': etag };
    expect((await rig.request('PUT', 'session-limit/overrides/carol', { body: { limit: 2 }, headers })).status).toBe(
      204,
    );
    expect((await rig.request('PUT', 'session-limit/overrides/carol', { body: { limit: 3 }, headers })).status).toBe(
      412,
    );
    expect((await rig.request('DELETE', 'session-limit/overrides/carol', { headers })).status).toBe(412);
    await rig.request('DELETE', 'session-limit/overrides/carol');
  });

  test.each([
    {},
    { limit: 0 },
    { limit: 1_000_001 },
    { limit: 'none' },
    { limit: null },
    { limit: '5' },
    { limit: 1, x: 1 },
  ])('%j is a 400', async (body) => {
    const answered = await rig.request('PUT', 'session-limit/overrides/bob', { body });
    expect(answered.status).toBe(400);
    expect(faultsOf(answered)).toEqual([`body ${'x' in body ? 'x' : 'limit'}`]);
  });
});

describe('credentials', () => {
  test('a chosen password is set: 204; the same user with {} gets a generated one: 201, shown once', async () => {
    const set = await rig.request('PUT', 'credentials/dave', { body: { password: 'dave-secret' } });
    expect([set.status, set.text]).toEqual([204, '']);
    const id = 'demo' as Parameters<typeof rig.credentials.getCredential>[0];
    const stored = () => rig.credentials.getCredential(id, 'dave' as Username);
    expect(await rig.passwords.check('demo|dave', await stored(), Buffer.from('dave-secret'))).toBe('right');

    const generated = await rig.request('PUT', 'credentials/dave', { body: {} });
    expect(generated.status).toBe(201);
    const { password, ...rest } = generated.json as { password: string };
    expect(rest).toEqual({});
    expect(Buffer.from(password, 'base64url').length).toBeGreaterThanOrEqual(20);
    expect(await rig.passwords.check('demo|dave', await stored(), Buffer.from(password))).toBe('right');
    expect(await rig.passwords.check('demo|dave', await stored(), Buffer.from('dave-secret'))).toBe('wrong');

    const listed = await rig.request('GET', 'credentials');
    expect(listed.json).toEqual({ items: [{ username: 'dave', createdAt: '2026-11-22T17:00:00.250Z' }] });
    expect(listed.text).not.toContain(password);
  });

  test('a removed one is gone: 204, then 404', async () => {
    await rig.request('PUT', `credentials/${tilde('a/b')}`, { body: {} });
    expect((await rig.request('DELETE', 'credentials/a%2Fb')).status).toBe(204);
    expect((await rig.request('DELETE', 'credentials/a%2Fb')).json).toMatchObject({
      status: 404,
      code: 'credential.not_found',
    });
  });

  test.each([
    [{ password: '' }, 'password'],
    [{ password: 7 }, 'password'],
    [{ password: 'x'.repeat(1_025) }, 'password'],
    [{ secret: 'x' }, 'secret'],
  ])('%.40j is a 400 that does not repeat what was sent', async (body, named) => {
    const answered = await rig.request('PUT', 'credentials/dave', { body });
    expect(answered.status).toBe(400);
    expect(faultsOf(answered)).toEqual([`body ${named}`]);
    expect(answered.text).not.toContain('xxx');
  });
});

describe('usage', () => {
  test('shows used, effective limit, whether it is over, and rejections where there were any', async () => {
    const base = { connected: 0, retained: 0, pending: 0 };
    const rejections = { count: 12, lastAt: ms(Date.UTC(2026, 10, 1)), lastClientId: 'c9' };
    const name = (raw: string) => raw as Username;
    rig.usage.usernames = [
      { ...base, username: name('a'), used: 3, limit: { kind: 'number', max: 3 }, whitelisted: false },
      { ...base, username: name('b'), used: 4, limit: { kind: 'number', max: 3 }, whitelisted: false, rejections },
      { ...base, username: name('c'), used: 9, limit: { kind: 'unlimited', because: 'whitelist' }, whitelisted: true },
      { ...base, username: name('d'), used: 1, limit: { kind: 'blocked' }, whitelisted: false },
      { ...base, username: name('e'), used: 9, limit: { kind: 'none' }, whitelisted: false },
    ];
    expect((await pageAt('session-usage')).items).toEqual([
      { username: 'a', used: 3, limit: 3, whitelisted: false, overLimit: false },
      {
        username: 'b',
        used: 4,
        limit: 3,
        whitelisted: false,
        overLimit: true,
        rejections: 12,
        lastRejectedAt: '2026-11-01T00:00:00.000Z',
      },
      { username: 'c', used: 9, limit: 'unlimited', whitelisted: true, overLimit: false },
      { username: 'd', used: 1, limit: 'blocked', whitelisted: false, overLimit: true },
      { username: 'e', used: 9, limit: null, whitelisted: false, overLimit: false },
    ]);
  });

  test('one username adds its states; one without session and rejection is a 404', async () => {
    expect((await rig.request('GET', 'session-usage/user-2')).json).toEqual({
      username: 'user-2',
      used: 3,
      limit: 3,
      whitelisted: false,
      overLimit: false,
      connected: 3,
      retained: 0,
      pending: 0,
    });
    expect((await rig.request('GET', 'session-usage/nobody')).json).toMatchObject({
      status: 404,
      code: 'usage.not_found',
    });
  });

  test('order and prefix select, and pages follow them to the end', async () => {
    const pages = await readAll('session-usage?limit=3&order=desc&prefix=user-');
    expect(pages.map((page) => page.items.map((item) => item.username))).toEqual([
      ['user-6', 'user-5', 'user-4'],
      ['user-3', 'user-2', 'user-1'],
      ['user-0'],
    ]);
    expect((await pageAt('session-usage?prefix=user-4')).items).toHaveLength(1);
    expect((await pageAt('session-usage?prefix=')).items).toHaveLength(7);
  });

  test('by used, both ways and from a minimum on, in pages; filters of the other order are a 400', async () => {
    const namesOf = (pages: Page[]) => pages.map((page) => page.items.map((item) => item.username));
    expect(namesOf(await readAll('session-usage?sort=used&limit=2&minUsed=4'))).toEqual([
      ['user-3', 'user-4'],
      ['user-5', 'user-6'],
    ]);
    expect(namesOf(await readAll('session-usage?sort=used&order=desc&limit=3&minUsed=5'))).toEqual([
      ['user-6', 'user-5', 'user-4'],
    ]);
    expect(faultsOf(await rig.request('GET', 'session-usage?sort=used&prefix=a'))).toEqual(['query prefix']);
    expect(faultsOf(await rig.request('GET', 'session-usage?minUsed=2'))).toEqual(['query minUsed']);
    for (const minUsed of ['', '-1', '1.5', 'two', '1e1', '1234567890'])
      expect(faultsOf(await rig.request('GET', `session-usage?sort=used&minUsed=${minUsed}`))).toEqual([
        'query minUsed',
      ]);
  });

  test('a cursor by used goes with its order and minimum only, and says nothing that is not checked', async () => {
    const { nextCursor = '' } = await pageAt('session-usage?sort=used&limit=2&minUsed=2');
    expect((await pageAt(`session-usage?sort=used&minUsed=2&limit=3&cursor=${nextCursor}`)).items).toHaveLength(3);
    const byName = (await pageAt('session-usage?limit=2')).nextCursor ?? '';
    for (const path of [
      `session-usage?cursor=${nextCursor}`,
      `session-usage?sort=used&cursor=${nextCursor}`,
      `session-usage?sort=used&minUsed=3&cursor=${nextCursor}`,
      `session-usage?sort=used&minUsed=2&order=desc&cursor=${nextCursor}`,
      `session-usage?sort=used&minUsed=2&cursor=${byName}`,
    ])
      expect(faultsOf(await rig.request('GET', path)), path).toEqual(['query cursor']);
    // Anybody can compute the tag of a cursor: what it carries is read like any other input.
    const binding = bindingOf(
      'local' as TenantId,
      '/v1/deployments/{deploymentId}/session-usage',
      { deploymentId: 'demo' },
      { sort: 'used', order: 'asc' },
    );
    const path = (mark: string) => `session-usage?sort=used&cursor=${encodeCursor(binding, mark)}`;
    expect((await pageAt(path('2:user-1'))).items).toHaveLength(5);
    for (const mark of ['user-1', '2', '2:', ':user-1', '-2:user-1', '02:user-1', '2:a?b', '123456789:user-1'])
      expect(faultsOf(await rig.request('GET', path(mark))), mark).toEqual(['query cursor']);
  });

  test("a username's sessions and a client show what is known of them, and nothing else", async () => {
    const view: SessionView = {
      clientId: 'c/1 é' as ClientId,
      username: 'user-1' as Username,
      state: 'retained',
      connectedAt: ms(0),
      disconnectedAt: ms(1_000),
      expiresAt: ms(61_000),
      protocolVersion: 5,
      ipAddress: '::1',
      sessionExpirySeconds: seconds(60),
    };
    const bare: SessionView = { clientId: 'c2' as ClientId, username: 'user-1' as Username, state: 'pending' };
    rig.usage.sessions = [view, bare];
    const shown = {
      clientId: 'c/1 é',
      state: 'retained',
      connectedAt: '1970-01-01T00:00:00.000Z',
      disconnectedAt: '1970-01-01T00:00:01.000Z',
      expiresAt: '1970-01-01T00:01:01.000Z',
      protocolVersion: 5,
      ipAddress: '::1',
      sessionExpirySeconds: 60,
    };
    expect(await readAll('session-usage/user-1/sessions?limit=1')).toEqual([
      { items: [shown], nextCursor: expect.any(String) },
      { items: [{ clientId: 'c2', state: 'pending' }] },
    ]);
    for (const segment of [encodeURIComponent('c/1 é'), tilde('c/1 é')])
      expect((await rig.request('GET', `clients/${segment}`)).json).toEqual({ ...shown, username: 'user-1' });
    expect((await rig.request('GET', 'clients/nobody')).json).toMatchObject({ status: 404, code: 'client.not_found' });
    expect(faultsOf(await rig.request('GET', 'clients/%24SYS'))).toEqual(['path clientId']);
  });
});

describe('pages', () => {
  test('hold 50 unless told, and between 1 and 100', async () => {
    rig.usage.usernames = Array.from({ length: 120 }, (_, n) => detailOf(`u${String(n).padStart(3, '0')}`, 1));
    expect((await pageAt('session-usage')).items).toHaveLength(50);
    expect((await pageAt('session-usage?limit=100')).items).toHaveLength(100);
    for (const limit of ['0', '101', '-1', '1.5', 'ten', '', '1e1', '%201'])
      expect(faultsOf(await rig.request('GET', `session-usage?limit=${limit}`))).toEqual(['query limit']);
  });

  test('a last page that is just full has no cursor', async () => {
    expect(await pageAt('session-usage?limit=7')).not.toHaveProperty('nextCursor');
    const names = ['p1', 'p2', 'p3', 'p4'];
    for (const one of names) await rig.request('PUT', `session-limit/overrides/${one}`, { body: { limit: 1 } });
    const pages = await readAll('session-limit/overrides?limit=2');
    expect(pages.map((page) => page.items.map((item) => item.username))).toEqual([names.slice(0, 2), names.slice(2)]);
    for (const one of names) await rig.request('DELETE', `session-limit/overrides/${one}`);
  });

  test('a cursor that is malformed, or used with another list or other filters, is a 400 that names it', async () => {
    const { nextCursor = '' } = await pageAt('session-usage?limit=2&prefix=user-');
    expect(
      (await pageAt(`session-usage?prefix=user-&limit=4&order=asc&sort=username&cursor=${nextCursor}`)).items,
    ).toHaveLength(4);
    const changed = `${nextCursor.startsWith('A') ? 'B' : 'A'}${nextCursor.slice(1)}`;
    for (const path of [
      `session-usage?cursor=${nextCursor}`,
      `session-usage?prefix=user&cursor=${nextCursor}`,
      `session-usage?prefix=user-&order=desc&cursor=${nextCursor}`,
      `session-usage/user-1/sessions?cursor=${nextCursor}`,
      `session-limit/overrides?cursor=${nextCursor}`,
      `session-usage?prefix=user-&cursor=${changed}`,
      `session-usage?prefix=user-&cursor=${nextCursor}A`,
      `session-usage?prefix=user-&cursor=${nextCursor}%3D`,
      `session-usage?prefix=user-&cursor=${nextCursor.slice(0, -2)}`,
      'session-usage?cursor=',
      'session-usage?cursor=!',
      '/v1/deployments?cursor=AAAA',
    ])
      expect(faultsOf(await rig.request('GET', path)), path).toEqual(['query cursor']);
  });

  test('unknown and repeated parameters are named, all at once', async () => {
    const answered = await rig.request('GET', 'session-usage?Limit=1&order=up&order=down&sort=age&nope');
    expect(answered.status).toBe(400);
    expect(new Set(faultsOf(answered))).toEqual(new Set(['query order', 'query sort', 'query Limit', 'query nope']));
    expect(faultsOf(await rig.request('GET', '/v1/deployments/demo?x=1'))).toEqual(['query x']);
  });

  test('what is no UTF-8 is refused, not read as something else', async () => {
    for (const prefix of ['%ff', 'a%', '%E0%A4%A', '%C3'])
      expect(faultsOf(await rig.request('GET', `session-usage?limit=2&prefix=${prefix}`)), prefix).toEqual([
        'query prefix',
      ]);
    expect((await pageAt('session-usage?prefix=%C3%A9')).items).toEqual([]);
    expect((await pageAt('session-usage?prefix=user%2d1')).items).toHaveLength(1);
  });
});
