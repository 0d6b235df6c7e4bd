// S17: what a CONNECT is told while the database does not answer, and what is counted of it afterwards. The engine is
// really stopped and started.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ConnectRequest } from '../../shared/domain/connect.ts';
import type { DeploymentId, Username } from '../../shared/domain/ids.ts';
import { defaultsOf, limitSettings } from '../../shared/domain/settings.ts';
import { type ConnectRig, startConnectRig } from './connect-rig.ts';

let rig: ConnectRig;
const change = () => ({ actor: 'test', at: rig.now() as never });

beforeEach(async () => {
  rig = await startConnectRig();
  await rig.addDeployment('demo', { onStoreFailure: 'admit' });
  await rig.addDeployment('strict');
  for (const id of ['demo', 'strict']) {
    await rig.addUser(id, 'alice', 'alice-secret');
    const limit = { ...defaultsOf(limitSettings), maxSessionsPerUsername: 1, whitelist: [] };
    await rig.settings.putSessionLimit(id as DeploymentId, limit, change());
    // The one session of the limit; and now the process knows the deployment and the credential.
    expect((await rig.connect({ deploymentId: id, clientId: 'first' })).kind).toBe('admitted');
  }
}, 30_000);
afterEach(() => rig.stop());

test('a deployment that does not say so rejects as unavailable, never as quota, and records nothing', async () => {
  await rig.engine.stop();
  for (const clientId of ['first', 'second'])
    expect(await rig.connect({ deploymentId: 'strict', clientId })).toMatchObject({ reason: 'unavailable' });
  rig.advance(60);
  expect(await rig.connect({ deploymentId: 'strict' })).toMatchObject({ reason: 'unavailable' });
  expect([rig.queue, rig.rejections]).toEqual([[], []]);
});

describe('onStoreFailure: admit', () => {
  // Within the seconds in which everything is cached, and after them.
  test.each([1, 60, 899])(
    '%i s after it was last read, a right password is let in, and counted when the database is back',
    async (after) => {
      await rig.engine.stop();
      rig.advance(after);
      const hints = { protocolVersion: 5, cleanStart: false, expirySeconds: 600, ipAddress: '192.0.2.9' } as never;
      const decision = await rig.connect({ clientId: 'second', hints });
      expect(decision).toMatchObject({ kind: 'admitted', username: 'alice', expirySeconds: 600 });
      expect(rig.queue).toHaveLength(1);
      // A delivery that meets the same outage costs nothing: it waits.
      await rig.drain();
      expect(rig.queue).toHaveLength(1);
      await rig.engine.restart();
      await rig.drain();
      expect(rig.queue).toEqual([]);
      expect(await rig.used('demo', 'alice')).toBe(2);
      expect(await rig.session('demo', 'alice', 'second')).toMatchObject({
        recounted: true,
        attempts: [
          {
            protocolVersion: 5,
            ipAddress: '192.0.2.9',
            ...(decision.kind === 'admitted' ? { id: decision.attempt } : {}),
          },
        ],
      });
      expect(await rig.connect({ clientId: 'third' })).toMatchObject({ reason: 'quota_exceeded' });
      expect(rig.rejections).toHaveLength(1);
    },
  );

  test('on settings older than 15 min nobody is let in, nor by a process that has read none', async () => {
    await rig.engine.stop();
    rig.advance(900);
    expect(await rig.connect({})).toMatchObject({ reason: 'unavailable' });
    rig.advance(-600);
    expect((await rig.connect({})).kind).toBe('admitted');
    rig.newProcess();
    expect(await rig.connect({})).toMatchObject({ reason: 'unavailable' });
  });

  test('where the queue takes nothing, nobody would be counted: unavailable', async () => {
    await rig.engine.stop();
    rig.queueFails = true;
    expect(await rig.connect({})).toMatchObject({ reason: 'unavailable' });
  });

  test.each<[string, Partial<ConnectRequest>]>([
    ['a wrong password', { password: Buffer.from('guess') }],
    ['no password', { password: undefined }],
    ['an unknown username', { username: 'nobody' }],
    ['no user name', { username: undefined }],
    ['an unknown deployment', { deploymentId: 'nowhere' }],
    ['another deployment’s user', { deploymentId: 'strict', password: Buffer.from('guess') }],
  ])('%s is unavailable after one hash, so that nobody learns which names there are', async (_what, request) => {
    await rig.engine.stop();
    for (const after of [0, 60]) {
      rig.advance(after);
      rig.watch();
      expect(await rig.connect(request)).toMatchObject({ kind: 'rejected', reason: 'unavailable' });
      expect(rig.hashes).toBe(1);
    }
    expect(rig.queue).toEqual([]);
  });

  test('a username that was seen blocked stays out, also for a client that is connected', async () => {
    await rig.settings.putOverride('demo' as DeploymentId, 'alice' as Username, { kind: 'blocked' }, change());
    rig.advance(5);
    expect(await rig.connect({})).toMatchObject({ reason: 'blocked' });
    await rig.engine.stop();
    for (const clientId of ['first', 'second'])
      expect(await rig.connect({ clientId })).toMatchObject({ reason: 'blocked' });
    expect(rig.queue).toEqual([]);
  });

  test('a suspended deployment stays suspended, and a client id that cannot be tracked is refused', async () => {
    await rig.addDeployment('asleep', { onStoreFailure: 'admit', status: 'suspended' });
    await rig.addUser('asleep', 'alice', 'alice-secret');
    expect(await rig.connect({ deploymentId: 'asleep' })).toMatchObject({ reason: 'suspended' });
    await rig.engine.stop();
    rig.advance(60);
    expect(await rig.connect({ deploymentId: 'asleep' })).toMatchObject({ reason: 'suspended' });
    expect(await rig.connect({ clientId: 'a+b' })).toMatchObject({ reason: 'client_id' });
    expect(rig.queue).toEqual([]);
  });

  test('what another username may have left under a client id is not inherited', async () => {
    await rig.engine.stop();
    expect(await rig.connect({ clientId: 'first' })).not.toHaveProperty('mustCleanStart');
    expect(await rig.connect({ clientId: 'unseen' })).toMatchObject({ kind: 'admitted', mustCleanStart: true });
  });

  test('contention is no outage: what the database answers too slowly for one CONNECT lets nobody in', async () => {
    rig.budgetMs = -1;
    rig.newProcess();
    expect(await rig.connect({ clientId: 'second' })).toMatchObject({ reason: 'unavailable' });
    expect([rig.queue, rig.rejections]).toEqual([[], []]);
  });

  test('a credential that was removed is forgotten by the process that has seen it gone', async () => {
    await rig.credentials.deleteCredential('demo' as DeploymentId, 'alice' as Username);
    rig.advance(5);
    expect(await rig.connect({})).toMatchObject({ reason: 'bad_credentials' });
    await rig.engine.stop();
    expect(await rig.connect({})).toMatchObject({ reason: 'unavailable' });
  });
});
