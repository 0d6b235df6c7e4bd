// A cursor is what a caller sends: every list route, on the whole product, answers forged ones with 400, never with 500
// and never with another tenant's data. Cursors carry no secret, so a forger can write the checksum too.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeCursor } from '../../functions/api/cursor.ts';
import { bindingOf } from '../../functions/api/route.ts';
import type { TenantId } from '../../shared/domain/ids.ts';
import { type Rig, startRig } from '../support/product.ts';

interface List {
  readonly path: string;
  readonly segments: Readonly<Record<string, string>>;
  readonly query: string;
  /** The query as the route reads it, with its defaults. */
  readonly parsed: object;
  /** What a page of it may end with. */
  readonly good: string;
}

const hourMs = 3_600_000;
const thisHour = Math.floor(Date.now() / hourMs) * hourMs;
const usage = { sort: 'username', order: 'asc' };

/** By path; each with the variants of its query that are read differently. */
const variants: Readonly<Record<string, readonly Pick<List, 'query' | 'parsed' | 'good'>[]>> = {
  '/v1/tenants': [{ query: '', parsed: {}, good: 'local' }],
  '/v1/deployments': [{ query: '', parsed: {}, good: 'demo' }],
  '/v1/deployments/{deploymentId}/session-limit/overrides': [{ query: '', parsed: {}, good: 'alice' }],
  '/v1/deployments/{deploymentId}/credentials': [{ query: '', parsed: {}, good: 'alice' }],
  '/v1/deployments/{deploymentId}/session-usage': [
    { query: '', parsed: usage, good: 'alice' },
    { query: 'order=desc', parsed: { ...usage, order: 'desc' }, good: 'alice' },
    { query: 'prefix=b', parsed: { ...usage, prefix: 'b' }, good: 'bob' },
    { query: 'prefix=b&order=desc', parsed: { ...usage, order: 'desc', prefix: 'b' }, good: 'bob' },
    { query: 'sort=used', parsed: { ...usage, sort: 'used' }, good: '1:alice' },
    { query: 'sort=used&order=desc', parsed: { order: 'desc', sort: 'used' }, good: '1:alice' },
    { query: 'sort=used&minUsed=5', parsed: { ...usage, sort: 'used', minUsed: 5 }, good: '7:alice' },
    {
      query: 'sort=used&minUsed=5&order=desc',
      parsed: { sort: 'used', order: 'desc', minUsed: 5 },
      good: '7:alice',
    },
  ],
  '/v1/deployments/{deploymentId}/session-usage/{username}/sessions': [{ query: '', parsed: {}, good: 'c1' }],
  '/v1/deployments/{deploymentId}/rejections': [
    { query: '', parsed: {}, good: `${thisHour}|quota|alice` },
    { query: 'reason=quota', parsed: { reason: 'quota' }, good: `${thisHour}|quota|alice` },
    { query: 'username=alice', parsed: { username: 'alice' }, good: `${thisHour}|quota|alice` },
    { query: 'interval=hour', parsed: { interval: 'hour' }, good: String(thisHour) },
  ],
  '/v1/operations': [{ query: '', parsed: {}, good: `${thisHour}|an-operation` }],
  '/v1/audit': [{ query: '', parsed: {}, good: `${thisHour}|demo|${thisHour.toString().padStart(15, '0')}|abc` }],
  '/v1/deployments/{deploymentId}/audit': [
    { query: '', parsed: {}, good: `${thisHour.toString().padStart(15, '0')}|abc` },
  ],
};

/** Positions that no page ends with anywhere, or not where they are sent. */
const bad = [
  ['nothing legible', '\u0000'],
  ['half a surrogate', '\ud800'],
  ['too long', 'x'.repeat(2_000)],
  ['far too long', 'x'.repeat(7_000)],
] as const;
const odd = [
  ...['0', '1', '-1', '-3600000', '1e3', 'NaN', 'Infinity', '0x10', '9'.repeat(15), '9'.repeat(16), '9'.repeat(400)],
  ...['1.5', '0|alice', '-1|alice', `${'9'.repeat(15)}|alice`, '99999999|zz', '|alice', '0|', '0:alice', '-1:alice'],
  ...[
    '99999999:alice',
    '999999999:alice',
    '1:',
    ':alice',
    '000000000000000|a',
    '999999999999999|zz',
    'a',
    'zzzz',
    '~',
    ' ',
  ],
  ...[
    'theirs',
    'secret-of-foreign',
    '{"pk":"x"}',
    '[object Object]',
    '\uffff',
    'b\u0001',
    '../..',
    'null',
    'undefined',
  ],
  ...[String(thisHour + hourMs), String(thisHour - 1), String(thisHour - 3_000 * hourMs), '8640000000000001'],
];

let rig: Rig;
let lists: readonly List[];
const origin = (): string => `http://127.0.0.1:${rig.product.httpPort}`;

