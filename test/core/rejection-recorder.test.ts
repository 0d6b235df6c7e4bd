// The recorder against a store in memory that fails on demand: time is a number, so nothing is waited for.

import { expect, test } from 'vitest';
import { createRejectionRecorder } from '../../shared/app/rejections/rejection-recorder.ts';
import type { AttemptId, DeploymentId, Username } from '../../shared/domain/ids.ts';
import type { RecordedReason } from '../../shared/domain/refusal.ts';
import { ms } from '../../shared/domain/time.ts';
import { StoreUnavailable } from '../../shared/ports/common/errors.ts';
import type { RejectionSum } from '../../shared/ports/rejections/rejections.ts';

const noon = Date.UTC(2026, 10, 22, 12);

function startRecorder() {
  const written = new Map<string, RejectionSum>();
  const tries: RejectionSum[] = [];
  const rig = { now: noon, fail: undefined as 'before' | 'after' | undefined, written, tries };
  let nextSum = 0;
  const recorder = createRejectionRecorder({
    store: {
      async addRejections(sum) {
        tries.push(sum);
        if (rig.fail !== 'before') written.set(sum.sumId, sum);
        if (rig.fail !== undefined) throw new StoreUnavailable(new Error('out of time'));
      },
    },
    clock: { now: () => ms(rig.now) },
    log: { info: () => {}, warn: () => {}, error: () => {} },
    random: { attemptId: () => `sum-${nextSum++}` as AttemptId },
  });
  const reject = (clientId: string, username = 'alice', reason: RecordedReason = 'quota') =>
    recorder.record({
      deploymentId: 'demo' as DeploymentId,
      username: username as Username,
      clientId,
      reason,
    });
  const counted = () =>
    [...written.values()].reduce((all, { reasons }) => all + reasons.reduce((sum, one) => sum + one.count, 0), 0);
  return { rig, recorder, reject, counted };
}

test('the first rejection is written at once, a storm at most once in 9 s, and nothing is lost of it', async () => {
  const { rig, recorder, reject, counted } = startRecorder();
  for (let second = 0; second < 60; second++) {
    for (let n = 0; n < 50; n++) reject(`c${second}-${n}`);
    await recorder.flush();
    if (second === 0) expect(counted()).toBe(50);
    rig.now += 1_000;
  }
  expect(rig.tries.length).toBe(7);
  // What has not been written is younger than 10 s.
  expect(counted()).toBeGreaterThanOrEqual(60 * 50 - 9 * 50);
  rig.now += 9_000;
  await recorder.flush();
  expect(counted()).toBe(3_000);
  expect(rig.tries.at(-1)?.reasons).toMatchObject([{ clientId: 'c59-49', lastAt: noon + 59_000 }]);
  // What is kept of a storm is bounded.
  expect(rig.tries.at(-1)?.last.map(({ clientId }) => clientId)).toEqual(
    Array.from({ length: 20 }, (_, n) => `c59-${30 + n}`),
  );
});

test('a write whose outcome is unknown is repeated as it was, and what came since goes after it', async () => {
  const { rig, recorder, reject, counted } = startRecorder();
  reject('c1');
  rig.fail = 'after';
  await recorder.flush();
  reject('c2');
  rig.now += 1_000;
  await recorder.flush();
  rig.fail = undefined;
  rig.now += 1_000;
  await recorder.flush();
  expect(rig.tries.map((sum) => [sum.sumId, sum.reasons[0]?.count])).toEqual([
    ['sum-0', 1],
    ['sum-0', 1],
    ['sum-0', 1],
  ]);
  expect(new Set(rig.tries.map((sum) => JSON.stringify(sum))).size).toBe(1);
  rig.now += 9_000;
  await recorder.flush();
  expect(rig.tries.at(-1)).toMatchObject({ sumId: 'sum-1', reasons: [{ count: 1, clientId: 'c2' }] });
  expect(counted()).toBe(2);
});

test('a sum is given up before a repetition of it could count twice', async () => {
  const { rig, recorder, reject } = startRecorder();
  reject('c1');
  rig.fail = 'before';
  for (let minute = 0; minute < 20; minute++) {
    await recorder.flush();
    rig.now += 60_000;
  }
  const last = rig.tries.filter((sum) => sum.sumId === 'sum-0').length;
  expect(last).toBeLessThanOrEqual(11);
  rig.fail = undefined;
  reject('c2');
  await recorder.flush();
  expect([...rig.written.values()].map((sum) => sum.reasons[0]?.clientId)).toEqual(['c2']);
});

test('at the end of the process all of it is written', async () => {
  const { rig, recorder, reject, counted } = startRecorder();
  reject('c1');
  await recorder.flush();
  reject('c2');
  reject('c3', 'bob');
  await recorder.flush({ all: true });
  expect(counted()).toBe(3);
  expect(rig.tries).toHaveLength(3);
});

test('a sum over the turn of an hour says how many fell into each', async () => {
  const { rig, recorder, reject } = startRecorder();
  reject('c0');
  await recorder.flush();
  rig.now = noon + 3_599_000;
  await recorder.flush();
  reject('c1');
  rig.now += 2_000;
  reject('c2');
  reject('c3');
  await recorder.flush({ all: true });
  expect(rig.tries.at(-1)?.hours).toEqual([
    { hour: noon, count: 1 },
    { hour: noon + 3_600_000, count: 2 },
  ]);
});

test('a clock that steps back holds nothing up, and makes nothing older', async () => {
  const { rig, recorder, reject } = startRecorder();
  reject('c1');
  await recorder.flush();
  reject('c2');
  rig.now -= 60_000;
  reject('c3');
  await recorder.flush();
  expect(rig.tries.at(-1)).toMatchObject({ reasons: [{ count: 2, lastAt: noon }], last: [{ at: noon }, { at: noon }] });
});

test('reasons that come together are written together, each with its own count, time and client id', async () => {
  const { rig, recorder, reject } = startRecorder();
  reject('c1');
  rig.now += 1;
  reject('a+b', 'alice', 'client_id_invalid');
  rig.now += 1;
  reject('c2');
  await recorder.flush();
  expect(rig.tries).toHaveLength(1);
  expect(rig.tries[0]?.reasons).toEqual([
    { reason: 'client_id_invalid', count: 1, lastAt: noon + 1, clientId: 'a+b' },
    { reason: 'quota', count: 2, lastAt: noon + 2, clientId: 'c2' },
  ]);
  expect(rig.tries[0]?.last.map(({ at, reason }) => [at - noon, reason])).toEqual([
    [0, 'quota'],
    [1, 'client_id_invalid'],
    [2, 'quota'],
  ]);
});

test('the fleet of a suspended deployment is recorded in part, and takes no room from other reasons', async () => {
  const { rig, recorder, reject } = startRecorder();
  for (let n = 0; n < 1_000; n++) reject('c', `asleep-${n}`, 'suspended');
  reject('c', 'bob');
  await recorder.flush();
  expect(rig.tries).toHaveLength(257);
  expect(rig.tries.some(({ username }) => username === 'bob')).toBe(true);
  // Others of the fleet have their turn ten seconds later.
  rig.now += 10_000;
  await recorder.flush();
  reject('c', 'asleep-999', 'suspended');
  await recorder.flush();
  expect(rig.tries.at(-1)?.username).toBe('asleep-999');
});
