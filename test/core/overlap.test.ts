// CONNECTs of one client id that overlap, told of by the front door in any order: what it has told of all of them is exact.

import { expect, test } from 'vitest';
import { seconds } from '../../shared/domain/time.ts';
import { tableForEachTest } from '../support/tables.ts';
import { type Core, createCore } from './rig.ts';

let core: Core;
tableForEachTest(({ client, tableName }) => {
  core = createCore(client, tableName);
});

async function attemptOf(username: string, clientId: string, expiry = 0) {
  const decision = await core.connect(username, clientId, { expiry });
  if (decision.kind !== 'admitted') throw new Error(decision.reason);
  return decision.attempt;
}

const told = { c: 'door.connected', d: 'door.disconnected', f: 'door.failed' } as const;

test.each([
  ['c1', 'c2', 'd1', 'd2'],
  ['c1', 'd1', 'c2', 'd2'],
  ['c2', 'c1', 'd1', 'd2'],
  ['c1', 'c2', 'd2', 'd1'],
  ['c2', 'd2', 'c1', 'd1'],
  ['f1', 'c2', 'd2'],
  ['c2', 'f1', 'd2'],
  ['d1', 'c2', 'd2'],
])('S10: the session is freed with the last that is told, and not before: %s %s %s %s', async (...order) => {
  const attempts = [await attemptOf('alice', 'two'), await attemptOf('alice', 'two')];
  const steps = order.filter((step) => step !== undefined);
  for (const [n, step] of steps.entries()) {
    core.advance(1);
    const attempt = attempts[Number(step[1]) - 1];
    if (attempt === undefined) throw new Error(`${step} names no attempt`);
    expect(await core.used('alice'), `before ${step}`).toBe(1);
    const ended = steps.slice(0, n + 1).filter((one) => !one.startsWith('c')).length;
    core.broker.set('two', ended < attempts.length ? { kind: 'connected', since: core.now() } : { kind: 'absent' });
    await core.report(told[step[0] as keyof typeof told], 'alice', 'two', attempt);
  }
  expect(await core.used('alice')).toBe(0);
});

test('one of which nothing has been told may still be on its way: the session counts on', async () => {
  await attemptOf('alice', 'two');
  const second = await attemptOf('alice', 'two');
  await core.report('door.connected', 'alice', 'two', second);
  await core.report('door.disconnected', 'alice', 'two', second);
  expect(await core.used('alice')).toBe(1);
  core.advance(40);
  await core.sweep();
  expect(await core.used('alice')).toBe(0);
});

test.each([
  ['is told before the newcomer’s connection', true],
  ['is told after it', false],
])(
  'S9: a session with an expiry that is taken over at once is not kept until then; its end %s',
  async (_when, first) => {
    core.takeover = 'allow';
    const old = await attemptOf('alice', 'shared', 600);
    await core.report('door.connected', 'alice', 'shared', old, 600);
    const newcomer = await attemptOf('bob', 'shared');
    core.broker.set('shared', { kind: 'connected', since: core.now(), expirySeconds: seconds(0) });
    const end = () => core.report('door.disconnected', 'alice', 'shared', old, 600);
    if (first) await end();
    await core.report('door.connected', 'bob', 'shared', newcomer);
    if (!first) await end();
    expect([await core.used('alice'), await core.used('bob')]).toEqual([0, 1]);
  },
);
