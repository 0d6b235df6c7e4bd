// S9 straight to the broker: who takes a client id over is let in when what another username left under it is gone from
// the broker, and not before. The real decision on the real engine, and DeleteConnection as the authorizer sends it.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { createIotConnections } from '../../shared/adapters/aws/iot-connections.ts';
import { startingClean } from '../../shared/app/admission/clean-start.ts';
import type { ConnectDecision } from '../../shared/domain/connect.ts';
import { type DataPlane, startDataPlane } from '../contract/iot-data-plane.ts';
import { type ConnectRig, startConnectRig } from './connect-rig.ts';

let rig: ConnectRig;
let plane: DataPlane;
beforeEach(async () => {
  rig = await startConnectRig();
  await rig.addDeployment('demo', { clientIdTakeover: 'allow' });
  for (const username of ['alice', 'bob']) await rig.addUser('demo', username, `${username}-secret`);
  plane = await startDataPlane();
});
afterEach(async () => {
  await plane.close();
  await rig.stop();
});

function straight(username: string, clientId: string): Promise<ConnectDecision> {
  const credentials = async () => ({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-key' });
  const connect = startingClean(
    async ({ hints: _ofTheFrontDoor, ...request }) => rig.connect({ ...request, hints: undefined } as typeof request),
    createIotConnections('eu-central-1', plane.endpoint, credentials),
  );
  const password = Buffer.from(`${username}-secret`);
  return connect({ deploymentId: 'demo', username, password, clientId });
}

const admitted = expect.objectContaining({ kind: 'admitted' });
const unavailable = expect.objectContaining({ kind: 'rejected', reason: 'unavailable' });

test.each(['connected', 'retained'])(
  "another username's session, %s, is gone before the newcomer is let in",
  async (state) => {
    expect(await straight('alice', 'shared')).toEqual(admitted);
    plane.connect('demo:shared', 300);
    if (state === 'retained') plane.disconnect('demo:shared');
    expect(plane.knows('demo:shared')).toBe(true);
    expect(await straight('bob', 'shared')).toEqual(admitted);
    expect(plane.knows('demo:shared')).toBe(false);
  },
);

test('where there is nothing at the broker, nothing is in the way', async () => {
  expect(await straight('alice', 'shared')).toEqual(admitted);
  expect(await straight('bob', 'shared')).toEqual(admitted);
});

test.each([
  ['throttles', { status: 429, error: 'ThrottlingException' }],
  ['refuses', { status: 403, error: 'ForbiddenException' }],
  ['is somebody else', { status: 404, error: 'MissingEndpointException' }],
  ['says nothing', 'silence'],
] as const)('a broker that %s: unavailable, and again unavailable, until it has ended it', async (_how, trouble) => {
  expect(await straight('alice', 'shared')).toEqual(admitted);
  plane.connect('demo:shared', 300);
  plane.trouble = trouble;
  expect(await straight('bob', 'shared')).toEqual(unavailable);
  // The client id is bob's by now, and what the broker keeps under it still is not.
  expect(await straight('bob', 'shared')).toEqual(unavailable);
  expect(await rig.used('demo', 'bob')).toBe(1);
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
