// S6, S7 and the sentences on passwords of ARCHITECTURE.md, "Security": what a stranger's CONNECT causes, and what it is
// told. On the real engine, with every request to the database and every hash counted.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ConnectRequest } from '../../shared/domain/connect.ts';
import type { DeploymentId, Username } from '../../shared/domain/ids.ts';
import { defaultsOf, limitSettings } from '../../shared/domain/settings.ts';
import { type ConnectRig, startConnectRig } from './connect-rig.ts';

let rig: ConnectRig;
const guess = Buffer.from('guess');

beforeAll(async () => {
  rig = await startConnectRig();
  await rig.addDeployment('demo');
  await rig.addDeployment('asleep', { status: 'suspended' });
  for (const id of ['demo', 'asleep']) await rig.addUser(id, 'alice', 'alice-secret');
  await rig.settings.putSessionLimit(
    'demo' as DeploymentId,
    { ...defaultsOf(limitSettings), maxSessionsPerUsername: 1, whitelist: [] },
    { actor: 'test', at: rig.now() as never },
  );
  await rig.connect({ clientId: 'holder' });
}, 30_000);
afterAll(() => rig.stop());
beforeEach(() => {
  rig.newProcess();
  rig.queue.length = 0;
  rig.rejections.length = 0;
  rig.log.length = 0;
});

const strangers: [string, Partial<ConnectRequest>][] = [
  ['a wrong password', {}],
  ['a wrong password at a full quota', { clientId: 'second' }],
  ['a wrong password and a client id that is held', { clientId: 'holder', username: 'bob' }],
  ['a wrong password and no client id', { clientId: undefined }],
  ['a wrong password in a suspended deployment', { deploymentId: 'asleep' }],
  ['no password', { password: undefined }],
  ['an empty password', { password: new Uint8Array() }],
  ['an unknown username', { username: 'nobody' }],
  ['no user name', { username: undefined }],
  ['an empty user name', { username: '' }],
  ['a user name that cannot be one', { username: 'a\u0000b' }],
  ['a user name of 60 KB', { username: 'x'.repeat(60_000) }],
  ['an unknown deployment', { deploymentId: 'nowhere' }],
  ['no deployment', { deploymentId: undefined }],
  ['a deployment that cannot be one', { deploymentId: 'NOT|one' }],
  [
    'another deployment’s right password',
    { deploymentId: 'asleep', username: 'bob', password: Buffer.from('alice-secret') },
  ],
];

describe.each(strangers)('%s', (_what, request) => {
  // The first time nothing is remembered, the second time what the first has read, the third the deployment only.
  test('is bad credentials, after one hash and as many readings as any other', async () => {
    const caused: unknown[] = [];
    for (const after of [0, 0, 5]) {
      rig.advance(after);
      rig.watch();
      const decision = await rig.connect({ password: guess, ...request });
      expect(decision).toEqual({ kind: 'rejected', reason: 'bad_credentials', detail: 'bad credentials' });
      caused.push([rig.hashes, [...rig.sent].sort()]);
    }
    const [settings, credential] = ['BatchGetItemCommand', 'GetItemCommand'];
    expect(caused).toEqual([
      [1, [settings, credential]],
      [1, [credential]],
      [1, [settings, credential]],
    ]);
  });

  test('moves no counter, no session and no rejection record, and names nobody in the log', async () => {
    const before = [await rig.used('demo', 'alice'), await rig.session('demo', 'alice', 'holder')];
    await rig.connect({ password: guess, ...request });
    expect([await rig.used('demo', 'alice'), await rig.session('demo', 'alice', 'holder')]).toEqual(before);
    expect([rig.rejections, rig.queue]).toEqual([[], []]);
    const message = 'a connect was rejected before its credentials were right';
    expect(rig.log.map((line) => JSON.parse(line))).toEqual([
      { message, detail: 'bad credentials', protocolVersion: 5 },
    ]);
  });
});

