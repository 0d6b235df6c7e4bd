// The roster that a CONNECT reads in its batch may be as it was some writes ago: here it stands still for as long as a
// test wants. It is never the last word, neither for turning somebody away nor for letting somebody in.

import { expect, test } from 'vitest';
import type { Roster } from '../../shared/ports/counter/counter.ts';
import { tableForEachTest } from '../support/tables.ts';
import { type Core, createCore } from './rig.ts';

let core: Core;
let lagging: Roster | undefined;
tableForEachTest(({ client, tableName }) => {
  lagging = undefined;
  core = createCore(client, tableName, (store) => ({
    ...store,
    async readForConnect(names, lookFor) {
      const view = await store.readForConnect(names, lookFor);
      return lagging === undefined ? view : { ...view, roster: lagging, rosterIsExact: false };
    },
  }));
});

const admitted = { kind: 'admitted' };
const quota = { kind: 'rejected', reason: 'quota_exceeded' };
const readRoster = (): Promise<Roster> => core.store.readRoster('demo' as never, 'alice' as never);

test('S4: a reading of when the username was full turns nobody away', async () => {
  const first = await core.join('alice', 'a');
  await core.join('alice', 'b');
  lagging = await readRoster();
  expect(await core.connect('alice', 'c')).toMatchObject(quota);
  await core.report('door.disconnected', 'alice', 'a', first);
  expect(await core.connect('alice', 'c')).toMatchObject(admitted);
  expect(await core.used('alice')).toBe(2);
});

test('S4: a reading of when there was room lets nobody in, and what was begun leaves nothing', async () => {
  lagging = await readRoster();
  await core.join('alice', 'a');
  await core.join('alice', 'b');
  for (const id of ['c', 'd']) expect(await core.connect('alice', id)).toMatchObject(quota);
  expect(await core.used('alice')).toBe(2);
  expect(await core.session('alice', 'c')).toBeUndefined();
});

test('S3: a reading of before it was counted costs nobody a session of its own, and counts it once', async () => {
  lagging = await readRoster();
  await core.join('alice', 'a');
  await core.join('alice', 'b', 600);
  for (const id of ['a', 'b']) expect(await core.connect('alice', id)).toMatchObject({ ...admitted, reconnect: true });
  expect(await core.used('alice')).toBe(2);
});

test('S3: a reading of when it was still counted does not let a session in that has ended since', async () => {
  const first = await core.join('alice', 'a');
  await core.join('alice', 'b');
  lagging = await readRoster();
  await core.report('door.disconnected', 'alice', 'a', first);
  await core.join('alice', 'c');
  expect(await core.connect('alice', 'a')).toMatchObject(quota);
  expect(await core.used('alice')).toBe(2);
});
