// A process's share of GetConnection, on a clock that only the test moves.

import { expect, test } from 'vitest';
import { type BrokerShare, createBrokerShare } from '../../shared/adapters/node/broker-share.ts';
import { brokerShares, getConnectionPerSecond, presenceProcessesMax } from '../../shared/config/constants.ts';
import type { BrokerClientId } from '../../shared/domain/ids.ts';
import { ms } from '../../shared/domain/time.ts';
import type { Clock } from '../../shared/ports/common/clock.ts';
import type { BrokerSays } from '../../shared/ports/presence/broker.ts';
import { createManualTime, type ManualTime } from '../local/manual-time.ts';

type Kind = 'confirm' | 'reconcile';

interface Rig {
  readonly time: ManualTime;
  readonly share: BrokerShare<Kind>;
  /** Client ids in the order in which the broker was asked. */
  readonly asked: string[];
  ask(kind: Kind, id: string): Promise<BrokerSays>;
}

function createRig(options: {
  perSecond: number;
  burst?: number;
  waitMs?: number;
  passMs?: number;
  clock?: (time: ManualTime) => Clock;
}): Rig {
  const time = createManualTime();
  const asked: string[] = [];
  const share = createBrokerShare<Kind>({
    broker: {
      getConnection: async (id) => {
        asked.push(id);
        return { kind: 'absent' };
      },
      deleteConnection: async () => 'done',
    },
    clock: options.clock?.(time) ?? time.clock,
    schedule: time.schedule,
    callsPerSecond: options.perSecond,
    burst: options.burst ?? 1,
    waitMs: options.waitMs ?? 60_000,
    ...(options.passMs === undefined ? {} : { passMs: options.passMs }),
    kinds: ['confirm', 'reconcile'],
  });
  return { time, share, asked, ask: (kind, id) => share.of(kind).getConnection(id as BrokerClientId) };
}

test('the shares sum up to less than the account takes', () => {
  const sum = Object.values(brokerShares).reduce((all, one) => all + one, 0);
  expect(sum).toBeLessThan(getConnectionPerSecond);
  expect(brokerShares.presence / presenceProcessesMax).toBeGreaterThan(0);
});

test('a burst goes out at once, and then no more than the rate, however many ask', () => {
  const { time, asked, ask } = createRig({ perSecond: 10, burst: 5 });
  for (let n = 0; n < 100; n++) void ask('confirm', `demo:${n}`);
  expect(asked).toHaveLength(5);
  time.advance(1_000);
  expect(asked).toHaveLength(15);
  time.advance(3_000);
  expect(asked).toHaveLength(45);
  // After a rest the burst is there again, and no more than that.
  time.advance(60_000);
  expect(asked).toHaveLength(100);
  for (let n = 0; n < 20; n++) void ask('confirm', `demo:later-${n}`);
  expect(asked).toHaveLength(105);
});

test('who has waited long enough is told unknown, is not asked about later, and nothing is left behind', async () => {
  const { time, asked, ask } = createRig({ perSecond: 1, waitMs: 2_500 });
  const answers = ['a', 'b', 'c', 'd'].map((name) => ask('confirm', `${name}:1`));
  time.advance(10_000);
  expect((await Promise.all(answers)).map((says) => says.kind)).toEqual(['absent', 'absent', 'absent', 'unknown']);
  expect(asked).toEqual(['a:1', 'b:1', 'c:1']);
  expect(time.pending()).toBe(0);
});

test('who cannot be served in time even alone is told so at once', async () => {
  const { asked, ask } = createRig({ perSecond: 2, waitMs: 1_000 });
  const answers = Array.from({ length: 10 }, (_, n) => ask('confirm', `demo:${n}`));
  // One went out, two may wait; the others have their answer without any time passing.
  expect((await Promise.all(answers.slice(3))).map((says) => says.kind)).toEqual(Array(7).fill('unknown'));
  expect(asked).toEqual(['demo:0']);
});

test('in a surge nobody of its deployment waits, others do, and afterwards all wait again', async () => {
  const { time, asked, ask } = createRig({ perSecond: 2, waitMs: 1_200, passMs: 1_000 });
  const first = Array.from({ length: 4 }, (_, n) => ask('confirm', `demo:${n}`));
  expect((await first[3])?.kind).toBe('unknown');
  time.advance(900);
  expect(asked).toEqual(['demo:0', 'demo:1']);
  // The second who waits has its turn a moment later; nobody is let in behind it.
  expect((await ask('confirm', 'demo:late')).kind).toBe('unknown');
  const other = ask('confirm', 'other:0');
  time.advance(2_000);
  expect((await other).kind).toBe('absent');
  expect(asked).toEqual(['demo:0', 'demo:1', 'demo:2', 'other:0']);
  const again = [ask('confirm', 'demo:again'), ask('confirm', 'demo:waits')];
  time.advance(1_000);
  expect((await Promise.all(again)).map((says) => says.kind)).toEqual(['absent', 'absent']);
});

test('deployments take turns, however many one of them asks about', () => {
  const { time, asked, ask } = createRig({ perSecond: 1 });
  for (let n = 0; n < 20; n++) void ask('confirm', `large:${n}`);
  for (const name of ['small', 'tiny']) void ask('confirm', `${name}:0`);
  time.advance(4_000);
  expect(asked.slice(0, 5)).toEqual(['large:0', 'large:1', 'small:0', 'tiny:0', 'large:2']);
});

test('a worthier kind goes first, also if it comes later', () => {
  const { time, asked, ask } = createRig({ perSecond: 1 });
  for (let n = 0; n < 3; n++) void ask('reconcile', `demo:r${n}`);
  for (let n = 0; n < 2; n++) void ask('confirm', `demo:c${n}`);
  time.advance(10_000);
  expect(asked).toEqual(['demo:r0', 'demo:c0', 'demo:c1', 'demo:r1', 'demo:r2']);
});

test('a clock that steps back lends nothing and blocks nothing', () => {
  let offset = 0;
  const clock = (time: ManualTime): Clock => ({ now: () => ms(time.clock.now() + offset) });
  const { time, asked, ask } = createRig({ perSecond: 1, clock });
  for (let n = 0; n < 5; n++) void ask('confirm', `demo:${n}`);
  offset = -3_600_000;
  time.advance(2_000);
  expect(asked.length).toBeGreaterThanOrEqual(2);
  expect(asked.length).toBeLessThanOrEqual(3);
});

test('DeleteConnection has a rate of its own and passes', async () => {
  const { share, ask } = createRig({ perSecond: 1 });
  for (let n = 0; n < 5; n++) void ask('confirm', `demo:${n}`);
  expect(await share.of('reconcile').deleteConnection('demo:x' as BrokerClientId, { cleanSession: true })).toBe('done');
});
