// Who is told of usernames near their limit, and how often: on the real engine, with the refresh of ranks that presence,
// sweeper and reconciler share.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Meter } from '../../bench/meter/meter.ts';
import { createNoticeStore } from '../../shared/adapters/dynamodb/usage/notice-store.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { createNoticeThreshold } from '../../shared/app/usage/notice-threshold.ts';
import { refreshRank } from '../../shared/app/usage/refresh-rank.ts';
import type { Username } from '../../shared/domain/ids.ts';
import type { Override } from '../../shared/domain/limit.ts';
import { defaultsOf, limitSettings } from '../../shared/domain/settings.ts';
import { ms } from '../../shared/domain/time.ts';
import type { NoticeStore, ThresholdNotice } from '../../shared/ports/usage/notices.ts';
import { createTestTable, startTestEngine, type TestEngine } from '../support/engine.ts';
import { createUsageRig, demo, type UsageRig } from './rig.ts';

const alice = 'alice' as Username;
let engine: TestEngine;
let rig: UsageRig;
let store: NoticeStore;
let told: ThresholdNotice[];
/** What whoever listens does next. */
let takes: 'takes' | 'refuses';

beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.stop());
beforeEach(async () => {
  const { client, tableName } = await createTestTable(engine.endpoint);
  rig = await createUsageRig(client, tableName);
  store = createNoticeStore(client, tableName, cryptoRandom);
  told = [];
  takes = 'takes';
});

const change = () => ({ actor: 'test', at: rig.now });
async function limitTo(max: number, whitelist: readonly string[] = [], enabled = true): Promise<void> {
  await rig.settings.putSessionLimit(
    demo,
    { ...defaultsOf(limitSettings), enabled, maxSessionsPerUsername: max, whitelist: whitelist as readonly Username[] },
    change(),
  );
}

