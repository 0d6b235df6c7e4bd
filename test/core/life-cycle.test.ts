// The life of a session by the rules of "How events are read", one rule a test, on the real engine.

import { expect, test } from 'vitest';
import type { AttemptId } from '../../shared/domain/ids.ts';
import { seconds } from '../../shared/domain/time.ts';
import { tableForEachTest } from '../support/tables.ts';
import { type Core, createCore } from './rig.ts';

let core: Core;
tableForEachTest(({ client, tableName }) => {
  core = createCore(client, tableName);
});

/** Admitted straight to the broker, and confirmed by its event with version `version`. */
async function joinStraight(clientId: string, version: number, expiry = 0): Promise<void> {
  core.broker.set(clientId, { kind: 'connected', expirySeconds: seconds(expiry) });
  expect((await core.connect('alice', clientId, { witness: 'broker', expiry: 3_600 })).kind).toBe('admitted');
  await core.event('connected', clientId, version);
}

async function attemptOf(clientId: string): Promise<AttemptId> {
  const decision = await core.connect('alice', clientId);
  if (decision.kind !== 'admitted') throw new Error(decision.reason);
  return decision.attempt;
}

test('S10: expiry 0 frees at once, an expiry retains until disconnect + expiry and no longer', async () => {
  const gone = await core.join('alice', 'gone');
  await core.report('door.disconnected', 'alice', 'gone', gone);
  expect(await core.used('alice')).toBe(0);
  const kept = await core.join('alice', 'kept');
  core.advance(100);
  await core.report('door.disconnected', 'alice', 'kept', kept, 50);
  expect(await core.session('alice', 'kept')).toMatchObject({
    phase: { kind: 'retained' },
    countsUntil: core.now() + 50_000,
  });
  core.advance(49);
  await core.sweep();
  expect(await core.used('alice')).toBe(1);
  core.advance(1);
  await core.sweep();
  expect(await core.used('alice')).toBe(0);
});

test('I5: every report twice and thrice changes nothing more', async () => {
  const attempt = await core.join('alice', 'a', 60);
  await core.join('alice', 'b');
  for (let n = 0; n < 3; n++) await core.report('door.connected', 'alice', 'a', attempt, 60);
  for (let n = 0; n < 3; n++) await core.report('door.disconnected', 'alice', 'a', attempt, 0);
  await core.report('door.connected', 'alice', 'a', attempt, 60);
  await core.report('door.failed', 'alice', 'a', attempt);
  expect(await core.used('alice')).toBe(1);
});

test('S12: a failed reconnect leaves the retained session as it was', async () => {
  const first = await core.join('alice', 'a', 600);
  await core.report('door.disconnected', 'alice', 'a', first, 600);
  const before = await core.session('alice', 'a');
  core.advance(100);
  const second = await attemptOf('a');
  await core.report('door.failed', 'alice', 'a', second);
  expect(await core.session('alice', 'a')).toMatchObject({
    phase: { kind: 'retained' },
    countsUntil: before?.countsUntil,
  });
  core.advance(500);
  await core.sweep();
  expect(await core.used('alice')).toBe(0);
});

test('S12: a failed reconnect over a live connection leaves it connected, and its own end still frees it', async () => {
  const first = await core.join('alice', 'a');
  const second = await attemptOf('a');
  await core.report('door.failed', 'alice', 'a', second);
  expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'connected' } });
  await core.report('door.disconnected', 'alice', 'a', first);
  expect(await core.used('alice')).toBe(0);
});

test('S12: a connection that ends while a newer attempt is pending frees nothing, and all once that attempt has failed', async () => {
  const first = await core.join('alice', 'a');
  const second = await attemptOf('a');
  await core.report('door.disconnected', 'alice', 'a', first);
  expect(await core.used('alice')).toBe(1);
  await core.report('door.failed', 'alice', 'a', second);
  expect(await core.used('alice')).toBe(0);
});

test("S13: the old connection's end, told after the new one is confirmed, frees nothing", async () => {
  const first = await core.join('alice', 'a');
  await core.join('alice', 'a');
  await core.report('door.disconnected', 'alice', 'a', first);
  expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'connected' } });
});

test.each([
  ['absent', 0],
  ['connected', 1],
  ['unknown', 1],
] as const)('S12: at the end of the lease the broker says %s: %i stays counted', async (kind, used) => {
  core.broker.set('a', { kind });
  await core.connect('alice', 'a');
  core.advance(29);
  await core.sweep();
  expect(await core.used('alice')).toBe(1);
  core.advance(2);
  await core.sweep();
  expect(await core.used('alice')).toBe(used);
});

