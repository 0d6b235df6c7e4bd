// The typed client and the places of the console: what they send and how they read, without a browser.

import { describe, expect, test } from 'vitest';
import { createClient } from '../../console/client/client.ts';
import { parsePathName, pathName } from '../../console/client/path-name.ts';
import { ApiProblem, isNotOffered } from '../../console/client/problem.ts';
import { scopes } from '../../console/client/types.ts';
import { differences } from '../../console/pages/audit-differences.ts';
import { buildHelp } from '../../console/pages/connect-commands.ts';
import { hoursUntil } from '../../console/pages/hours.ts';
import { parseSessionExpiry, sessionExpiryRule } from '../../console/pages/session-expiry.ts';
import { maxSessionsRule, maxSessionsUsual, parseMaxSessions } from '../../console/pages/session-limit/max-sessions.ts';
import { nameInText, shownName } from '../../console/parts/shown-name.ts';
import { addressOf, type Place, parsePlace } from '../../console/shell/places.ts';
import { samePage } from '../../console/shell/same-page.ts';
import { decodeSegment } from '../../functions/api/path-segment.ts';
import {
  maxSessionsPerUsernameDefault,
  maxSessionsPerUsernameMax,
  sessionExpirySecondsMax,
} from '../../shared/config/constants.ts';
import { allScopes } from '../../shared/config/scopes.ts';

const names = [
  'alice',
  '~',
  '.',
  '..',
  'a/b',
  'a?b',
  '100%',
  'ü',
  '日本',
  '😀',
  ' ',
  '\u0001',
  '\uFEFFa',
  'a'.repeat(256),
];

describe('a name in a path', () => {
  test.each(names)('is read by the API as it was meant: %j', (name) => {
    expect(decodeSegment(pathName(name))).toEqual({ ok: true, value: name });
    expect(pathName(name)).toMatch(/^~[\w-]*$/);
    expect(parsePathName(pathName(name))).toBe(name);
  });

  test.each(['alice', '~*', '~a', '~_w'])('that nobody wrote is none: %s', (segment) => {
    expect(parsePathName(segment)).toBeUndefined();
  });
});

const places: readonly Place[] = [
  { page: 'deployments' },
  { page: 'operations' },
  { page: 'tenant-audit' },
  { page: 'overview', deploymentId: 'demo' },
  { page: 'connect', deploymentId: 'demo' },
  { page: 'mqtt-users', deploymentId: 'demo' },
  { page: 'audit', deploymentId: 'demo' },
  { page: 'rejections', deploymentId: 'demo' },
  { page: 'session-limit', tab: 'usage', deploymentId: 'demo' },
  { page: 'session-limit', tab: 'settings', deploymentId: 'demo' },
  { page: 'session-limit', tab: 'overrides', deploymentId: 'demo' },
  { page: 'session-limit', tab: 'usage', clientsOf: 'a/ü?', deploymentId: 'demo' },
  { page: 'clients', deploymentId: 'demo' },
  { page: 'clients', clientId: '../x', deploymentId: 'demo' },
];

test.each(places)('every place has an address, and is found by it: %j', (place) => {
  expect(parsePlace(addressOf(place))).toEqual(place);
});

test.each([
  '/x',
  '/toString',
  '/operations/x',
  '/audit/demo',
  '/deployments/demo/x',
  '/deployments/demo/audit/x',
  '/deployments/demo/session-limit/usage/alice',
])('an address of nothing leads to nothing: %s', (address) => {
  expect(parsePlace(address)).toEqual({ page: 'not-found' });
});