/** As presence, the sweeper and the reconciler do. */
function refresh(through: NoticeStore = store): Promise<unknown> {
  const notice = createNoticeThreshold({
    settings: { get: (id) => rig.settings.getConnectSettings(id) },
    store: through,
    notices: {
      async tell(one) {
        if (takes === 'refuses') throw new Error('the bus takes nothing');
        told.push(one);
      },
    },
    clock: { now: () => rig.now },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  return refreshRank({ store: rig.store, ranks: rig.ranks, notice }, demo, alice);
}

function later(seconds: number): void {
  rig.now = ms(rig.now + seconds * 1_000);
}

const states = () => told.map(({ state, used, limit }) => `${state} ${used}/${limit}`);

test('each crossing is told once, whoever looks how often', async () => {
  await limitTo(5);
  await rig.join('alice', 3);
  await refresh();
  expect(told).toEqual([]);
  await rig.join('alice', 1);
  for (let times = 0; times < 3; times++) await refresh();
  await rig.join('alice', 1);
  await refresh();
  expect(told).toEqual([{ deploymentId: demo, username: 'alice', used: 4, limit: 5, state: 'set', at: rig.now }]);
  await rig.leave('alice', 2);
  for (let times = 0; times < 3; times++) await refresh();
  expect(states()).toEqual(['set 4/5', 'clear 3/5']);
  await rig.join('alice', 1);
  await refresh();
  expect(states()).toEqual(['set 4/5', 'clear 3/5', 'set 4/5']);
});

test('of many who look at the same moment one tells', async () => {
  await limitTo(5);
  await rig.join('alice', 5);
  await Promise.all(Array.from({ length: 8 }, () => refresh()));
  expect(states()).toEqual(['set 5/5']);
});

test('with the last session everything of the username goes, once the clear was told', async () => {
  await limitTo(1);
  await rig.join('alice');
  await refresh();
  await rig.leave('alice');
  await refresh();
  expect(states()).toEqual(['set 1/1', 'clear 0/1']);
  expect(await store.readNoticed(demo, alice, undefined)).toMatchObject({ revision: undefined });
  expect(await rig.ranks.readRank(demo, alice)).toEqual({ used: 0, revision: undefined });
});

test('whoever is not limited by a number is cleared, and set again when it is', async () => {
  await limitTo(5);
  await rig.join('alice', 5);
  await refresh();
  const steps: [string, () => Promise<unknown>][] = [
    ['clear 5/null', () => limitTo(5, [], false)],
    ['set 5/5', () => limitTo(5)],
    ['clear 5/unlimited', () => limitTo(5, ['alice'])],
    ['set 5/6', () => limitTo(6)],
    ['clear 5/unlimited', () => override({ kind: 'unlimited' })],
    ['set 5/5', () => override({ kind: 'number', max: 5 })],
    ['clear 5/20', () => override({ kind: 'number', max: 20 })],
    ['set 5/6', () => rig.settings.deleteOverride(demo, alice, change())],
    ['clear 5/blocked', () => override({ kind: 'blocked' })],
    ['clear 5/null', () => rig.settings.deleteSessionLimit(demo, change())],
  ];
  const expected = ['set 5/5'];
  for (const [word, step] of steps) {
    await step();
    await refresh();
    if (word !== 'clear 5/null' || expected.at(-1)?.startsWith('set')) expected.push(word);
    expect(states()).toEqual(expected);
  }
});

const override = (value: Override) => rig.settings.putOverride(demo, alice, value, change());

test('a whitelisted username is never told of', async () => {
  await limitTo(2, ['alice']);
  await rig.join('alice', 9);
  await refresh();
  expect(told).toEqual([]);
});

test('what nobody took is told by the next who looks, with the time of the crossing; the rank is right meanwhile', async () => {
  await limitTo(5);
  await rig.join('alice', 5);
  takes = 'refuses';
  const crossedAt = rig.now;
  await refresh();
  expect((await rig.ranks.readRank(demo, alice)).used).toBe(5);
  later(600);
  takes = 'takes';
  await refresh();
  await refresh();
  expect(told).toMatchObject([{ state: 'set', at: crossedAt }]);
});

test('who dies before telling leaves it to the next; who dies after it has it told twice, with the same time', async () => {
  await limitTo(5);
  await rig.join('alice', 5);
  let puts = 0;
  const dying = (at: number): NoticeStore => ({
    ...store,
    putNoticed(...given) {
      puts += 1;
      return puts === at ? Promise.reject(new Error('died')) : store.putNoticed(...given);
    },
  });
  // Before anything is written, and before it is written down as told.
  await expect(refresh(dying(1))).rejects.toThrow('died');
  expect(told).toEqual([]);
  puts = 0;
  await expect(refresh(dying(2))).rejects.toThrow('died');
  later(60);
  await refresh();
  await refresh();
  expect(states()).toEqual(['set 5/5', 'set 5/5']);
  expect(told[0]?.at).toBe(told[1]?.at);
});

test('a write that happened and was not answered is not lost: whoever looks half a minute later tells', async () => {
  await limitTo(5);
  await rig.join('alice', 5);
  const unanswered: NoticeStore = {
    ...store,
    async putNoticed(...given) {
      await store.putNoticed(...given);
      throw new Error('timed out');
    },
  };
  await expect(refresh(unanswered)).rejects.toThrow('timed out');
  expect(told).toEqual([]);
  await refresh();
  expect(told).toEqual([]);
  later(30);
  await refresh();
  expect(states()).toEqual(['set 5/5']);
});

test('a look that finds nothing new writes nothing; where nobody asked for notices nothing is read either', async () => {
  const meter = new Meter();
  rig = await createUsageRig(meter.client, 'metered');
  store = createNoticeStore(meter.client, 'metered', cryptoRandom);
  await limitTo(5);
  await rig.join('alice', 2);
  await refresh();
  const [, withNotices] = await meter.spend(() => refresh());
  expect(withNotices.write).toBe(0);
  const { store: sessions, ranks } = rig;
  const [, bare] = await meter.spend(() => refreshRank({ store: sessions, ranks }, demo, alice));
  expect(bare).toMatchObject({ write: 0, read: 2 });
  // The username's item once more, and what of the settings is not held.
  expect(withNotices.read).toBeLessThanOrEqual(5);
});
