// Limits as code: the command itself against the real local API.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../apply/run.ts';
import { type Rig, startRig } from '../support/product.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
let rig: Rig;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'headcount-apply-'));
  rig = await startRig({ env: { API_TOKENS: 'reads=local:settings:read,limits=local:settings:read+settings:write' } });
}, 60_000);
afterAll(async () => {
  await rig?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function fileOf(yaml: string, name = 'limits.yaml'): string {
  const file = join(folder, name);
  writeFileSync(file, yaml);
  return file;
}

const env = (given: object) => ({
  HEADCOUNT_URL: `http://127.0.0.1:${rig.product.httpPort}`,
  HEADCOUNT_TOKEN: 'local',
  ...given,
});

/** What the command does, in this process. */
async function applyFiles(
  files: readonly string[],
  ...given: readonly (string | Record<string, string>)[]
): Promise<Ran> {
  let [out, err] = ['', ''];
  const code = await run([...files, ...given.filter((each) => typeof each === 'string')], {
    env: env(Object.assign({}, ...given.filter((each) => typeof each === 'object'))),
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err: err.replaceAll(`${folder}/`, '') };
}

const apply = (yaml: string, ...given: readonly (string | Record<string, string>)[]): Promise<Ran> =>
  applyFiles([fileOf(yaml)], ...given);

/** The command as an operator runs it. */
function command(...args: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'apply/main.ts', ...args], {
    cwd: root,
    env: { ...process.env, ...env({}) },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })));
}

