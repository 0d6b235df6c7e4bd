// A client id that goes to another username moments after its session was freed.

import { expect, test } from 'vitest';
import type { AttemptId } from '../../shared/domain/ids.ts';
import { seconds } from '../../shared/domain/time.ts';
import { tableForEachTest } from '../support/tables.ts';
import { type Core, createCore } from './rig.ts';
import { Steps, stepTimes } from './steps.ts';

let core: Core;
let steps: Steps;
tableForEachTest(({ client, tableName }) => {
  core = createCore(client, tableName);
  steps = new Steps(client, tableName);
});

test('I2: what a process that died left half freed is freed for good when its client id goes to another username', async () => {
  // Owner, session, the freed session; then it dies, before it reads the roster. Its event comes again, as bob's.
  await core.connect('alice', 'shared', { witness: 'broker' });
  core.broker.set('shared', { kind: 'connected', since: core.now(), expirySeconds: seconds(0) });
  await core.event('connected', 'shared', 1);
  const dying = await steps.begin((by) => by.event('disconnected', 'shared', 1, 'CLIENT_INITIATED_DISCONNECT'));
  expect(await stepTimes(dying, 3)).toBe(true);
  dying.die();
  expect(await core.session('alice', 'shared')).toMatchObject({ phase: { kind: 'ended' } });
  expect((await core.session('alice', 'shared'))?.phase).not.toHaveProperty('uncountPending');
  expect(await core.used('alice')).toBe(1);
  expect(await core.connect('bob', 'shared')).toMatchObject({ kind: 'admitted' });
  expect([await core.used('alice'), await core.used('bob')]).toEqual([0, 1]);
});

test('I2: a client id stays with its username where the newcomer finds no room, so a CONNECT that comes late counts', async () => {
  core.takeover = 'allow';
  core.max = 1;
  await core.connect('ben', 'shared', { witness: 'broker' });
  core.advance(31);
  // The broker has nothing, so the old session is freed. Then another client takes the newcomer's room.
  core.onDelete = async () => {
    await core.join('ann', 'other');
    return 'gone';
  };
  expect(await core.connect('ann', 'shared')).toEqual({ kind: 'rejected', reason: 'quota_exceeded' });
  expect([await core.used('ben'), await core.used('ann')]).toEqual([0, 1]);
  core.broker.set('shared', { kind: 'connected', since: core.now(), expirySeconds: seconds(0) });
  await core.event('connected', 'shared', 1);
  expect([await core.used('ben'), await core.used('ann')]).toEqual([1, 1]);
});

test('I2: what a takeover has ended keeps nothing, also where its client comes back before the record says so', async () => {
  core.takeover = 'allow';
  const first = await core.join('ben', 'shared', 600);
  let second: AttemptId | undefined;
  core.onDelete = async () => {
    core.onDelete = async () => 'gone';
    core.advance(1);
    const decision = await core.connect('ben', 'shared', { expiry: 600 });
    second = decision.kind === 'admitted' ? decision.attempt : undefined;
    return 'gone';
  };
  await expect(core.connect('ann', 'shared')).rejects.toThrow('others came first, or it took too long');
  core.advance(1);
  await core.report('door.disconnected', 'ben', 'shared', first, 600);
  await core.report('door.failed', 'ben', 'shared', second as AttemptId);
  core.advance(40);
  await core.sweep();
  expect(await core.session('ben', 'shared')).toMatchObject({ phase: { kind: 'ended' } });
  expect(await core.used('ben')).toBe(0);
  expect(await core.connect('ann', 'shared')).toMatchObject({ kind: 'admitted' });
});