async function as(token: string, method: string, path: string, body?: object): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return fetch(`${origin()}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

beforeAll(async () => {
  rig = await startRig({ env: { API_TOKENS: 'foreign=foreign' } });
  const made = await as('foreign', 'POST', '/v1/deployments', { name: 'secret-of-foreign' });
  const { deploymentId } = (await made.json()) as { deploymentId: string };
  const theirs = `/v1/deployments/${deploymentId}`;
  await as('foreign', 'PUT', `${theirs}/credentials/secret-of-foreign`, { password: 'long-enough-1' });
  await as('foreign', 'PUT', `${theirs}/session-limit`, { maxSessionsPerUsername: 1 });
  await as('foreign', 'PUT', `${theirs}/session-limit/overrides/secret-of-foreign`, { limit: 2 });
  await rig.limit(1);
  await rig.api('PUT', '/deployments/demo/session-limit/overrides/alice', { limit: 2 });
  const { paths } = (await (await fetch(`${origin()}/openapi.json`)).json()) as {
    paths: Record<string, { get?: { parameters?: readonly { name: string }[] } }>;
  };
  lists = Object.entries(paths)
    .filter(([, { get }]) => get?.parameters?.some(({ name }) => name === 'cursor'))
    .flatMap(([path]) => {
      const known = variants[path];
      if (known === undefined) throw new Error(`say in this test what a page of ${path} ends with`);
      const segments: Record<string, string> = {};
      if (path.includes('{deploymentId}')) segments.deploymentId = 'demo';
      if (path.includes('{username}')) segments.username = 'alice';
      return known.map((variant) => ({ path, segments, ...variant }));
    });
}, 60_000);
afterAll(() => rig.stop());

const cursorOf = ({ path, segments, parsed }: List, last: string, tenantId = 'local'): string =>
  encodeCursor(bindingOf(tenantId as TenantId, path, segments, parsed), last);

async function ask({ path, segments, query }: List, cursor: string): Promise<{ status: number; text: string }> {
  const filled = path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => segments[name] ?? '');
  const answer = await as(
    'local',
    'GET',
    `${filled}?${query}&cursor=${encodeURIComponent(cursor)}&limit=2`.replace('?&', '?'),
  );
  return { status: answer.status, text: await answer.text() };
}

const nameOf = ({ path, query }: List): string => `${path}?${query}`;

test('a position that a page may end with is taken', async () => {
  for (const list of lists) expect((await ask(list, cursorOf(list, list.good))).status, nameOf(list)).toBe(200);
});

test('what no page ends with is a 400 with a code', async () => {
  for (const list of lists)
    for (const [what, last] of bad) {
      const { status, text } = await ask(list, cursorOf(list, last));
      expect(status, `${nameOf(list)}: ${what}`).toBe(400);
      expect(JSON.parse(text)).toMatchObject({ code: 'request.invalid', errors: [{ in: 'query', name: 'cursor' }] });
    }
});

test('an hour that no page can have ended with is a 400', async () => {
  const hours = lists.filter(({ query }) => query === 'interval=hour');
  expect(hours).toHaveLength(1);
  for (const list of hours)
    for (const last of odd) expect((await ask(list, cursorOf(list, last))).status, last).toBe(400);
});

test('whatever position is forged: a page of one’s own, or a 400, never a 500', async () => {
  for (const list of lists) {
    const positions = [...odd, ...lists.map(({ good }) => good)];
    await Promise.all(
      positions.map(async (last) => {
        const { status, text } = await ask(list, cursorOf(list, last));
        expect([200, 400], `${nameOf(list)}: ${last}: ${text}`).toContain(status);
        expect(text, `${nameOf(list)}: ${last}`).not.toContain('secret-of-foreign');
      }),
    );
  }
}, 120_000);

test('a cursor of another list, other filters, another deployment, another tenant, or a broken one is a 400', async () => {
  for (const list of lists) {
    const own = cursorOf(list, list.good);
    const others = lists.filter((other) => other !== list).map((other) => cursorOf(other, list.good));
    const elsewhere = cursorOf({ ...list, segments: { ...list.segments, deploymentId: 'theirs' } }, list.good);
    const broken = [
      own.slice(0, -1),
      own.slice(1),
      `${own}A`,
      own.slice(0, 16),
      '',
      ' ',
      '!',
      '=',
      'A',
      'null',
      `${own}=`,
    ];
    const foreign = cursorOf(list, list.good, 'foreign');
    for (const cursor of [...others, ...broken, elsewhere, foreign]) {
      const { status, text } = await ask(list, cursor);
      expect(status, `${nameOf(list)}: ${cursor}`).toBe(400);
      expect(JSON.parse(text)).toMatchObject({ code: 'request.invalid' });
    }
  }
}, 120_000);
