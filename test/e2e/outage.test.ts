// S17 at the wire: the database dies under load and comes back. Real clients, the real engine as a process of its own.

import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import type { MqttClient } from 'mqtt';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestEngine, type TestEngine } from '../support/engine.ts';
import { type ClientSpec, join, refusalOf, type Version } from '../support/mqtt.ts';
import { eventually, type Rig, startRig } from '../support/product.ts';

let engine: TestEngine;
let rig: Rig;
let dbPath: string;
let open: MqttClient[];

beforeEach(async () => {
  dbPath = joinPath(tmpdir(), `headcount-outage-${process.pid}-${Math.random().toString(36).slice(2)}.db`);
  engine = await startTestEngine({ dbPath });
  rig = await startRig({ env: { DYNAMODB_ENDPOINT: engine.endpoint } });
  open = [];
}, 60_000);
afterEach(async () => {
  for (const client of open) client.end(true);
  await rig.stop();
  await engine.stop();
  for (const end of ['', '-wal', '-shm']) await rm(`${dbPath}${end}`, { force: true });
}, 60_000);

const versions: readonly Version[] = [3, 4, 5];
const spec = (n: number, more: Partial<ClientSpec> = {}): ClientSpec => ({
  version: versions[n % 3] ?? 5,
  clientId: `c${n}`,
  ...more,
});

async function stay(one: ClientSpec): Promise<void> {
  open.push(await join(rig.product, one));
}

/** 0 where it was let in. */
async function codeOf(one: ClientSpec): Promise<number> {
  try {
    await stay(one);
    return 0;
  } catch (error) {
    return Number((error as { code?: unknown }).code);
  }
}

async function usedAfterLease(): Promise<number> {
  rig.advance(31);
  await rig.product.sweep();
  return rig.used('alice');
}

async function admitWhileDown(): Promise<void> {
  const { status } = await rig.api('PATCH', '/deployments/demo', { onStoreFailure: 'admit' });
  expect(status).toBe(200);
  // Settings are held for a few seconds of the product's clock.
  rig.advance(5);
}

test('a deployment that admits: who is let in is counted when the database is back, over the limit, and then it holds', async () => {
  await admitWhileDown();
  await rig.limit(2);
  await stay(spec(0));
  await stay(spec(1));
  await eventually(async () => (await rig.used('alice')) === 2, 'two sessions');

  await engine.stop();
  for (let n = 2; n < 8; n++) expect(await codeOf(spec(n))).toBe(0);
  // Nobody learns now which username or password would be right.
  expect(await refusalOf(join(rig.product, spec(5, { clientId: 'x', password: 'guess' })))).toBe(0x88);
  expect(await refusalOf(join(rig.product, spec(5, { clientId: 'x', username: 'nobody' })))).toBe(0x88);
  expect(await refusalOf(join(rig.product, spec(4, { clientId: 'x', password: 'guess' })))).toBe(0x03);
  // One of them is gone again before anybody could count it.
  await open.pop()?.endAsync();

  await engine.restart();
  await rig.product.quiet();
  // What its reports could not tell any more, the lease does, from whenever it was counted.
  await eventually(async () => (await usedAfterLease()) === 7, 'seven sessions');
  const { body } = await rig.api('GET', '/deployments/demo/session-usage/alice');
  expect(body).toMatchObject({ used: 7, overLimit: true });
  expect(body).not.toHaveProperty('rejections');
  expect(await refusalOf(join(rig.product, spec(5, { clientId: 'late' })))).toBe(0x97);

  await Promise.all(open.splice(0).map((client) => client.endAsync()));
  await rig.product.quiet();
  await eventually(async () => (await usedAfterLease()) === 0, 'none');
}, 120_000);

async function health(): Promise<readonly [number, string | null]> {
  // What was found is told for a second.
  rig.advance(1);
  const { status, headers } = await fetch(`http://127.0.0.1:${rig.product.httpPort}/healthz`);
  return [status, headers.get('content-type')];
}

test.each([
  ['reject', false],
  ['admit', true],
] as const)(
  'killed and started again under load (%s): not healthy meanwhile, never quota, and every count is right afterwards',
  async (_says, admits) => {
    if (admits) await admitWhileDown();
    for (const username of ['alice', 'bob']) await stay(spec(0, { clientId: `${username}-0`, username }));
    const wave = (from: number) =>
      Array.from({ length: 20 }, async (_, n) => {
        const username = n % 2 === 0 ? 'alice' : 'bob';
        return { username, code: await codeOf(spec(n, { clientId: `${username}-${from + n}`, username })) };
      });
    // The first are on their way when it dies, the next come while it is dead, the last when it is back.
    const before = wave(1);
    await Promise.race(before);
    await engine.stop();
    const during = await Promise.all(wave(21));
    const answers = [...(await Promise.all(before)), ...during];
    expect(await health()).toEqual([503, 'application/problem+json']);
    await engine.restart();
    expect(await health()).toEqual([200, 'application/json']);
    answers.push(...(await Promise.all(wave(41))));
    const told = new Set(answers.map((one) => one.code));
    if (admits) expect(told).toEqual(new Set([0]));
    else expect(new Set(during.map((one) => one.code))).toEqual(new Set([0x88, 0x03]));
    expect(told).not.toContain(0x97);
    await rig.product.quiet();
    rig.advance(31);
    await rig.product.sweep();
    for (const username of ['alice', 'bob']) {
      const there = 1 + answers.filter((one) => one.username === username && one.code === 0).length;
      await eventually(async () => (await rig.used(username)) === there, `${there} sessions of ${username}`);
    }
    await Promise.all(open.splice(0).map((client) => client.endAsync()));
    await rig.product.quiet();
    rig.advance(31);
    await rig.product.sweep();
    for (const username of ['alice', 'bob'])
      await eventually(async () => (await rig.used(username)) === 0, `no session of ${username}`);
  },
  120_000,
);
