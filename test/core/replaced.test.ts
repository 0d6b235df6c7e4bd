// A client id that goes to another username moments after its session began, or was freed.

import { expect, test } from 'vitest';
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

async function attemptOf(username: string, clientId: string, expiry = 0) {
  const decision = await core.connect(username, clientId, { expiry });
  if (decision.kind !== 'admitted') throw new Error(decision.reason);
  return decision.attempt;
}

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

test('S9: nor if the newcomer has gone again before any of it is told', async () => {
  core.takeover = 'allow';
  const old = await attemptOf('alice', 'shared', 600);
  await core.report('door.connected', 'alice', 'shared', old, 600);
  const newcomer = await attemptOf('bob', 'shared');
  core.advance(6);
  // Nothing is left at the broker: the newcomer began clean, and ended with an expiry of 0.
  core.broker.set('shared', { kind: 'absent' });
  await core.event('disconnected', 'shared', 1, 'DUPLICATE_CLIENTID');
  await core.report('door.disconnected', 'alice', 'shared', old, 600);
  await core.report('door.connected', 'bob', 'shared', newcomer);
  await core.report('door.disconnected', 'bob', 'shared', newcomer);
  expect([await core.used('alice'), await core.used('bob')]).toEqual([0, 0]);
});

test('I2: what a process that died left half freed is freed for good when its client id goes to another username', async () => {
  // Owner, session, the freed session; then it dies, before it reads the roster. Its event comes again, as bob's.
  await core.connect('alice', 'shared', { witness: 'broker' });
  core.broker.set('shared', { kind: 'connected', since: core.now(), expirySeconds: seconds(0) });
  await core.event('connected', 'shared', 1);
  const dying = await steps.begin((by) => by.event('disconnected', 'shared', 1, 'CLIENT_INITIATED_DISCONNECT'));
  expect(await stepTimes(dying, 3)).toBe(true);
  dying.die();
  expect(await core.session('alice', 'shared')).toMatchObject({ holding: 'freed' });
  expect(await core.session('alice', 'shared')).not.toHaveProperty('owes');
  expect(await core.used('alice')).toBe(1);
  expect(await core.connect('bob', 'shared')).toMatchObject({ kind: 'admitted' });
  expect([await core.used('alice'), await core.used('bob')]).toEqual([0, 1]);
});