test('guesses at a username side by side cost as much whether it exists or not', async () => {
  const caused: unknown[] = [];
  for (const username of ['alice', 'nobody']) {
    rig.newProcess();
    rig.watch();
    const guesses = Array.from({ length: 20 }, (_, n) =>
      rig.connect({ username, password: Buffer.from(`guess-${n}`) }),
    );
    for (const decision of await Promise.all(guesses)) expect(decision).toMatchObject({ reason: 'bad_credentials' });
    caused.push([rig.hashes, rig.sent.filter((name) => name === 'GetItemCommand').length]);
  }
  expect(caused[0]).toEqual(caused[1]);
});

test('after more guesses than fit into the queue of hashes all others are unavailable, and nobody is locked out', async () => {
  const guesses = Array.from({ length: 100 }, (_, n) => rig.connect({ username: `u${n}`, password: guess }));
  const reasons = (await Promise.all(guesses)).map((one) => (one.kind === 'rejected' ? one.reason : one.kind));
  expect(new Set(reasons)).toEqual(new Set(['bad_credentials', 'unavailable']));
  expect(reasons.filter((one) => one === 'bad_credentials').length).toBeGreaterThanOrEqual(66);
  for (let n = 0; n < 30; n++) await rig.connect({ password: Buffer.from(`guess-${n}`) });
  expect(await rig.connect({ clientId: 'holder' })).toMatchObject({ kind: 'admitted' });
});

describe('a changed password', () => {
  const set = (password: string) => rig.addUser('demo', 'carol', password);
  const told = async (password: string) => {
    const decision = await rig.connect({ username: 'carol', password: Buffer.from(password), clientId: 'carol-1' });
    return decision.kind === 'admitted' ? 'admitted' : decision.reason;
  };

  test('works at once, and the old one no longer than 5 s', async () => {
    await set('old');
    expect(await told('old')).toBe('admitted');
    await set('new');
    expect(await told('new')).toBe('admitted');
    rig.advance(5);
    expect(await told('old')).toBe('bad_credentials');
    expect(await told('new')).toBe('admitted');
  });

  test('holds within 5 s also against somebody who keeps connecting with the old one', async () => {
    await set('old');
    expect(await told('old')).toBe('admitted');
    await set('new');
    for (let second = 0; second < 5; second++) {
      await told('old');
      rig.advance(1);
    }
    expect(await told('old')).toBe('bad_credentials');
  });

  test('removed, it is worth nothing 5 s later', async () => {
    await set('old');
    expect(await told('old')).toBe('admitted');
    await rig.credentials.deleteCredential('demo' as DeploymentId, 'carol' as Username);
    rig.advance(5);
    expect(await told('old')).toBe('bad_credentials');
  });
});

test('S7: what is said after valid credentials, in this order: deployment state, client id, blocked, quota', async () => {
  const reason = async (request: Partial<ConnectRequest>) => {
    const decision = await rig.connect(request);
    return decision.kind === 'rejected' ? decision.reason : decision.kind;
  };
  expect(await reason({ deploymentId: 'asleep', clientId: '' })).toBe('suspended');
  expect(await reason({ clientId: '' })).toBe('client_id');
  expect(await reason({ clientId: 'second' })).toBe('quota_exceeded');
  const change = { actor: 'test', at: rig.now() as never };
  await rig.settings.putOverride('demo' as DeploymentId, 'alice' as Username, { kind: 'blocked' }, change);
  rig.advance(5);
  expect(await reason({ clientId: '' })).toBe('client_id');
  expect(await reason({ clientId: 'second' })).toBe('blocked');
  expect(await reason({ clientId: 'holder' })).toBe('blocked');
  // S5: each of them is recorded, with the client id as it was sent.
  expect(rig.rejections.map(({ deploymentId, clientId, reason: why }) => [deploymentId, clientId, why])).toEqual([
    ['asleep', '', 'suspended'],
    ['demo', '', 'client_id_invalid'],
    ['demo', 'second', 'quota'],
    ['demo', '', 'client_id_invalid'],
    ['demo', 'second', 'blocked'],
    ['demo', 'holder', 'blocked'],
  ]);
  await rig.settings.deleteOverride('demo' as DeploymentId, 'alice' as Username, change);
});
