// A process that frees a session may die after the tombstone and before the place is out of the count. Whatever writes over
// that record next takes the place out first, wherever it lies: afterwards only a recount would find it (I2).

import { beforeEach, describe, expect, test } from 'vitest';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { countAdmitted } from '../../shared/app/admission/outage.ts';
import type { ClientId, DeploymentId, Username } from '../../shared/domain/ids.ts';
import { laneOf } from '../../shared/domain/place.ts';
import { freeSession } from '../../shared/domain/session/outcome.ts';
import { createMemoryClient } from '../support/memory-client.ts';
import { type Core, createCore } from './rig.ts';

const deploymentId = 'demo' as DeploymentId;
const names = { deploymentId, username: 'fleet' as Username, clientId: 'device' as ClientId };
const layouts = {
  narrow: { wideAt: 100, lanes: 2, reserveMax: 8, near: 4, foldAt: 50, dropAt: 8 },
  wide: { wideAt: 3, lanes: 2, reserveMax: 8, near: 4, foldAt: 50, dropAt: 8 },
};
const others = 6;

describe.each(['narrow', 'wide'] as const)('in a %s roster', (kind) => {
  let core: Core;
  /** The device's session is over, and its place is still counted. */
  beforeEach(async () => {
    core = createCore(createMemoryClient(), 'table', undefined, { layout: layouts[kind] });
    core.max = 100;
    core.takeover = 'allow';
    for (let n = 0; n < others; n++) await core.join('fleet', `other-${n}`);
    await core.join('fleet', 'device');
    const stored = await core.store.readSession(names);
    if (stored === undefined) throw new Error('the device has joined');
    expect(laneOf(stored.value.place) > 0).toBe(kind === 'wide');
    await core.store.putSession(freeSession(stored.value), stored);
    expect(await core.used('fleet')).toBe(others + 1);
    // Beyond the time in which anything is left to doubt.
    core.advance(60);
  });

  test('a new life of the client id begins with nothing left of the old one', async () => {
    await core.join('fleet', 'device');
    expect(await core.used('fleet')).toBe(others + 1);
  });

  test('so does one that is counted after an outage', async () => {
    const message = {
      type: 'admitted' as const,
      ...names,
      attempt: cryptoRandom.attemptId(),
      place: cryptoRandom.place(),
      at: core.now(),
      witness: 'door' as const,
      expirySeconds: 0 as never,
    };
    expect(await countAdmitted(core.ports, message)).toBe('done');
    expect(await core.used('fleet')).toBe(others + 1);
  });

  test('so does one that the broker tells of', async () => {
    core.broker.set('device', { kind: 'connected', since: core.now() });
    await core.report(
      'door.connected',
      'fleet',
      'device',
      (await core.session('fleet', 'device'))?.attempts[0].id as never,
    );
    expect(await core.session('fleet', 'device')).toMatchObject({ phase: { kind: 'connected' } });
    expect(await core.used('fleet')).toBe(others + 1);
  });

  test('another username that takes the client id leaves nothing counted behind', async () => {
    await core.join('somebody', 'device');
    expect(await core.used('fleet')).toBe(others);
  });
});
