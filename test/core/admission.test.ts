// Admission by the numbers of the product contract, on the real engine.

import { expect, test } from 'vitest';
import type { ConnectView } from '../../shared/ports/admission/owners.ts';

import type { Names } from '../../shared/ports/presence/sessions.ts';
import { createMemoryClient } from '../support/memory-client.ts';
import { tableForEachTest } from '../support/tables.ts';
import { type Core, createCore } from './rig.ts';

let core: Core;
tableForEachTest(({ client, tableName }) => {
  core = createCore(client, tableName);
});

const admitted = { kind: 'admitted' };
const quota = { kind: 'rejected', reason: 'quota_exceeded' };

test('S2: sessions are counted while nothing is enforced, so enabling on a busy deployment is right at once', async () => {
  core.max = undefined;
  for (const id of ['a', 'b', 'c']) await core.join('alice', id);
  core.max = 2;
  expect(await core.used('alice')).toBe(3);
  expect(await core.connect('alice', 'd')).toMatchObject(quota);
  expect(await core.connect('alice', 'a')).toMatchObject({ ...admitted, reconnect: true });
});

test('S3: a client id with a live session is admitted at and over the limit and changes no count', async () => {
  await core.join('alice', 'a');
  await core.join('alice', 'b', 600);
  core.max = 1;
  for (const id of ['a', 'b', 'a', 'b'])
    expect(await core.connect('alice', id)).toMatchObject({ ...admitted, reconnect: true });
  expect(await core.used('alice')).toBe(2);
});

test('S4: 60 CONNECTs of different client ids at once, and as many of the same ones: exactly the limit, each counted once', async () => {
  core.max = 7;
  const ids = Array.from({ length: 60 }, (_, n) => `c${n % 30}`);
  const decisions = await Promise.all(ids.map(async (id) => ({ id, decision: await core.connect('alice', id) })));
  const holders = new Set(decisions.filter(({ decision }) => decision.kind === 'admitted').map(({ id }) => id));
  expect(holders.size).toBe(7);
  expect(await core.used('alice')).toBe(7);
  for (const { decision } of decisions) expect([admitted.kind, quota.kind]).toContain(decision.kind);
});

test('S4: a rejection leaves no session and no count', async () => {
  core.max = 1;
  await core.join('alice', 'a');
  expect(await core.connect('alice', 'b')).toMatchObject(quota);
  expect(await core.session('alice', 'b')).toBeUndefined();
  expect(await core.used('alice')).toBe(1);
});

test('S9: a client id held live by another username is refused; once it is not, it changes hands', async () => {
  const first = await core.join('alice', 'shared');
  expect(await core.connect('bob', 'shared')).toEqual({ kind: 'rejected', reason: 'client_id_held' });
  expect(await core.used('bob')).toBe(0);
  await core.report('door.disconnected', 'alice', 'shared', first);
  expect(await core.connect('bob', 'shared')).toMatchObject(admitted);
  expect(await core.connect('alice', 'shared')).toEqual({ kind: 'rejected', reason: 'client_id_held' });
});

test('S9: an expired session of another username does not hold the client id, and is not counted any more', async () => {
  const first = await core.join('alice', 'shared', 60);
  await core.report('door.disconnected', 'alice', 'shared', first, 60);
  expect(await core.connect('bob', 'shared')).toEqual({ kind: 'rejected', reason: 'client_id_held' });
  core.advance(61);
  expect(await core.connect('bob', 'shared')).toMatchObject(admitted);
  expect(await core.used('alice')).toBe(0);
});

test('S9: two usernames that take one client id at once are not both admitted', async () => {
  for (let round = 0; round < 20; round++) {
    const decisions = await Promise.all([core.connect('alice', `r${round}`), core.connect('bob', `r${round}`)]);
    expect(decisions.filter((decision) => decision.kind === 'admitted').length).toBeLessThanOrEqual(1);
    core.max = 100;
  }
  expect((await core.used('alice')) + (await core.used('bob'))).toBeLessThanOrEqual(20);
});

test('S9, takeover allowed: the old session is ended and freed before the newcomer is counted', async () => {
  core.takeover = 'allow';
  const old = await core.join('alice', 'shared', 600);
  const ended: string[] = [];
  core.onDelete = async (id) => {
    ended.push(id);
    expect([await core.used('alice'), await core.used('bob')]).toEqual([1, 0]);
    return 'done';
  };
  expect(await core.connect('bob', 'shared')).toMatchObject(admitted);
  expect([await core.used('alice'), await core.used('bob')]).toEqual([0, 1]);
  // Its end is told late, and changes nothing.
  await core.report('door.disconnected', 'alice', 'shared', old, 600);
  expect([await core.used('alice'), await core.used('bob')]).toEqual([0, 1]);
  expect(ended).toEqual(['demo:shared']);
});

test('S9, takeover allowed: from hand to hand, each ends the one before, and one at a time counts', async () => {
  core.takeover = 'allow';
  const hands = ['alice', 'bob', 'carol', 'alice', 'carol'];
  for (const username of hands) {
    await core.join(username, 'shared', 600);
    const used = await Promise.all(['alice', 'bob', 'carol'].map((name) => core.used(name)));
    expect(used).toEqual(['alice', 'bob', 'carol'].map((name) => (name === username ? 1 : 0)));
  }
});

test('S9, takeover allowed: two newcomers at once, and one of them has it', async () => {
  core.takeover = 'allow';
  for (let round = 0; round < 10; round++) {
    const clientId = `r${round}`;
    core.max = 100;
    await core.join('alice', clientId, 600);
    const decisions = await Promise.allSettled([core.connect('bob', clientId), core.connect('carol', clientId)]);
    const won = decisions.filter((one) => one.status === 'fulfilled' && one.value.kind === 'admitted');
    expect(won.length).toBeLessThanOrEqual(1);
    expect(await core.used('alice')).toBe(0);
    expect((await core.used('bob')) + (await core.used('carol'))).toBeLessThanOrEqual(round + 1);
  }
});

