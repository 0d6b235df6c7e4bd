// Who decides CONNECTs does not look for what cannot be there: an override where there are none, an entry of an empty
// whitelist. So the first of them has to be learnt of in time (S1).

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { DeploymentId, Username } from '../../shared/domain/ids.ts';
import { defaultsOf, limitSettings } from '../../shared/domain/settings.ts';
import { ms } from '../../shared/domain/time.ts';
import { type ConnectRig, startConnectRig } from './connect-rig.ts';

let rig: ConnectRig;
let numbered = 0;
let id: DeploymentId;
beforeAll(async () => {
  rig = await startConnectRig();
});
afterAll(() => rig.stop());

const change = () => ({ actor: 'test', at: ms(rig.now()) });
const limitOf = (...whitelist: string[]) => ({
  ...defaultsOf(limitSettings),
  maxSessionsPerUsername: 1,
  whitelist: whitelist as Username[],
});

async function told(clientId: string): Promise<string> {
  const password = Buffer.from('alice-secret');
  const decision = await rig.connect({ deploymentId: id, username: 'alice', password, clientId });
  return decision.kind === 'rejected' ? decision.reason : decision.kind;
}

/** Alice at her limit of one, turned away by a process that has just read that there is neither list. */
beforeEach(async () => {
  id = `first-${++numbered}` as DeploymentId;
  await rig.addDeployment(id);
  await rig.addUser(id, 'alice', 'alice-secret');
  await rig.settings.putSessionLimit(id, limitOf(), change());
  expect([await told('holder'), await told('second')]).toEqual(['admitted', 'quota_exceeded']);
});

test('S1: the first override of a deployment holds 5 s later, and so does that there is none any more', async () => {
  await rig.settings.putOverride(id, 'alice' as Username, { kind: 'blocked' }, change());
  rig.advance(5);
  expect([await told('holder'), await told('second')]).toEqual(['blocked', 'blocked']);
  await rig.settings.deleteOverride(id, 'alice' as Username, change());
  rig.advance(5);
  expect([await told('holder'), await told('second')]).toEqual(['admitted', 'quota_exceeded']);
});

test('S1: a second override holds at once', async () => {
  await rig.settings.putOverride(id, 'somebody' as Username, { kind: 'unlimited' }, change());
  rig.advance(5);
  expect(await told('second')).toBe('quota_exceeded');
  await rig.settings.putOverride(id, 'alice' as Username, { kind: 'unlimited' }, change());
  expect(await told('second')).toBe('admitted');
});

test('S1: the first whitelist holds 5 s later, and so does its end', async () => {
  await rig.settings.putSessionLimit(id, limitOf('alice'), change());
  rig.advance(5);
  expect(await told('second')).toBe('admitted');
  await rig.settings.putSessionLimit(id, limitOf(), change());
  rig.advance(5);
  expect(await told('third')).toBe('quota_exceeded');
});

test('S1: an override and a whitelist hold together, and the whitelist does not lift a block', async () => {
  await rig.settings.putSessionLimit(id, limitOf('alice'), change());
  await rig.settings.putOverride(id, 'alice' as Username, { kind: 'blocked' }, change());
  rig.advance(5);
  expect(await told('second')).toBe('blocked');
  await rig.settings.putOverride(id, 'alice' as Username, { kind: 'number', max: 1 }, change());
  expect(await told('second')).toBe('admitted');
});

test('overrides and whitelist are not looked for while the limit is disabled, and hold 5 s after it is enabled', async () => {
  await rig.settings.putOverride(id, 'alice' as Username, { kind: 'blocked' }, change());
  await rig.settings.putSessionLimit(id, { ...limitOf(), enabled: false }, change());
  rig.advance(5);
  expect(await told('second')).toBe('admitted');
  await rig.settings.putSessionLimit(id, limitOf(), change());
  rig.advance(5);
  expect(await told('second')).toBe('blocked');
});
