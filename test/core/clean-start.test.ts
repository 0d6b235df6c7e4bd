// S9: who takes a client id over is let in when what another username left under it is gone from the broker, and not
// before. The real decision on the real engine, and DeleteConnection as the authorizer and the front door send it.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { createIotConnections } from '../../shared/adapters/aws/iot-connections.ts';
import { startingClean } from '../../shared/app/admission/clean-start.ts';
import type { ConnectDecision } from '../../shared/domain/connect.ts';
import type { DeploymentId, Username } from '../../shared/domain/ids.ts';
import { type DataPlane, startDataPlane } from '../contract/iot-data-plane.ts';
import { type ConnectRig, startConnectRig } from './connect-rig.ts';

let rig: ConnectRig;
let plane: DataPlane;
beforeEach(async () => {
  rig = await startConnectRig();
  await rig.addDeployment('demo', { clientIdTakeover: 'allow' });
  for (const username of ['alice', 'bob']) await rig.addUser('demo', username, `${username}-secret`);
  plane = await startDataPlane();
  const credentials = async () => ({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-key' });
  rig.broker = createIotConnections('eu-central-1', plane.endpoint, credentials);
});
afterEach(async () => {
  await plane.close();
  await rig.stop();
});

/** Once its CONNECT cannot be on its way to the broker any more. */
async function arrived(username: string, clientId: string): Promise<ConnectDecision> {
  const decision = await straight(username, clientId);
  rig.advance(31);
  return decision;
}

function straight(username: string, clientId: string): Promise<ConnectDecision> {
  const connect = startingClean(
    async ({ hints: _ofTheFrontDoor, ...request }) => rig.connect({ ...request, hints: undefined } as typeof request),
    rig.broker,
  );
  const password = Buffer.from(`${username}-secret`);
  return connect({ deploymentId: 'demo', username, password, clientId });
}

const admitted = expect.objectContaining({ kind: 'admitted' });
const unavailable = expect.objectContaining({ kind: 'rejected', reason: 'unavailable' });

test.each(['connected', 'retained'])(
  "another username's session, %s, is gone before the newcomer is let in",
  async (state) => {
    expect(await arrived('alice', 'shared')).toEqual(admitted);
    plane.connect('demo:shared', 300);
    if (state === 'retained') plane.disconnect('demo:shared');
    expect(plane.knows('demo:shared')).toBe(true);
    expect(await straight('bob', 'shared')).toEqual(admitted);
    expect(plane.knows('demo:shared')).toBe(false);
    expect([await rig.used('demo', 'alice'), await rig.used('demo', 'bob')]).toEqual([0, 1]);
  },
);

test('an attempt on its way to the broker cannot be ended there: unavailable, until it has come', async () => {
  expect(await straight('alice', 'shared')).toEqual(admitted);
  expect(await straight('bob', 'shared')).toEqual(unavailable);
  expect([await rig.used('demo', 'alice'), await rig.used('demo', 'bob')]).toEqual([1, 0]);
  rig.advance(31);
  expect(await straight('bob', 'shared')).toEqual(admitted);
});

test('a newcomer at its own limit, or blocked, ends nobody', async () => {
  expect(await arrived('alice', 'shared')).toEqual(admitted);
  plane.connect('demo:shared', 300);
  const change = { actor: 'test', at: rig.now() as never };
  const limit = { enabled: true, maxSessionsPerUsername: 1, whitelist: [] };
  await rig.settings.putSessionLimit('demo' as DeploymentId, limit, change);
  rig.advance(60);
  expect(await straight('bob', 'own')).toEqual(admitted);
  expect(await straight('bob', 'shared')).toMatchObject({ reason: 'quota_exceeded' });
  await rig.settings.putOverride('demo' as DeploymentId, 'bob' as Username, { kind: 'blocked' }, change);
  rig.advance(60);
  expect(await straight('bob', 'shared')).toMatchObject({ reason: 'blocked' });
  expect(plane.isConnected('demo:shared')).toBe(true);
  expect(await rig.used('demo', 'alice')).toBe(1);
});

test('where there is nothing at the broker, nothing is in the way', async () => {
  expect(await arrived('alice', 'shared')).toEqual(admitted);
  expect(await straight('bob', 'shared')).toEqual(admitted);
});

test.each([
  ['throttles', { status: 429, error: 'ThrottlingException' }],
  ['refuses', { status: 403, error: 'ForbiddenException' }],
  ['is somebody else', { status: 404, error: 'MissingEndpointException' }],
  ['says nothing', 'silence'],
] as const)('a broker that %s: unavailable, and again unavailable, until it has ended it', async (_how, trouble) => {
  expect(await arrived('alice', 'shared')).toEqual(admitted);
  plane.connect('demo:shared', 300);
  plane.trouble = trouble;
  expect(await straight('bob', 'shared')).toEqual(unavailable);
  expect(await straight('bob', 'shared')).toEqual(unavailable);
  expect([await rig.used('demo', 'alice'), await rig.used('demo', 'bob')]).toEqual([1, 0]);
  plane.trouble = undefined;
  expect(plane.knows('demo:shared')).toBe(true);
  expect(await straight('bob', 'shared')).toEqual(admitted);
  expect(plane.knows('demo:shared')).toBe(false);
});

test('whoever comes back to a client id of its own keeps what the broker has of it, also while nobody can be asked', async () => {
  expect(await straight('alice', 'own')).toEqual(admitted);
  plane.connect('demo:own', 300);
  plane.trouble = { status: 429, error: 'ThrottlingException' };
  expect(await straight('alice', 'own')).toEqual(admitted);
  plane.trouble = undefined;
  expect(plane.isConnected('demo:own')).toBe(true);
});

test('who is not let in ends nobody', async () => {
  expect(await straight('alice', 'shared')).toEqual(admitted);
  plane.connect('demo:shared', 300);
  const connect = startingClean(rig.connect, createIotConnections('eu-central-1', plane.endpoint));
  const wrong = { deploymentId: 'demo', username: 'bob', password: Buffer.from('wrong'), clientId: 'shared' };
  expect(await connect(wrong)).toMatchObject({ reason: 'bad_credentials' });
  expect(plane.isConnected('demo:shared')).toBe(true);
});

test('in an outage nobody can look up whose client id it was: what is under it is ended before its client is let in', async () => {
  await rig.addDeployment('admits', { onStoreFailure: 'admit' });
  await rig.addUser('admits', 'alice', 'alice-secret');
  const connect = startingClean(rig.connect, rig.broker);
  const asked = { deploymentId: 'admits', username: 'alice', password: Buffer.from('alice-secret') };
  expect(await connect({ ...asked, clientId: 'own' })).toEqual(admitted);
  for (const id of ['own', 'unseen', 'unanswered']) plane.connect(`admits:${id}`, 300);
  await rig.engine.stop();
  expect(await connect({ ...asked, clientId: 'own' })).toEqual(admitted);
  expect(plane.isConnected('admits:own')).toBe(true);
  expect(await connect({ ...asked, clientId: 'unseen' })).toEqual(admitted);
  expect(plane.knows('admits:unseen')).toBe(false);
  plane.trouble = { status: 429, error: 'ThrottlingException' };
  expect(await connect({ ...asked, clientId: 'unanswered' })).toEqual(unavailable);
});