test('S9: where the broker does not answer nothing changes hands, live or not', async () => {
  core.takeover = 'allow';
  const old = await core.join('alice', 'shared', 600);
  core.onDelete = async () => 'unknown';
  await expect(core.connect('bob', 'shared')).rejects.toMatchObject({ why: 'contended' });
  expect([await core.used('alice'), await core.used('bob')]).toEqual([1, 0]);
  expect(await core.session('alice', 'shared')).toMatchObject({
    attempts: [{ id: old }],
    phase: { kind: 'connected' },
  });
  await core.report('door.disconnected', 'alice', 'shared', old, 600);
  core.advance(601);
  await expect(core.connect('bob', 'shared')).rejects.toMatchObject({ why: 'contended' });
  expect(await core.session('bob', 'shared')).toBeUndefined();
  core.onDelete = async () => 'gone';
  expect(await core.connect('bob', 'shared')).toMatchObject(admitted);
});

test('S9: a client id whose last session kept nothing is taken without a question to the broker', async () => {
  core.onDelete = () => Promise.reject(new Error('nothing is to be ended'));
  await core.report('door.disconnected', 'alice', 'shared', await core.join('alice', 'shared'));
  expect(await core.connect('bob', 'shared')).toMatchObject(admitted);
  const failed = await core.connect('alice', 'other');
  if (failed.kind === 'admitted') await core.reportUnsent('alice', 'other', failed.attempt);
  expect(await core.connect('bob', 'other')).toMatchObject(admitted);
  // Straight to the broker the deployment's expiry stands in, and the client may have asked for another.
  await core.connect('alice', 'straight', { witness: 'broker' });
  core.advance(31);
  await core.sweep();
  await expect(core.connect('bob', 'straight')).rejects.toThrow('nothing is to be ended');
});

test('S9: whoever comes back to its session while it is being taken over keeps it', async () => {
  core.takeover = 'allow';
  await core.join('alice', 'shared', 600);
  core.onDelete = async () => {
    core.onDelete = async () => 'done';
    expect(await core.connect('alice', 'shared')).toMatchObject({ ...admitted, reconnect: true });
    return 'done';
  };
  await expect(core.connect('bob', 'shared')).rejects.toMatchObject({ why: 'contended' });
  expect([await core.used('alice'), await core.used('bob')]).toEqual([1, 0]);
});

test('S9: a reading of the owner that lags ends nobody: by now the client id is its own', async () => {
  let lagging: ConnectView | undefined;
  const slow = createCore(createMemoryClient(), 'table', (store) => ({
    ...store,
    readForConnect: async (...asked) => lagging ?? store.readForConnect(...asked),
  }));
  slow.takeover = 'allow';
  await slow.join('alice', 'shared', 600);
  const names = { deploymentId: 'demo', username: 'bob', clientId: 'shared' } as Names;
  const before = await slow.store.readForConnect(names, { whitelistId: undefined, overridesOf: undefined, limit: 2 });
  await slow.join('bob', 'shared', 600);
  lagging = before;
  slow.onDelete = () => Promise.reject(new Error('nobody is to be ended'));
  expect(await slow.connect('bob', 'shared')).toMatchObject({ ...admitted, reconnect: true });
});

test('S9: a newcomer at its own limit ends nobody', async () => {
  core.takeover = 'allow';
  core.max = 1;
  await core.join('alice', 'shared', 600);
  await core.join('bob', 'own');
  core.onDelete = () => Promise.reject(new Error('nobody is to be ended'));
  expect(await core.connect('bob', 'shared')).toMatchObject(quota);
});

test('S11: at a full quota the own expired sessions are reclaimed within the same CONNECT', async () => {
  for (const id of ['a', 'b']) {
    const attempt = await core.join('alice', id, 60);
    await core.report('door.disconnected', 'alice', id, attempt, 60);
  }
  expect(await core.connect('alice', 'c')).toMatchObject(quota);
  core.advance(60);
  expect(await core.connect('alice', 'c')).toMatchObject({ ...admitted, reconnect: false });
  expect(await core.connect('alice', 'd')).toMatchObject({ ...admitted, reconnect: false });
  expect(await core.connect('alice', 'e')).toMatchObject(quota);
  expect(await core.used('alice')).toBe(2);
});

test('S11: coming back to the own expired session is a new session', async () => {
  core.max = 1;
  const attempt = await core.join('alice', 'a', 60);
  await core.report('door.disconnected', 'alice', 'a', attempt, 60);
  core.advance(61);
  expect(await core.connect('alice', 'a')).toMatchObject({ ...admitted, reconnect: false });
  expect(await core.used('alice')).toBe(1);
});

test('S14: lowering the limit disconnects nobody, and lets new ones in only below it', async () => {
  core.max = 3;
  const joined: { id: string; attempt: Awaited<ReturnType<Core['join']>> }[] = [];
  for (const id of ['a', 'b', 'c']) joined.push({ id, attempt: await core.join('alice', id) });
  core.max = 1;
  for (const [n, { id, attempt }] of joined.entries()) {
    expect(await core.used('alice')).toBe(3 - n);
    expect(await core.connect('alice', 'new')).toMatchObject(quota);
    await core.report('door.disconnected', 'alice', id, attempt);
  }
  expect(await core.connect('alice', 'new')).toMatchObject(admitted);
});
