// A share of the broker's rate: no second brings more than it says, whoever asks and however many.

import { expect, test } from 'vitest';
import { createPace, paced } from '../../shared/app/common/pace.ts';
import type { BrokerClientId } from '../../shared/domain/ids.ts';
import { ms } from '../../shared/domain/time.ts';

/** A clock that stands still, and pauses that say until when they would last. */
function rig(perSecond: number) {
  let now = 1_000_000;
  const until: number[] = [];
  const clock = { now: () => ms(now) };
  const pause = async (milliseconds: number) => void until.push(now + milliseconds);
  const step = (by: number): void => {
    now += by;
  };
  return { pace: createPace({ clock, pause }, perSecond), until, step };
}

test('a full bucket is let through at once, the rest one by one at the rate', async () => {
  const { pace, until } = rig(40);
  for (let n = 0; n < 120; n += 1) await pace();
  expect(until.length).toBe(80);
  expect(until[0]).toBe(1_000_025);
  expect(until.at(-1)).toBe(1_002_000);
  const gaps = until.slice(1).map((at, n) => at - (until[n] ?? 0));
  expect(new Set(gaps)).toEqual(new Set([25]));
});

test('a rest fills the bucket, and no more than once', async () => {
  const { pace, until, step } = rig(40);
  for (let n = 0; n < 40; n += 1) await pace();
  step(3_600_000);
  for (let n = 0; n < 50; n += 1) await pace();
  expect(until.length).toBe(10);
});

test('a clock that steps back by an hour holds nobody up for longer than a minute', async () => {
  const { pace, until, step } = rig(40);
  for (let n = 0; n < 60; n += 1) await pace();
  step(-3_600_000);
  until.length = 0;
  await pace();
  expect(until[0] ?? 0).toBeLessThanOrEqual(1_000_000 - 3_600_000 + 61_000);
});

test('only ending connections is paced: what a kick asks besides has a rate of its own', async () => {
  const asked: string[] = [];
  const broker = paced(
    {
      getConnection: async () => ({ kind: 'absent' as const }),
      deleteConnection: async (id) => {
        asked.push(id);
        return 'done' as const;
      },
    },
    async () => void asked.push('paced'),
  );
  const id = 'demo:a' as BrokerClientId;
  await broker.getConnection(id);
  expect(asked).toEqual([]);
  await broker.deleteConnection(id, { cleanSession: true });
  expect(asked).toEqual(['paced', 'demo:a']);
});
