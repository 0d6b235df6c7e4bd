// The pieces of the benchmark that start processes of their own, at their smallest: they run, and what they answer is
// what was asked for. No figure is looked at that a machine could change.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hold } from '../../bench/front-door/hold.ts';
import { timeAuthorizer } from '../../bench/latency/authorizer.ts';
import { timeConnects } from '../../bench/latency/connects.ts';
import { groundOn, prepareScene } from '../../bench/paths/prepare.ts';
import { failures, type Report } from '../../bench/report/report.ts';
import { bundleSdk } from '../../bench/start/bundles.ts';
import { timeImport } from '../../bench/start/cold-import.ts';
import { reconcileAll } from '../../bench/sweep/reconcile.ts';
import { seedExpired, sweepExpired } from '../../bench/sweep/run.ts';
import { loadCertificate } from '../../local/certificate.ts';
import { systemClock } from '../../shared/adapters/node/clock.ts';
import { createTestTable, startTestEngine, type TestEngine } from '../support/engine.ts';

const main = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));
let engine: TestEngine;
let folder = '';
beforeAll(async () => {
  engine = await startTestEngine();
  folder = mkdtempSync(join(tmpdir(), 'headcount-bench-test-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await engine.stop();
});

const bench = (...args: readonly string[]) =>
  promisify(execFile)(process.execPath, ['--import', 'tsx', main, ...args], { timeout: 100_000 });

test('`--only units --json` measures the units, writes them, and ends with 1 only where a budget is broken', async () => {
  const file = join(folder, 'units.json');
  const code = await bench('--only', 'units', '--json', file).then(
    () => 0,
    (error: { code: number }) => error.code,
  );
  const report: Report = JSON.parse(readFileSync(file, 'utf8'));
  expect(code).toBe(failures(report.sections).length === 0 ? 0 : 1);
  expect(report).toMatchObject({ format: 1, sections: [{ name: 'units', mode: 'quick' }] });
  const [units] = report.sections;
  expect(units?.commit).toMatch(/^[0-9a-f]{10}\+?$|^unknown$/);
  expect(units?.machine.node).toBe(process.versions.node);
  expect(units?.rows).toContainEqual(
    expect.objectContaining({ what: 'confirm', value: 2, unit: 'write units', budget: 2, ok: true, binding: true }),
  );
}, 120_000);

test('a section that does not exist is an error that names those that do', async () => {
  const failed = await bench('--only', 'nothing').catch((error: { code: number; stderr: string }) => error);
  expect(failed).toMatchObject({ code: 1 });
  expect(failed.stderr).toContain('there is no section nothing; there are units, requests, growth');
}, 120_000);

test("the authorizer's handler and bare writes take turns, each as often as it was asked for", async () => {
  const tableName = 'turns';
  const ground = await groundOn(engine.endpoint, tableName);
  const scene = await prepareScene(ground, { usernames: 60, held: 1, startAt: systemClock.now() });
  await scene.limit(scene.username, 1);
  const username = await scene.newUsername();
  const times = await timeAuthorizer({
    endpoint: engine.endpoint,
    tableName,
    deploymentId: scene.deploymentId,
    password: scene.password,
    usernames: [username],
    full: scene.username,
    rounds: 2,
    turns: 3,
  });
  expect(Object.keys(times).sort()).toEqual(['bare', 'new', 'reconnect', 'rejected']);
  for (const rounds of Object.values(times)) expect(rounds.map((round) => round.length)).toEqual([3, 3]);
  // Three in each round, and in the one that warmed up; reconnects and rejections counted nobody.
  expect(await scene.used(username)).toBe(9);
  expect(await scene.used(scene.username)).toBe(1);
  ground.close();
}, 120_000);

test('real clients connect at every place, and messages are acknowledged', async () => {
  const { connects, messages } = await timeConnects(1, 2);
  expect(Object.keys(connects).sort()).toEqual(['broker', 'door', 'product', 'product, straight']);
  expect(connects.product?.flat()).toHaveLength(2);
  expect(Object.keys(messages).sort()).toEqual(['broker', 'door']);
}, 120_000);

test('a front door holds as many idle connections as it was asked to, over TCP and over TLS', async () => {
  expect((await hold(30, undefined)).connections).toBe(30);
  const { key, cert } = await loadCertificate(undefined, systemClock);
  expect((await hold(10, { key, cert })).connections).toBe(10);
}, 120_000);

test('the SDK clients alone are bundled and load', async () => {
  const sdk = await bundleSdk(folder);
  expect(sdk.bytes).toBeGreaterThan(100_000);
  expect(await timeImport(sdk.file)).toBeGreaterThan(0);
}, 120_000);

test('a sweep frees what has expired, unless it is told to stop; the reconciler walks everything and repairs nothing', async () => {
  const { client, tableName } = await createTestTable(engine.endpoint);
  await seedExpired(client, tableName, 60, 6);
  expect(await sweepExpired(client, tableName, () => true)).toEqual({ freed: 0, sweeps: 0 });
  expect(await sweepExpired(client, tableName)).toEqual({ freed: 60, sweeps: 1 });
  const walked = await reconcileAll(engine.endpoint, 100);
  expect(walked).toMatchObject({ sessions: 100, questions: 100, repaired: 0 });
}, 120_000);
