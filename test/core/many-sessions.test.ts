// A username with many sessions that come and go, on an engine that validates its requests: whatever a process remembers of
// a wide roster, every presence message can be applied, and the count stays exact.

import { expect, test } from 'vitest';
import { sideBySide } from '../../shared/app/common/side-by-side.ts';
import type { AttemptId } from '../../shared/domain/ids.ts';
import { tableForEachTest } from '../support/tables.ts';
import { type Core, createCore } from './rig.ts';

/** The proportions of the usual one, in small: what takes 1,500 sessions there takes 75 here. */
const layout = { wideAt: 6, lanes: 2, reserveMax: 8, near: 4, foldAt: 5, dropAt: 8 };

let core: Core;
tableForEachTest(({ client, tableName }) => {
  core = createCore(client, tableName, undefined, { layout });
  core.max = 500;
});

const clients = (from: number, to: number): readonly number[] => Array.from({ length: to - from }, (_, n) => from + n);

test('I2: each message of sessions that come, go and come again is applied at once, whatever a sweep meets', async () => {
  const attempts = new Map<number, AttemptId>();
  const failures: unknown[] = [];
  const attend = (some: readonly number[], work: (n: number) => Promise<unknown>): Promise<unknown> =>
    sideBySide(some, 8, async (n) => {
      await work(n).catch((error: unknown) => failures.push(error));
    });
  const join = (some: readonly number[]) =>
    attend(some, async (n) => attempts.set(n, await core.join('fleet', `device-${n}`)));
  const leave = (some: readonly number[]) =>
    attend(some, async (n) => {
      const attempt = attempts.get(n);
      if (attempt !== undefined) await core.report('door.disconnected', 'fleet', `device-${n}`, attempt);
    });

  await join(clients(0, 45));
  // The sweeper meets places that wait in this process, and takes them out itself.
  core.advance(301);
  expect(await core.sweep()).toMatchObject({ failed: 0 });
  await join(clients(45, 75));
  for (const round of [1, 2]) {
    const some = clients(0, 75).filter((n) => n % 5 === round);
    await leave(some);
    core.advance(301);
    expect(await core.sweep()).toMatchObject({ failed: 0 });
    await join(some);
  }
  await leave(clients(60, 75));
  expect(failures).toEqual([]);
  expect(await core.used('fleet')).toBe(60);
});