// The console imports nothing of the product, so what it says again is held to it here.
describe('what the console knows by itself is what holds:', () => {
  test('the scopes', () => {
    expect(scopes).toEqual(allScopes);
  });

  test('the most sessions that a limit may be, and what it is where nobody says', () => {
    expect(parseMaxSessions(`${maxSessionsPerUsernameMax}`)).toBe(maxSessionsPerUsernameMax);
    expect(parseMaxSessions(`${maxSessionsPerUsernameMax + 1}`)).toBeUndefined();
    expect(maxSessionsRule).toContain(maxSessionsPerUsernameMax.toLocaleString('en'));
    expect(maxSessionsUsual).toBe(maxSessionsPerUsernameDefault);
  });

  test('the longest session expiry', () => {
    expect(parseSessionExpiry(`${sessionExpirySecondsMax}`)).toBe(sessionExpirySecondsMax);
    expect(parseSessionExpiry(`${sessionExpirySecondsMax + 1}`)).toBeUndefined();
    expect(sessionExpiryRule).toContain(sessionExpirySecondsMax.toLocaleString('en'));
  });
});

describe('the client', () => {
  function clientOf(answer: () => Response | Promise<Response>) {
    const requests: Request[] = [];
    const problems: ApiProblem[] = [];
    const client = createClient({
      baseUrl: 'http://api.test',
      token: async () => 'secret',
      fetch: async (input, init) => {
        requests.push(new Request(input, init));
        return answer();
      },
      onProblem: (problem) => problems.push(problem),
    });
    return { client, requests, problems };
  }
  const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Response =>
    new Response(JSON.stringify(body), { status, headers });
  const problemOf = (attempt: Promise<unknown>): Promise<unknown> => attempt.catch((error: unknown) => error);

  test('sends the token, the name in its safe form, and the version it saw', async () => {
    const { client, requests } = clientOf(() => json({ version: 4 }, 200, { etag: '"4"' }));
    await client.listUsage({ deploymentId: 'demo', sort: 'used', order: 'desc', minUsed: 3, cursor: 'c' });
    await client.changeSessionLimit('demo', { enabled: false }, '"3"');
    await client.getClient('demo', 'a/b');
    await client.listOperations({ cursor: 'c' });
    await client.listTenantAudit({});
    expect(requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET http://api.test/v1/deployments/demo/session-usage?sort=used&order=desc&minUsed=3&cursor=c',
      'PATCH http://api.test/v1/deployments/demo/session-limit',
      'GET http://api.test/v1/deployments/demo/clients/~YS9i',
      'GET http://api.test/v1/operations?cursor=c',
      'GET http://api.test/v1/audit',
    ]);
    expect(requests[0]?.headers.get('authorization')).toBe('Bearer secret');
    expect(requests[0]?.credentials).toBe('omit');
    expect(requests[1]?.headers.get('if-match')).toBe('"3"');
  });

  test('answers the version beside what it read', async () => {
    const { client } = clientOf(() => json({ version: 4 }, 200, { etag: '"4"' }));
    expect(await client.getSessionLimit('demo')).toEqual({ value: { version: 4 }, etag: '"4"' });
  });

  test('tells what the API lets the caller do, of the scopes that it knows', async () => {
    const told: unknown[] = [];
    const answers = [{ 'x-scopes': 'settings:read later:scope usage:read' }, {}];
    const client = createClient({
      baseUrl: 'http://api.test',
      token: async () => 'secret',
      fetch: async () => json({}, 200, answers.shift() ?? {}),
      onScopes: (granted) => told.push(granted),
    });
    await client.getDeployment('demo');
    await client.getDeployment('demo');
    expect(told).toEqual([['settings:read', 'usage:read']]);
  });

  test('turns a problem document into one error with its code, faults and scope', async () => {
    const body = { code: 'forbidden', detail: 'Needs more.', errors: [{ in: 'body', name: 'limit', detail: 'bad' }] };
    const { client, problems } = clientOf(() => json(body, 403, { 'x-request-id': 'r-1' }));
    const problem = await problemOf(client.kickClient('demo', 'phone'));
    expect(problem).toBeInstanceOf(ApiProblem);
    expect(problem).toMatchObject({
      status: 403,
      code: 'forbidden',
      message: 'Needs more.',
      faults: body.errors,
      requestId: 'r-1',
      scope: 'sessions:kick',
    });
    expect(problems).toEqual([problem]);
  });

  test('tells an answer that is no problem document, and no answer at all, from it', async () => {
    const gateway = clientOf(() => new Response('<html>Bad gateway</html>', { status: 502 }));
    expect(await problemOf(gateway.client.getDeployment('demo'))).toMatchObject({
      status: 502,
      code: 'answer.not_understood',
    });
    const gone = clientOf(() => Promise.reject(new TypeError('fetch failed')));
    expect(await problemOf(gone.client.getDeployment('demo'))).toMatchObject({ status: 0, code: 'unreachable' });
  });

  test('knows a route that a server does not have from an object that is not there', async () => {
    const about = (code: string) => new ApiProblem({ status: 404, code, detail: '' });
    expect(isNotOffered(about('route.not_found'))).toBe(true);
    expect(isNotOffered(about('method.not_allowed'))).toBe(true);
    expect(isNotOffered(about('client.not_found'))).toBe(false);
  });
});

