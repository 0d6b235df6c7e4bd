// Every route with hostile input: only answers that the reference has come back, nothing inside shows, and what was
// refused has changed nothing. What it sends is the same every time, unless FUZZ_SEED and FUZZ_RUNS say otherwise.

import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { isProblemCode } from '../../functions/api/problems.ts';
import type { ClientId, Username } from '../../shared/domain/ids.ts';
import { deploymentSettings, limitSettings } from '../../shared/domain/settings.ts';
import { connectLongAgo } from './connected.ts';
import { type Answered, startRig } from './rig.ts';
import { fillPath, inside, owners, readRoutes, type WalkedRoute } from './routes.ts';

const seed = Number(process.env.FUZZ_SEED ?? 20_261_130);
const numRuns = Number(process.env.FUZZ_RUNS ?? 700);
const secret = 'do-not-tell-this-to-anyone';

const rig = await startRig();
const routes = await readRoutes(rig);
const bob = 'bob' as Username;
const counts = { used: 1, connected: 1, retained: 0, pending: 0 };
rig.usage.usernames = [{ username: bob, limit: { kind: 'number', max: 3 }, whitelisted: false, ...counts }];
rig.usage.sessions = [{ clientId: 'c1' as ClientId, username: bob, state: 'connected' }];
await connectLongAgo(rig, 'c1', bob);
afterAll(() => rig.stop());

const nastyText = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '..',
    '.',
    '%',
    '%00',
    '%2F',
    '%E0%A4%A',
    '%FF%FE',
    '~',
    '~~',
    '~YQ==',
    '~_w',
    'null',
    '0',
    '-1',
    '1e9',
    '__proto__',
    'constructor',
    'toString',
    'a$b{c}',
    "' OR 1=1 --",
    '<script>',
    '\u0000',
    '\uD800',
    '\u202E',
    'x'.repeat(300),
    'é'.repeat(200),
  ),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
);

const nastyValue = fc.letrec((tie) => ({
  leaf: fc.oneof(
    nastyText,
    fc.constantFrom(null, true, false, 0, -1, 1, 1.5, 1e300, -0, 2 ** 53, 1_000_001),
    fc.constantFrom('unlimited', 'blocked', 'suspended', 'active', 'deny', 'admit', secret),
  ),
  value: fc.oneof(
    { depthSize: 'small' },
    tie('leaf'),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(nastyText, tie('value'), { maxKeys: 4 }),
  ),
})).value;

const fieldNames = fc.constantFrom(
  ...Object.keys(limitSettings),
  ...['whitelist', 'limit', 'password', 'name', 'mqttHost', 'status', 'tenantId'],
  ...Object.keys(deploymentSettings),
  ...['__proto__', 'constructor', ''],
);

const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

const changes = ['{}', '{"enabled":false}', '{"whitelist":["alice","bob"]}', '{"maxSessionsPerUsername":7}'];

const issuer = {
  issuer: 'https://id.example',
  audience: 'mqtt',
  keys: { keys: [generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })] },
};

/** Bodies that a route takes. A route that takes one has to be here to be walked. */
const soundBodies: Readonly<Record<string, readonly string[]>> = {
  'POST /v1/tenants': ['{"tenantId":"acme"}', '{"tenantId":"acme-2"}'],
  'POST /v1/deployments': ['{"name":"n"}'],
  'PATCH /v1/deployments/{deploymentId}': ['{"name":"n"}', '{"status":"suspended"}', '{"status":"active"}'],
  'PUT /v1/deployments/{deploymentId}/session-limit': changes,
  'PATCH /v1/deployments/{deploymentId}/session-limit': changes,
  'PUT /v1/deployments/{deploymentId}/session-limit/overrides/{username}': ['{"limit":5}', '{"limit":"blocked"}'],
  'PUT /v1/deployments/{deploymentId}/credentials/{username}': ['{}', '{"password":"p"}'],
  'PUT /v1/deployments/{deploymentId}/token-issuer': [JSON.stringify(issuer)],
};

const soundBodiesOf = (route: WalkedRoute) => {
  if (!route.hasBody) return fc.constant('{}');
  const found = soundBodies[nameOf(route)];
  if (found === undefined) throw new Error(`Say in soundBodies what ${nameOf(route)} takes`);
  return fc.constantFrom(...found);
};

