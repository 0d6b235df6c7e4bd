// Limits as code: the command itself, as somebody runs it, against the real local API.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Rig, startRig } from '../support/product.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
let rig: Rig;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'headcount-apply-'));
  rig = await startRig();
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

function apply(yaml: string, ...given: readonly (string | Record<string, string>)[]): Promise<Ran> {
  const flags = given.filter((each) => typeof each === 'string');
  const env = Object.assign({}, ...given.filter((each) => typeof each === 'object')) as Record<string, string>;
  const file = join(folder, 'limits.yaml');
  writeFileSync(file, yaml);
  const child = spawn(process.execPath, ['--import', 'tsx', 'apply/main.ts', file, ...flags], {
    cwd: root,
    env: {
      ...process.env,
      HEADCOUNT_URL: `http://127.0.0.1:${rig.product.httpPort}`,
      HEADCOUNT_TOKEN: 'local',
      ...env,
    },
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

test('a dry run shows what would change, and changes nothing', async () => {
  const { code, out } = await apply(limits, '--dry-run');
  expect(code).toBe(0);
  expect(out).toContain('~ deployment.sessionExpirySeconds: 3600 -> 600');
  expect(out).toContain('+ session limit');
  expect(out).toContain('+ whitelist "böse/name"');
  expect(out).toContain('+ override "a/b c": unlimited');
  expect((await rig.api('GET', '/deployments/demo/session-limit')).status).toBe(404);
}, 60_000);

test('a run makes it so, and a second one finds nothing to change', async () => {
  expect(await apply(limits)).toMatchObject({ code: 0, err: '' });
  expect((await rig.api('GET', '/deployments/demo/session-limit')).body).toMatchObject({
    enabled: true,
    maxSessionsPerUsername: 5,
    whitelist: ['bridge', 'böse/name'],
    version: 1,
  });
  expect((await rig.api('GET', '/deployments/demo/session-limit/overrides')).body.items).toEqual([
    { username: 'a/b c', limit: 'unlimited' },
    { username: 'alice', limit: 20 },
    { username: 'mallory', limit: 'blocked' },
  ]);
  expect(await apply(limits)).toEqual({ code: 0, out: 'nothing to change\n', err: '' });
}, 60_000);

test('only what differs is changed, and what the file does not name any more goes', async () => {
  const less = limits.replace('alice: 20', 'alice: 7').replace('  mallory: blocked\n', '');
  const { code, out } = await apply(less);
  expect(code).toBe(0);
  expect(out.trim().split('\n')).toEqual([
    '~ override "alice": 20 -> 7',
    '- override "mallory": blocked',
    'done: deployment demo',
  ]);
}, 60_000);

test('a part that the file leaves out is left alone; none removes the limit for good', async () => {
  expect(await apply('deployment: {id: demo}')).toMatchObject({ out: 'nothing to change\n' });
  expect((await rig.api('GET', '/deployments/demo/session-limit')).status).toBe(200);
  expect(await apply('deployment: {id: demo}\nsessionLimit: none')).toMatchObject({ code: 0 });
  expect((await rig.api('GET', '/deployments/demo/session-limit')).status).toBe(404);
}, 60_000);

test('a deployment that does not exist is made once, by its name', async () => {
  const yaml = 'deployment: {name: The fleet}\nsessionLimit: {maxSessionsPerUsername: 3}';
  const first = await apply(yaml);
  expect(first).toMatchObject({ code: 0, err: '' });
  expect(first.out).toContain('+ deployment "The fleet"');
  expect(await apply(yaml)).toMatchObject({ out: 'nothing to change\n' });
}, 60_000);

test('a file that cannot be meant is refused whole, line by line, before anything is asked', async () => {
  const { code, err } = await apply(
    [
      'deployment: {id: demo}',
      'sessionLimit:',
      '  maxSessionPerUsername: 5',
      '  enabled: perhaps',
      'overrides:',
      '  alice: 0',
    ].join('\n'),
  );
  expect(code).toBe(2);
  expect(
    err
      .trim()
      .split('\n')
      .map((line) => line.replace(/^.*limits\.yaml/, '')),
  ).toEqual([
    ':3: sessionLimit has no field "maxSessionPerUsername", only enabled, maxSessionsPerUsername, whitelist',
    ':4: sessionLimit.enabled must be true or false',
    ':6: the override of "alice" must be a number of at least 1, unlimited or blocked',
  ]);
  expect(await apply('deployment: [')).toMatchObject({ code: 2, err: expect.stringContaining('limits.yaml:1: ') });
  expect(await apply('deployment: {id: nobodys}')).toMatchObject({ code: 1, err: expect.stringContaining('404') });
}, 60_000);

test('a change that is told to come again is sent again, as often as it takes', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    request.resume();
    if (asked.length % 3 !== 0) response.writeHead(429, { 'retry-after': '0' }).end();
    else response.writeHead(200, { 'content-type': 'application/json' }).end('{"items":[],"deploymentId":"d1"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const ran = await apply('deployment:\n  name: new\n', { HEADCOUNT_URL: `http://127.0.0.1:${port}` });
  server.close();
  expect(ran.code).toBe(0);
  const list = 'GET /v1/deployments?limit=100';
  const make = 'POST /v1/deployments';
  expect(asked).toEqual([list, list, list, make, make, make]);
});

test.each([
  ['http://headcount.example', 'over https only'],
  ['http://192.168.1.5:3000', 'over https only'],
  ['http://localhost.example:3000', 'over https only'],
  ['https://token@headcount.example', 'HEADCOUNT_TOKEN'],
  ['headcount.example', 'it is a URL'],
])('the token does not leave for %s', { timeout: 60_000 }, async (HEADCOUNT_URL, said) => {
  const ran = await apply(limits, { HEADCOUNT_URL });
  expect(ran.code).toBe(2);
  expect(ran.err).toContain(said);
});

test('a slash behind the address changes nothing', { timeout: 60_000 }, async () => {
  const ran = await apply(limits, '--dry-run', { HEADCOUNT_URL: `http://localhost:${rig.product.httpPort}//` });
  expect(ran).toMatchObject({ code: 0, err: '' });
});