test('what cannot be seen in a name is written out', () => {
  expect(shownName('a\u0000b\u202Ec')).toBe('a\\u{0}b\\u{202E}c');
  const controls = ['\u061C', '\u200E', '\u200F', '\u202A', '\u202E', '\u2066', '\u2069', '\uFEFF'];
  for (const control of controls) expect(nameInText(`a${control}b`)).toMatch(/^a\\u\{[0-9A-F]+\}b$/);
  expect(nameInText('alice')).toBe('alice');
  expect(nameInText('\u05D0\u05D1')).toBe('\u2068\u05D0\u05D1\u2069');
  expect(shownName(' a b ')).toBe('\\u{20}a b\\u{20}');
  expect(shownName('日本 😀')).toBe('日本 😀');
});

test('hours without a rejection are shown as such', () => {
  const told = [{ hour: '2026-11-22T19:00:00.000Z', rejections: 3 }];
  const hours = hoursUntil(new Date('2026-11-22T20:30:00Z'), 3, told);
  expect(hours.map(({ hour, rejections }) => [hour.toISOString().slice(11, 13), rejections])).toEqual([
    ['18', 0],
    ['19', 3],
    ['20', 0],
  ]);
});

test('an audit record is told by what differs', () => {
  const before = { enabled: true, maxSessionsPerUsername: 5 };
  expect(differences(before, { enabled: true, maxSessionsPerUsername: 6 })).toEqual([
    { name: 'maxSessionsPerUsername', from: '5', to: '6' },
  ]);
  expect(differences(null, { added: { usernames: ['a', 'b'], count: 12 } })).toEqual([
    { name: 'added', from: undefined, to: 'a, b and 10 more' },
  ]);
  expect(differences(null, null)).toEqual([]);
  expect(differences({ limit: 'blocked' }, null)).toEqual([{ name: 'limit', from: 'blocked', to: 'nothing' }]);
});

test.each([
  ['//evil.example/x?y=//z', '/evil.example/x?y=//z'],
  ['/\\\\evil.example', '/evil.example'],
  ['\\\\/evil.example', '/evil.example'],
  ['/deployments//demo///', '/deployments/demo/'],
  ['/deployments/demo?a=b', '/deployments/demo?a=b'],
  ['https://evil.example/', '/https:/evil.example/'],
  ['/\t/evil.example', '/evil.example'],
  ['?x', '/?x'],
  ['', '/'],
])('%s leads to a page of this origin after sign-in', (address, path) => {
  expect(samePage(address)).toBe(path);
  expect(new URL(path, 'https://console.example').origin).toBe('https://console.example');
});

test('the commands and addresses of the help can be used where the local run listens on an IPv6 address', () => {
  const help = buildHelp(
    { deploymentId: 'demo', mqttHost: null },
    { tcp: { host: '::1', port: 1883 }, tls: { host: '::1', port: 8883, ownCertificate: true }, frontDoor: true },
    { username: 'alice', clientId: 'c' },
  );
  expect(help.address.map(({ value }) => value)).toEqual(['[::1]:1883', '[::1]:8883', 'demo/…']);
  expect(help.commands[0]?.text).toContain('-h ::1 -p 1883');
});