const bodies = fc.oneof(
  fc.dictionary(fieldNames, nastyValue, { maxKeys: 4 }).map((value) => JSON.stringify(value)),
  nastyValue.map((value) => JSON.stringify(value) ?? ''),
  nastyText,
  fc.uint8Array({ maxLength: 60 }).map((bytes) => new Uint8Array(bytes)),
  fc.constantFrom('{}', '', deep(20_000), `{"a":${deep(5_000)}}`, '{"name":"a","name":"b"}', `"${'x'.repeat(20_000)}"`),
);

/** What HTTP itself takes; a client cannot send more. */
const headerValues = nastyText
  .map((text) => text.replaceAll(/[^\x20-\x7E\x80-\xFF]/g, '').trim())
  .filter((text) => text !== '');

const nastyHeaders = fc.record(
  {
    'content-type': fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom('application/json', 'application/merge-patch+json') },
      { weight: 1, arbitrary: headerValues },
    ),
    'if-match': fc.oneof(
      fc.constantFrom('*', '"1"', 'W/"1"', '"99999999999999999999"', '"a,b", ', '""', '1'),
      headerValues,
    ),
    'if-none-match': fc.oneof(fc.constantFrom('*', '"1"', 'W/"1",,"2"'), headerValues),
    'content-length': fc.constantFrom('0', '-1', '99999999999', 'x'),
    'x-forwarded-for': headerValues,
    'x-http-method-override': fc.constantFrom('DELETE', 'PUT'),
    accept: headerValues,
  },
  { requiredKeys: [] },
);

const headers = fc.oneof(fc.constant({}), fc.constant({ 'if-match': '*' }), nastyHeaders);

const tokens = fc.oneof(
  { weight: 8, arbitrary: fc.constant('local') },
  { weight: 1, arbitrary: fc.constantFrom('foreign', 'usage', 'read', 'nobody', '', 'guess') },
);

/** What there is to read, to change and to delete. */
async function setUp(): Promise<void> {
  const bodiesOf = {
    'session-limit': { whitelist: ['alice'] },
    'credentials/bob': { password: secret },
    'session-limit/overrides/bob': { limit: 3 },
    'token-issuer': issuer,
  };
  for (const [path, body] of Object.entries(bodiesOf))
    expect((await rig.request('PUT', path, { body })).status).toBeLessThan(300);
}

const nameOf = ({ method, path }: WalkedRoute): string => `${method} ${path}`;

function segment(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    return '%ED%A0%80';
  }
}

const pairs = (route: WalkedRoute) =>
  fc.array(
    fc.tuple(
      fc.oneof(
        fc.constantFrom('limit', 'cursor', 'sort', 'order', 'prefix', 'minUsed', 'interval', ...route.query),
        nastyText,
      ),
      fc.oneof(fc.constantFrom('1', '100', '101', 'used', 'username', 'desc', 'hour', '50'), nastyText),
    ),
    { maxLength: 4 },
  );