test('S12: where nobody can ever say, an attempt counts until its upper bound and no longer', async () => {
  core.broker.set('a', { kind: 'unknown' });
  await core.connect('alice', 'a');
  core.advance(86_300);
  await core.sweep();
  expect(await core.used('alice')).toBe(1);
  core.advance(3_600);
  await core.sweep();
  expect(await core.used('alice')).toBe(0);
});

test('rule 2: straight to the broker, nothing frees while an attempt is pending', async () => {
  await joinStraight('a', 1);
  await core.connect('alice', 'a', { witness: 'broker' });
  await core.event('disconnected', 'a', 1, 'DUPLICATE_CLIENTID');
  expect(await core.used('alice')).toBe(1);
  await core.event('connected', 'a', 2);
  expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'connected' } });
});

test('rule 3: only the confirmed pair frees, in any order of versions', async () => {
  await joinStraight('a', 7);
  await core.event('disconnected', 'a', 8, 'CONNECTION_LOST');
  await core.event('disconnected', 'a', 6, 'CONNECTION_LOST');
  expect(await core.used('alice')).toBe(1);
  await core.event('disconnected', 'a', 7, 'CONNECTION_LOST');
  expect(await core.used('alice')).toBe(0);
});

test('rule 3: DUPLICATE_CLIENTID after the confirmation of the newcomer frees nothing', async () => {
  await joinStraight('a', 1);
  await joinStraight('a', 2);
  await core.event('disconnected', 'a', 1, 'DUPLICATE_CLIENTID');
  await core.event('disconnected', 'a', 2, 'DUPLICATE_CLIENTID');
  expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'connected' } });
});

test('rule 4: a connection nobody knew is counted again from its tombstone, over the limit if need be, and flagged', async () => {
  core.max = 1;
  await core.connect('alice', 'a', { witness: 'broker' });
  core.advance(31);
  await core.sweep();
  await core.join('alice', 'b');
  core.broker.set('a', { kind: 'connected' });
  await core.event('connected', 'a', 1);
  expect(await core.used('alice')).toBe(2);
  expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'connected' }, recounted: true });
  core.broker.set('a', { kind: 'absent' });
  core.advance(14);
  await core.event('disconnected', 'a', 1);
  expect(await core.used('alice')).toBe(1);
});

test('rule 6: connect_failed frees nothing by itself', async () => {
  await joinStraight('a', 1);
  await core.event('connect_failed', 'a', 0);
  expect(await core.used('alice')).toBe(1);
  await core.connect('alice', 'b', { witness: 'broker' });
  await core.event('connect_failed', 'b', 0);
  expect(await core.used('alice')).toBe(2);
  core.advance(14);
  await core.sweep();
  expect(await core.used('alice')).toBe(1);
});

test('S10: straight to the broker, the expiry the broker tells is what counts', async () => {
  await joinStraight('a', 1, 120);
  core.broker.set('a', { kind: 'retained', expirySeconds: seconds(120) });
  await core.event('disconnected', 'a', 1);
  expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'retained' }, expirySeconds: 120 });
});

test('S13: a connection whose end is never told counts until its upper bound, and is freed then', async () => {
  core.broker.set('a', { kind: 'unknown' });
  await core.join('alice', 'a', 100);
  core.advance(86_400);
  await core.sweep();
  expect(await core.used('alice')).toBe(1);
  core.advance(200);
  await core.sweep();
  expect(await core.used('alice')).toBe(0);
});

test('I2: a place that belongs to no session is taken out by the sweep, a session that is not counted is counted', async () => {
  await core.join('alice', 'a', 60);
  const session = await core.session('alice', 'a');
  if (session === undefined) throw new Error('no session');
  const orphan = 'AAAAAAAAAAA' as typeof session.place;
  await core.store.addPlace(session.deploymentId, session.username, orphan, Number.POSITIVE_INFINITY, core.now());
  await core.store.removePlace(session.deploymentId, session.username, session.place, false);
  await core.store.lowerWake(session.deploymentId, session.username, core.now());
  const swept = await core.sweep();
  expect(swept.drift).toBe(2);
  const roster = await core.store.readRoster(session.deploymentId, session.username);
  expect([...roster.places]).toEqual([session.place]);
  expect(roster.used).toBe(1);
});