async function serving<T>(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
  work: (at: { HEADCOUNT_URL: string }) => Promise<T>,
): Promise<T> {
  const server: Server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await work({ HEADCOUNT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** The API, behind something that does `first` when the first request of `when` but `skipped` arrives. */
function interrupted(
  when: RegExp,
  first: () => Promise<unknown>,
  work: (at: { HEADCOUNT_URL: string }) => Promise<Ran>,
  skipped = 0,
) {
  let skip = skipped;
  let pending: Promise<unknown> | undefined;
  const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (when.test(`${request.method} ${request.url}`)) {
      skip -= 1;
      if (skip < 0) pending ??= first();
      await pending;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { host: _, connection: __, 'content-length': ___, 'transfer-encoding': ____, ...headers } = request.headers;
    const answer = await fetch(`http://127.0.0.1:${rig.product.httpPort}${request.url}`, {
      method: request.method ?? 'GET',
      headers: headers as Record<string, string>,
      ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
    });
    const body = Buffer.from(await answer.arrayBuffer());
    response.writeHead(
      answer.status,
      Object.fromEntries([...answer.headers].filter(([name]) => name !== 'content-encoding')),
    );
    response.end(body);
  };
  return serving((request, response) => void forward(request, response), work);
}

const limits = `
deployment:
  id: demo
  sessionExpirySeconds: 600
sessionLimit:
  maxSessionsPerUsername: 5
  whitelist: [bridge, "böse/name"]
overrides:
  alice: 20
  "a/b c": unlimited
  mallory: blocked
`;

const demo = '/deployments/demo';
const limitPath = `${demo}/session-limit`;
const overridePath = (username: string) => `${limitPath}/overrides/${username}`;
const overrides = async () => (await rig.api('GET', `${limitPath}/overrides?limit=100`)).body.items;
const deploymentsNamed = async (name: string) =>
  (
    (await rig.api('GET', '/deployments?limit=100')).body.items as {
      deploymentId: string;
      name: string;
      status: string;
    }[]
  ).filter((one) => one.name === name && one.status !== 'deleting');

test('a dry run shows what would change, and changes nothing', async () => {
  const { code, out } = await apply(limits, '--dry-run');
  expect(code).toBe(0);
  expect(out).toContain('~ deployment.sessionExpirySeconds: 3600 -> 600');
  expect(out).toContain('+ session limit');
  expect(out).toContain('+ whitelist "böse/name"');
  expect(out).toContain('+ override "a/b c": unlimited');
  expect((await rig.api('GET', limitPath)).status).toBe(404);
});

test('the command says with its exit code whether a dry run found a difference', { timeout: 60_000 }, async () => {
  const file = fileOf(limits);
  const ran = await command(file, '--dry-run', '--detailed-exitcode');
  expect(ran).toMatchObject({ code: 3, err: '' });
  expect(ran.out).toBe((await applyFiles([file], '--dry-run')).out);
  expect((await applyFiles([file], '--detailed-exitcode')).code).toBe(2);
  const wrong = fileOf('deployment: [', 'wrong.yaml');
  expect(await applyFiles([wrong], '--dry-run', '--detailed-exitcode')).toMatchObject({ code: 2 });
});

test('a run makes what its dry run shows, and a second one finds nothing to change', async () => {
  const shown = (await apply(limits, '--dry-run')).out.split('\n');
  const ran = await apply(limits);
  expect(ran).toMatchObject({ code: 0, err: '' });
  expect(ran.out.split('\n').slice(0, -2)).toEqual(shown.slice(0, -2));
  expect((await rig.api('GET', limitPath)).body).toMatchObject({
    enabled: true,
    maxSessionsPerUsername: 5,
    whitelist: ['bridge', 'böse/name'],
    version: 1,
  });
  expect(await overrides()).toEqual([
    { username: 'a/b c', limit: 'unlimited' },
    { username: 'alice', limit: 20 },
    { username: 'mallory', limit: 'blocked' },
  ]);
  expect(await apply(limits)).toEqual({ code: 0, out: 'nothing to change\n', err: '' });
  expect(await apply(limits, '--dry-run', '--detailed-exitcode')).toMatchObject({ code: 0 });
});

test('only what differs is changed, and what the file does not name any more goes', async () => {
  const less = limits.replace('alice: 20', 'alice: 7').replace('  mallory: blocked\n', '');
  const { code, out } = await apply(less);
  expect(code).toBe(0);
  expect(out.trim().split('\n')).toEqual([
    '- override "mallory": blocked',
    '~ override "alice": 20 -> 7',
    'done: deployment demo',
  ]);
});

test('a field of the limit that the file leaves out stays as it is, a whitelist too', async () => {
  await rig.api('PATCH', limitPath, { enabled: false });
  expect(await apply('deployment: {id: demo}\nsessionLimit: {}')).toMatchObject({ out: 'nothing to change\n' });
  expect(await apply('deployment: {id: demo}\nsessionLimit: {maxSessionsPerUsername: 6}')).toMatchObject({ code: 0 });
  expect((await rig.api('GET', limitPath)).body).toMatchObject({
    enabled: false,
    maxSessionsPerUsername: 6,
    whitelist: ['bridge', 'böse/name'],
  });
  expect(await apply('deployment: {id: demo}\nsessionLimit: {enabled: true, whitelist: []}')).toMatchObject({
    code: 0,
  });
  expect((await rig.api('GET', limitPath)).body).toMatchObject({ enabled: true, whitelist: [] });
});

test('a setting that only a newer API has keeps its value: a change sends what the file names and nothing else', async () => {
  const colour = { colour: 'red' };
  const answers: Readonly<Record<string, object>> = {
    '/v1/deployments/demo': { deploymentId: 'demo', name: 'Demo', sessionExpirySeconds: 3_600, ...colour },
    '/v1/deployments/demo/session-limit': { enabled: true, maxSessionsPerUsername: 5, whitelist: [], ...colour },
  };
  const sent: unknown[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.method !== 'GET') sent.push([request.method, JSON.parse(Buffer.concat(chunks).toString())]);
    response.writeHead(200, { etag: '"1"' }).end(JSON.stringify(answers[request.url ?? '']));
  };
  const ran = await serving(
    (request, response) => void answer(request, response),
    (at) => apply('deployment: {id: demo, sessionExpirySeconds: 60}\nsessionLimit: {maxSessionsPerUsername: 6}', at),
  );
  expect(ran).toMatchObject({ code: 0, err: '' });
  expect(sent).toEqual([
    ['PATCH', { sessionExpirySeconds: 60 }],
    ['PATCH', { maxSessionsPerUsername: 6 }],
  ]);
});

test('a setting that an older API does not have is shown as nothing, and is refused by the API by its name', async () => {
  const answers: Readonly<Record<string, object>> = {
    '/v1/deployments/demo': { deploymentId: 'demo', name: 'Demo' },
    '/v1/deployments/demo/session-limit': { maxSessionsPerUsername: 5, whitelist: [] },
  };
  const refusal = { detail: 'Wrong.', errors: [{ in: 'body', name: 'enabled', detail: 'is not a field' }] };
  const ran = await serving(
    (request, response) => {
      const isRead = request.method === 'GET';
      response.writeHead(isRead ? 200 : 400, { etag: '"1"' });
      response.end(JSON.stringify(isRead ? answers[request.url ?? ''] : refusal));
    },
    (at) => apply('deployment: {id: demo}\nsessionLimit: {enabled: true}', at),
  );
  expect(ran).toMatchObject({ code: 1, out: '~ session limit enabled: nothing -> true\n' });
  expect(ran.err).toContain('body enabled: is not a field');
});

test('a part that the file leaves out is left alone; none removes the limit for good', async () => {
  expect(await apply('deployment: {id: demo}')).toMatchObject({ out: 'nothing to change\n' });
  expect((await rig.api('GET', limitPath)).status).toBe(200);
  const ran = await apply('deployment: {id: demo}\nsessionLimit: none');
  expect(ran).toMatchObject({ code: 0 });
  expect(ran.out).toContain('- override "a/b c": unlimited');
  expect((await rig.api('GET', limitPath)).status).toBe(404);
});

describe('a change that is made between reading and writing is found, told, and not lost', () => {
  const base =
    'deployment: {id: demo, sessionExpirySeconds: 3600}\nsessionLimit: {maxSessionsPerUsername: 5, whitelist: []}\n';
  const put = (username: string, limit: unknown) => rig.api('PUT', overridePath(username), { limit });
  const whole = async () => ({
    deployment: (await rig.api('GET', demo)).body,
    limit: (await rig.api('GET', limitPath)).body,
    overrides: (await rig.api('GET', `${limitPath}/overrides`)).body,
  });
  const write = /^(PUT|PATCH|POST|DELETE) /;
  const readOfOne = /^GET .*\/overrides\/~/;

  test.each([
    [
      'a setting of the deployment',
      'sessionExpirySeconds: 900',
      write,
      () => rig.api('PATCH', demo, { onStoreFailure: 'admit' }),
    ],
    ['the limit', 'maxSessionsPerUsername: 6', write, () => rig.api('PATCH', limitPath, { whitelist: ['bob'] })],
    ['the limit, removed', 'maxSessionsPerUsername: 6', write, () => rig.api('DELETE', limitPath)],
    ['an override', 'overrides: {a: 2, b: 1}', write, () => put('a', 9)],
    ['an override, before it is read again', 'overrides: {a: 2, b: 1}', readOfOne, () => put('a', 9)],
    ['an override, removed', 'overrides: {a: 2, b: 1}', write, () => rig.api('DELETE', overridePath('a'))],
    ['an override that came', 'overrides: {a: 1, b: 1, c: 3}', write, () => put('c', 9)],
    ['an override that is to go', 'overrides: {b: 1}', write, () => put('a', 9)],
    ['an override that is to go, removed', 'overrides: {b: 1}', write, () => rig.api('DELETE', overridePath('a'))],
    ['an override that goes with its limit', 'none', /^GET .*overrides/, () => put('a', 9)],
    ['the limit that is to go', 'none', write, () => rig.api('PATCH', limitPath, { enabled: false })],
  ])('%s', async (_, wish, when, meanwhile) => {
    await rig.api('PATCH', demo, { onStoreFailure: 'reject' });
    await rig.api('DELETE', limitPath);
    expect(await apply(`${base}overrides: {a: 1, b: 1}\n`)).toMatchObject({ code: 0 });
    const yaml =
      wish === 'none'
        ? 'deployment: {id: demo}\nsessionLimit: none'
        : wish.startsWith('overrides')
          ? base + wish
          : base.replace(new RegExp(`${wish.split(':')[0]}: \\d+`), wish);
    let between: unknown;
    const ran = await interrupted(
      when,
      async () => {
        await meanwhile();
        between = await whole();
      },
      (at) => apply(yaml, at),
      when.source.endsWith('overrides') ? 1 : 0,
    );
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/changed since|412|404|not configured/);
    expect(between).toBeDefined();
    expect(await whole()).toEqual(between);
  });
});

test('a limit that comes between reading and writing is not replaced', async () => {
  await rig.api('DELETE', limitPath);
  const ran = await interrupted(
    /^PUT /,
    () => rig.api('PUT', limitPath, { maxSessionsPerUsername: 9 }),
    (at) => apply('deployment: {id: demo}\nsessionLimit: {maxSessionsPerUsername: 5}', at),
  );
  expect(ran).toMatchObject({ code: 1, err: expect.stringContaining('was answered 412') });
  expect((await rig.api('GET', limitPath)).body).toMatchObject({ maxSessionsPerUsername: 9 });
});

test('a deployment that does not exist is made once, by its name', async () => {
  const yaml = 'deployment: {name: The fleet}\nsessionLimit: {maxSessionsPerUsername: 3}';
  const first = await apply(yaml);
  expect(first).toMatchObject({ code: 0, err: '' });
  expect(first.out).toContain('+ deployment "The fleet"');
  expect(await apply(yaml)).toMatchObject({ out: 'nothing to change\n' });
});

test('two runs at once make one deployment of a name, and no later run refuses', async () => {
  const yaml = 'deployment: {name: one of a kind, sessionExpirySeconds: 60}\nsessionLimit: {}';
  let other: Ran | undefined;
  const ran = await interrupted(
    /^POST /,
    async () => {
      other = await apply(yaml);
    },
    (at) => apply(yaml, at),
  );
  expect(other).toMatchObject({ code: 0 });
  const [made, ...more] = await deploymentsNamed('one of a kind');
  expect(more).toEqual([]);
  expect(ran).toMatchObject({
    code: 1,
    err: expect.stringContaining(`it was made meanwhile, as ${made?.deploymentId}`),
  });
  expect(await apply(yaml)).toMatchObject({ out: 'nothing to change\n' });

  // The name is free again, by a new name of that deployment or by its end.
  await rig.api('PATCH', `/deployments/${made?.deploymentId}`, { name: 'renamed' });
  expect(await apply(yaml)).toMatchObject({ code: 0, err: '' });
  const [next, ...others] = await deploymentsNamed('one of a kind');
  expect(others).toEqual([]);
  await rig.api('DELETE', `/deployments/${next?.deploymentId}`);
  expect(await apply(yaml)).toMatchObject({ code: 0, err: '' });
  expect(await deploymentsNamed('one of a kind')).toHaveLength(1);
});

test('what would be refused is found out before anything is made', async () => {
  const said = 'there is no session limit that the overrides could go with';
  const orphan = 'deployment: {name: orphan}\noverrides: {alice: 1}';
  for (const flags of [['--dry-run'], []])
    expect(await apply(orphan, ...flags)).toMatchObject({ code: 1, err: expect.stringContaining(said) });
  expect(await deploymentsNamed('orphan')).toEqual([]);
  expect(await apply('deployment: {id: nobodys}')).toMatchObject({
    code: 1,
    err: expect.stringContaining('There is no such deployment. (deployment.not_found)'),
  });
  const needs = 'deployment: {name: needs}\nsessionLimit: {}';
  expect(await apply(needs, { HEADCOUNT_TOKEN: 'limits' })).toMatchObject({
    code: 1,
    err: 'apply: limits.yaml: the token lacks the scope deployments:write\napply: nothing was changed\n',
  });
  const dry = await apply(needs, '--dry-run', '--detailed-exitcode', { HEADCOUNT_TOKEN: 'reads' });
  expect(dry).toMatchObject({ code: 3, err: '' });
  expect(dry.out).toContain('this token may not make it so: it lacks deployments:write and settings:write\n');
});

test('a setting that only the API can judge leaves no new deployment behind, and is told in its words', async () => {
  const ran = await apply('deployment: {name: elsewhere, mqttHost: fleet.example.com}\nsessionLimit: {}');
  expect(ran.code).toBe(1);
  expect(ran.err).toContain('body mqttHost: must be one label below');
  expect(ran.err).toMatch(/the new deployment \S+ was removed again/);
  expect(await deploymentsNamed('elsewhere')).toEqual([]);
  expect(await apply('deployment: {name: elsewhere}')).toMatchObject({ code: 0, err: '' });
});

test('more overrides than a page holds are read and written', async () => {
  await rig.api('DELETE', limitPath);
  const of = (count: number, limit: number) =>
    `deployment: {id: demo}\nsessionLimit: {}\noverrides:\n${Array.from({ length: count }, (_, index) => `  u${index}: ${limit}\n`).join('')}`;
  expect(await apply(of(120, 1))).toMatchObject({ code: 0, err: '' });
  expect(await apply(of(120, 1))).toMatchObject({ out: 'nothing to change\n' });
  const less = await apply(of(2, 2));
  expect(less.out.split('\n').filter((line) => line.startsWith('- '))).toHaveLength(118);
  expect(await overrides()).toEqual([
    { username: 'u0', limit: 2 },
    { username: 'u1', limit: 2 },
  ]);
});

describe('of several files', () => {
  const file = (name: string, max = 3) =>
    fileOf(`deployment: {name: ${name}}\nsessionLimit: {maxSessionsPerUsername: ${max}}`, `${name}.yaml`);
  const nobodys = () => fileOf('deployment: {id: nobodys}', 'nobodys.yaml');
  const wrong = () => fileOf('deployment: {name: 1}', 'wrong.yaml');

  test('nothing is changed where one is wrong or cannot be planned, and the worst exit code counts', async () => {
    const good = file('first');
    expect(await applyFiles([good, wrong()])).toMatchObject({ code: 2, out: '' });
    expect(await applyFiles([good, nobodys()])).toMatchObject({
      code: 1,
      err: expect.stringContaining('nothing was changed'),
    });
    expect(await applyFiles([good, join(folder, 'absent.yaml')])).toMatchObject({
      code: 2,
      err: 'absent.yaml: cannot be read: ENOENT\n',
    });
    const dry = ['--dry-run', '--detailed-exitcode'];
    expect(await applyFiles([good, nobodys()], ...dry)).toMatchObject({ code: 1 });
    expect(await applyFiles([good, good], ...dry)).toMatchObject({
      code: 2,
      err: expect.stringContaining('the same deployment'),
    });
    expect(await deploymentsNamed('first')).toEqual([]);
  });

  test('each is planned, shown and made', async () => {
    const files = [file('first'), file('second')];
    const ran = await applyFiles(files);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toMatch(/first.yaml:\n\+ deployment "first"\n.*second.yaml:\n.*done: .*done: /s);
    const more = [file('first'), file('second', 4)];
    expect(await applyFiles(more, '--dry-run', '--detailed-exitcode')).toMatchObject({ code: 3 });
    const byId = fileOf(`deployment: {id: ${(await deploymentsNamed('first'))[0]?.deploymentId}}`, 'id.yaml');
    expect(await applyFiles([...more, byId])).toMatchObject({
      code: 2,
      err: expect.stringContaining('the same deployment'),
    });
    expect(await applyFiles(more, '--dry-run', '--detailed-exitcode')).toMatchObject({ code: 3 });
  });

  test('one whose change is refused keeps the other from nothing', async () => {
    const [id] = (await deploymentsNamed('first')).map((one) => one.deploymentId);
    const ran = await interrupted(
      /^PATCH /,
      () => rig.api('PATCH', `/deployments/${id}/session-limit`, { enabled: false }),
      (at) => applyFiles([file('first', 5), file('second', 5)], at),
    );
    expect(ran.code).toBe(1);
    expect(ran.err).toContain('0 of 1 changes were made: a further run goes on from there');
    expect(await applyFiles([file('second', 5)])).toMatchObject({ out: 'nothing to change\n' });
  });
});

test('a file that cannot be meant is refused whole, line by line, before anything is asked', async () => {
  const yaml = [
    'deployment: {id: demo}',
    'sessionLimit:',
    '  maxSessionPerUsername: 5',
    '  enabled: perhaps',
    'overrides:',
    '  alice: 0',
  ];
  const asked: unknown[] = [];
  const ran = await serving(
    (request) => asked.push(request.url),
    (at) => apply(yaml.join('\n'), at),
  );
  expect(asked).toEqual([]);
  expect(ran).toMatchObject({ code: 2, out: '' });
  expect(
    ran.err
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0]),
  ).toEqual(['limits.yaml:3:', 'limits.yaml:4:', 'limits.yaml:6:']);
});