const targets = (route: WalkedRoute) => {
  const names = [...route.path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1] ?? '');
  const fill = names.map((name) =>
    fc.oneof(
      { weight: 8, arbitrary: fc.constant(owners[name]?.mine ?? inside[name] ?? '') },
      {
        weight: 1,
        arbitrary: fc.oneof(
          nastyText.map(segment),
          nastyText.map((text) => `~${Buffer.from(text).toString('base64url')}`),
        ),
      },
      // As it comes, less what ends a path.
      { weight: 1, arbitrary: nastyText.map((text) => text.replaceAll(/[?#/\\\s]/g, '')) },
    ),
  );
  const query = fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: pairs(route) });
  return fc.tuple(fc.tuple(...fill), query).map(([values, given]) => {
    const path = names.reduce((filled, name, n) => filled.replace(`{${name}}`, () => values[n] ?? ''), route.path);
    const search = given.map(([name, value]) => `${segment(name)}=${segment(value)}`).join('&');
    return search === '' ? path : `${path}?${search}`;
  });
};

const requests = fc.constantFrom(...routes).chain((route) =>
  fc.record({
    route: fc.constant(route),
    target: targets(route),
    body: fc.oneof({ weight: 2, arbitrary: soundBodiesOf(route) }, { weight: 1, arbitrary: bodies }),
    headers,
    token: tokens,
  }),
);

const statusesOfAll = [404, 405];

function expectDocumented(route: WalkedRoute, { status, json, headers: sent }: Answered): void {
  if (status < 400) {
    expect(route.statuses).toContain(status);
    return;
  }
  const code = (json as { code?: unknown }).code;
  expect(sent.get('content-type')).toBe('application/problem+json');
  expect(isProblemCode(code)).toBe(true);
  expect(status).toBeLessThan(500);
  // A name that is empty, or a step, leads to another path.
  if (statusesOfAll.includes(status) && (code === 'route.not_found' || code === 'method.not_allowed')) return;
  expect(route.problems[status] ?? []).toContain(code);
}

/** Where in our own code something happened is nobody's business, nor what was set as a password. */
function expectSilent(said: string): void {
  expect(said).not.toMatch(/\bat .*\.(ts|js):\d+|node_modules|node:internal|TypeError|ZodError|ValidationException/);
  expect(said).not.toContain(Buffer.from(secret).toString('base64'));
}

test(`whatever is sent (FUZZ_SEED=${seed})`, async () => {
  process.stdout.write(`fuzz: FUZZ_SEED=${seed}\n`);
  await setUp();
  let before = await rig.dump();
  const met = new Map<number, number>();
  const taken = new Set<string>();
  await fc.assert(
    fc.asyncProperty(requests, async ({ route, target, body, headers: given, token }) => {
      const { method } = route;
      const withBody = method !== 'GET' && method !== 'DELETE';
      const sent = { token, headers: given, ...(withBody ? { raw: body } : {}) };
      const answered = await rig.request(method, target, sent);
      met.set(answered.status, (met.get(answered.status) ?? 0) + 1);
      if (answered.status < 300) taken.add(nameOf(route));
      // The path may have led to a route beside this one, whose answers are its own.
      const path = new URL(target, 'http://localhost').pathname;
      const same = path.split('/').length === route.path.split('/').length && !path.includes('//');
      if (same) expectDocumented(route, answered);
      expect(answered.status).toBeLessThan(500);
      if (answered.status >= 400) expectSilent(answered.text);
      if (method === 'GET') return;
      const after = await rig.dump();
      if (answered.status >= 400) expect(after).toBe(before);
      before = after;
      // A deployment that is being deleted takes no more changes, and none comes back: here it does.
      if (answered.status === 202) await rig.revive();
      if (method !== 'DELETE' || answered.status >= 300) return;
      // What is gone leaves little to try.
      await setUp();
      before = await rig.dump();
    }),
    { seed, numRuns, endOnFailure: false },
  );
  expectSilent(rig.log.join('\n'));
  expect(rig.log.join('\n')).not.toContain(secret);
  expect(before).not.toContain(`"${secret}"`);
  // It got somewhere: every route took something, and refused something.
  expect(taken).toEqual(new Set(routes.map(nameOf)));
  process.stdout.write(`fuzz: answers by status ${JSON.stringify(Object.fromEntries(met))}\n`);
}, 120_000);

test('a cursor that was tampered with is refused', async () => {
  await rig.request('PUT', 'session-limit', { body: {} });
  for (const username of ['a', 'b', 'c'])
    await rig.request('PUT', `session-limit/overrides/${username}`, { body: { limit: 1 } });
  const path = `${fillPath('/v1/deployments/{deploymentId}', 'mine')}/session-limit/overrides?limit=1`;
  const { nextCursor } = (await rig.request('GET', path)).json as { nextCursor: string };
  const bytes = Buffer.from(nextCursor, 'base64url');
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (place, change) => {
      const tampered = Buffer.from(bytes);
      tampered[place] = (tampered[place] ?? 0) ^ change;
      const answered = await rig.request('GET', `${path}&cursor=${tampered.toString('base64url')}`);
      expect(answered.status).toBe(400);
    }),
    { seed, numRuns: 60 },
  );
}, 60_000);
