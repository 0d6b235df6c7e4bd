// A limit that has just been changed: processes hold settings for some seconds, so they differ about it. Of a wide roster
// each of them gives reserves by its own; who finds that others have another one reads the settings anew.

import { beforeEach, expect, test } from 'vitest';
import type { DeploymentId, Username } from '../../shared/domain/ids.ts';
import { createMemoryClient } from '../support/memory-client.ts';
import { type Core, createCore } from './rig.ts';

const wide = 140;
let core: Core;

beforeEach(async () => {
  isBlocked = false;
  core = createCore(createMemoryClient(), 'table', (store) => ({
    ...store,
    async readForConnect(names, lookFor) {
      const view = await store.readForConnect(names, lookFor);
      return isBlocked && lookFor.limit === core.max ? { ...view, override: { kind: 'blocked' } } : view;
    },
  }));
  core.max = 260;
  for (let n = 0; n < wide; n++) await core.join('fleet', `device-${n}`);
  expect(await readRoster()).toMatchObject({ used: wide, wide: true, open: true });
});

const readRoster = () => core.store.readRoster('demo' as DeploymentId, 'fleet' as Username);
let isBlocked: boolean;
const kindOf = async (clientId: string, heldMax: number) => (await core.connect('fleet', clientId, { heldMax })).kind;

test('lowered below what is counted: nobody is let in by the old limit any more, once somebody has come with the new one', async () => {
  core.max = 135;
  expect(await kindOf('behind-0', 260)).toBe('admitted');
  expect(await kindOf('current-0', 135)).toBe('rejected');
  for (let n = 1; n < 5; n++) {
    expect(await kindOf(`behind-${n}`, 260)).toBe('rejected');
    expect(await kindOf(`current-${n}`, 135)).toBe('rejected');
    // No reserve is given by the one, to be taken back by the other.
    expect(await readRoster()).toMatchObject({ used: wide + 1 });
    expect((await readRoster()).open).toBeUndefined();
  }
});

test('raised: whoever has the old one learns of the new one instead of taking back what it gives', async () => {
  core.max = 1_000;
  for (let n = 0; n < 130; n++) {
    expect(await kindOf(`current-${n}`, 1_000)).toBe('admitted');
    if (n % 10 === 0) await kindOf(`behind-${n}`, 260);
  }
  const { used } = await readRoster();
  expect(used).toBeGreaterThan(260);
  for (let n = 0; n < 30; n++) {
    expect(await kindOf(`late-${n}`, 260)).toBe('admitted');
    expect((await readRoster()).open).toBe(true);
  }
  expect(await readRoster()).toMatchObject({ used: used + 30 });
});

test('a username that has been blocked meanwhile is told so, and its lanes stay as they are', async () => {
  // As if the limit had been raised before, and this process knew of neither.
  core.max = 1_000;
  for (let n = 0; n < 130; n++) expect(await kindOf(`current-${n}`, 1_000)).toBe('admitted');
  isBlocked = true;
  const before = await readRoster();
  expect(await core.connect('fleet', 'behind', { heldMax: 260 })).toEqual({ kind: 'rejected', reason: 'blocked' });
  expect(await readRoster()).toEqual(before);
  expect(await core.session('fleet', 'behind')).toBeUndefined();
});