test('a change that is told to come again is sent again, as often as it takes', async () => {
  const asked: string[] = [];
  const ran = await serving(
    (request, response) => {
      asked.push(`${request.method} ${request.url}`);
      request.resume();
      if (asked.length % 3 !== 0) response.writeHead(429, { 'retry-after': '0' }).end();
      else response.writeHead(201, { 'content-type': 'application/json' }).end('{"items":[],"deploymentId":"d1"}');
    },
    (at) => apply('deployment:\n  name: new\n', at),
  );
  expect(ran.code).toBe(0);
  const list = 'GET /v1/deployments?limit=100';
  const make = 'POST /v1/deployments';
  expect(asked).toEqual([list, list, list, make, make, make]);
});

test('of 500 overrides a few are written at a time, each once, and none after one that is refused', async () => {
  const usernames = Array.from({ length: 500 }, (_, index) => `u${index}`);
  const yaml = `deployment: {id: demo}\nsessionLimit: {}\noverrides:\n${usernames.map((name) => `  ${name}: 1\n`).join('')}`;
  const sent = async (refuseFrom: number) => {
    let [now, most, writes] = [0, 0, 0];
    const ran = await serving(
      (request, response) => {
        request.resume();
        response.once('close', () => {
          now -= 1;
        });
        now += 1;
        if (request.method === 'PUT') [writes, most] = [writes + 1, Math.max(most, now)];
        const refused = request.method === 'PUT' && writes > refuseFrom;
        response.writeHead(refused ? 409 : 200, { 'content-type': 'application/json', etag: '"1"' });
        response.end(
          refused ? '{"detail":"There are enough.","code":"override.too_many"}' : '{"items":[],"whitelist":[]}',
        );
      },
      (at) => apply(yaml, at),
    );
    return { ran, most, writes };
  };
  const all = await sent(Number.POSITIVE_INFINITY);
  expect(all).toMatchObject({ ran: { code: 0 }, writes: 500 });
  expect(all.most).toBeLessThanOrEqual(4);
  const some = await sent(100);
  expect(some.ran.code).toBe(1);
  expect(some.ran.err).toContain('was answered 409: There are enough. (override.too_many)');
  expect(some.ran.err).toContain('100 of 500 changes were made');
  expect(some.writes).toBeLessThanOrEqual(104);
});

