// Two CONNECTs of one client id on their way at once, through the front door: what it tells of them, in every order.

import { expect, test } from 'vitest';
import type { AttemptId } from '../../shared/domain/ids.ts';
import { seconds } from '../../shared/domain/time.ts';
import { tableForEachTest } from '../support/tables.ts';
import { type Core, createCore } from './rig.ts';

let core: Core;
tableForEachTest(({ client, tableName }) => {
  core = createCore(client, tableName);
});

async function admitted(expiry = 0) {
  const decision = await core.connect('alice', 'a', { expiry });
  if (decision.kind !== 'admitted') throw new Error(decision.reason);
  return decision.attempt;
}

function orders<T>(of: readonly T[]): readonly (readonly T[])[] {
  if (of.length < 2) return [of];
  return of.flatMap((first, at) => orders(of.filter((_, other) => other !== at)).map((rest) => [first, ...rest]));
}

const told = ['1 connected', '2 connected', '1 disconnected', '2 disconnected'] as const;

test.each(orders(told))(
  'S10: both have come and gone: none is counted once that is told: %s, %s, %s, %s',
  async (...order) => {
    const attempts = [await admitted(), await admitted()];
    for (const each of order) {
      const [which, type] = each.split(' ') as ['1' | '2', 'connected' | 'disconnected'];
      const attempt = attempts[Number(which) - 1];
      if (attempt !== undefined) await core.report(`door.${type}`, 'alice', 'a', attempt);
    }
    expect(await core.used('alice')).toBe(0);
  },
);

test.each([
  ['the first', 0, 1],
  ['the second', 1, 0],
])('whichever of the two the broker has kept, %s, it counts until that one ends', async (_which, kept, ended) => {
  const attempts = [await admitted(600), await admitted(600)];
  const report = (type: 'door.connected' | 'door.disconnected', which: number) =>
    core.report(type, 'alice', 'a', attempts[which] as AttemptId, 600);
  core.broker.set('a', { kind: 'connected', since: core.now(), expirySeconds: seconds(600) });
  for (const which of [0, 1]) await report('door.connected', which);
  await report('door.disconnected', ended);
  expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'connected' } });
  core.broker.set('a', { kind: 'retained', disconnectedAt: core.now(), expirySeconds: seconds(600) });
  await report('door.disconnected', kept);
  expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'retained' }, ambiguity: 'none' });
  expect(await core.used('alice')).toBe(1);
  core.advance(601);
  await core.sweep();
  expect(await core.used('alice')).toBe(0);
});

test.each([
  ['the first was never sent', 0],
  ['the second was never sent', 1],
])('S10: %s, the other has come and gone: nobody is counted', async (_what, which) => {
  const attempts = [await admitted(), await admitted()];
  const [unsent, sent] = which === 0 ? attempts : attempts.reverse();
  if (unsent === undefined || sent === undefined) throw new Error('both were admitted');
  await core.reportUnsent('alice', 'a', unsent);
  expect(await core.used('alice')).toBe(1);
  await core.report('door.connected', 'alice', 'a', sent);
  await core.report('door.disconnected', 'alice', 'a', sent);
  expect(await core.used('alice')).toBe(0);
});

test('S10: of three, the one that was never sent is not waited for', async () => {
  const attempts = [await admitted(), await admitted()];
  const [first, unsent] = attempts;
  if (first === undefined || unsent === undefined) throw new Error('both were admitted');
  await core.reportUnsent('alice', 'a', unsent);
  const last = await admitted();
  for (const attempt of [first, last]) await core.report('door.connected', 'alice', 'a', attempt);
  await core.report('door.disconnected', 'alice', 'a', last);
  expect(await core.used('alice')).toBe(0);
});

test.each([
  ['before its connection is told', false],
  ['after it, with an end that the broker told before', true],
])('S10: an expiry that a DISCONNECT has made longer counts, told %s', async (_when, confirmed) => {
  const attempts = [await admitted(), await admitted()];
  const last = attempts.at(-1);
  if (last === undefined) throw new Error('both were admitted');
  if (confirmed) {
    await core.event('disconnected', 'a', 1);
    await core.report('door.connected', 'alice', 'a', last);
  }
  core.advance(86_400);
  await core.report('door.disconnected', 'alice', 'a', last, 900);
  expect((await core.session('alice', 'a'))?.countsUntil).toBe(core.now() + 900_000);
});

test('one that nothing is told of may be on its way for ten seconds, and three by clocks that differ: until then nothing is freed', async () => {
  await admitted();
  const second = await admitted();
  await core.report('door.connected', 'alice', 'a', second);
  await core.report('door.disconnected', 'alice', 'a', second);
  core.advance(12);
  await core.sweep();
  expect(await core.used('alice')).toBe(1);
  core.broker.set('a', { kind: 'connected', since: core.now() });
  core.advance(2);
  await core.sweep();
  expect(await core.used('alice')).toBe(1);
});