test('an answer that is none of the API is told as such', async () => {
  const ran = await serving(
    (_, response) => response.writeHead(200).end('<html>'),
    (at) => apply('deployment: {id: demo}', at),
  );
  expect(ran).toMatchObject({ code: 1, err: expect.stringContaining('was not answered by the API: <html>') });
});

test('what an answer says is told in a line that can be read, however much it says', async () => {
  const fault = { in: 'body', name: 'whitelist', detail: `not this:\n\u001b[2J${'x'.repeat(50)}` };
  const errors = Array(12).fill(fault);
  const say = (body: string) =>
    serving(
      (_, response) => response.writeHead(400).end(body),
      (at) => apply('deployment: {id: demo}', at),
    );
  const { err } = await say(JSON.stringify({ detail: 'No.', code: 'request.invalid', errors }));
  expect(err).toMatch(/^[^\p{Cc}]*: No\. \(request\.invalid\); body whitelist: not this: [^\p{Cc}]*; and 2 more\n/u);
  for (const body of [JSON.stringify({ detail: 'x'.repeat(100_000) }), 'x\n'.repeat(100_000)])
    expect((await say(body)).err).toMatch(/^[^\p{Cc}]{1,1200}\n/u);
});

test.each([
  ['http://headcount.example', 'over https only'],
  ['http://192.168.1.5:3000', 'over https only'],
  ['http://localhost.example:3000', 'over https only'],
  ['https://token@headcount.example', 'HEADCOUNT_TOKEN'],
  ['headcount.example', 'it is a URL'],
])('the token does not leave for %s', async (HEADCOUNT_URL, said) => {
  const ran = await apply(limits, { HEADCOUNT_URL });
  expect(ran.code).toBe(2);
  expect(ran.err).toContain(said);
});

test('a slash behind the address changes nothing', async () => {
  const ran = await apply(limits, '--dry-run', { HEADCOUNT_URL: `http://localhost:${rig.product.httpPort}//` });
  expect(ran).toMatchObject({ code: 0, err: '' });
});
