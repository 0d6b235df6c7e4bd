// Asking for ranks: one message for all changes of a username within the delay, and never one too few.

import { expect, test } from 'vitest';
import { createRankTimers, togetherMs } from '../../local/rank-timers.ts';
import { collectRankRequests, createRankRequests } from '../../shared/app/usage/ask-ranks.ts';
import type { DeploymentId, Username } from '../../shared/domain/ids.ts';
import { type Ms, ms, seconds } from '../../shared/domain/time.ts';
import { StoreUnavailable } from '../../shared/ports/common/errors.ts';
import type { RankRefresh } from '../../shared/ports/usage/ranks.ts';
import { createManualTime } from '../local/manual-time.ts';
import { quietLog } from '../support/quiet-log.ts';

const demo = 'demo' as DeploymentId;
const alice = 'alice' as Username;

function start(delay = 50) {
  const sent: { at: number; username: string; delay: number }[] = [];
  const state = { now: 1_000_000, fails: false, sent };
  const requests = createRankRequests({
    messages: {
      send: async (message: RankRefresh, delay) => {
        if (state.fails) throw new Error('the queue does not answer');
        sent.push({ at: state.now, username: message.username, delay });
      },
    },
    clock: { now: (): Ms => ms(state.now) },
    log: quietLog,
    delaySeconds: seconds(delay),
  });
  return { state, requests };
}

test('any number of changes within the delay are one message', async () => {
  const { state, requests } = start();
  for (let n = 0; n < 100; n++) {
    await requests.ask(demo, alice);
    state.now += 400;
  }
  await requests.ask(demo, 'bob' as Username);
  expect(state.sent.map((one) => one.username)).toEqual(['alice', 'bob']);
  expect(state.sent[0]?.delay).toBe(50);
});

test('a short delay is shared too: a crowd within it is one message', async () => {
  const { state, requests } = start(2);
  for (let n = 0; n < 300; n++) {
    await requests.ask(demo, alice);
    state.now += 5;
  }
  expect(state.sent).toHaveLength(1);
});

test('every change has a message that comes after it, at most the delay later, however changes and steps of the clock fall', async () => {
  for (const step of [1, 999, 4_999, 5_000, 44_999, 45_000, 49_999, 50_000, 50_001, 120_000, -30_000, -90_000]) {
    const { state, requests } = start();
    await requests.ask(demo, alice);
    state.now += step;
    const changedAt = state.now;
    await requests.ask(demo, alice);
    const comes = state.sent.map((one) => one.at + one.delay * 1_000);
    expect(
      comes.some((at) => at > changedAt),
      `${step}`,
    ).toBe(true);
    if (step < 0) expect(state.sent).toHaveLength(2);
  }
});

test('what could not be sent is asked for again by the next change', async () => {
  const { state, requests } = start();
  state.fails = true;
  await requests.ask(demo, alice);
  state.fails = false;
  await requests.ask(demo, alice);
  expect(state.sent).toHaveLength(1);
});

test('the sweeper keeps what it could not refresh for its next run', async () => {
  const collected = collectRankRequests();
  await collected.ask(demo, alice);
  await collected.ask(demo, alice);
  let reads = 0;
  const ports = (fails: boolean) => ({
    store: { readRoster: async () => ({ used: 0, places: new Set<never>() }) },
    ranks: {
      readRank: async () => {
        reads++;
        if (fails) throw new StoreUnavailable(new Error('the database does not answer'));
        return { used: 0, revision: undefined };
      },
      putRank: async () => 'done' as const,
    },
  });
  expect(await collected.refresh(ports(true))).toBe(1);
  expect(await collected.refresh(ports(false), () => true)).toBe(1);
  expect(reads).toBe(1);
  expect(await collected.refresh(ports(false))).toBe(0);
  expect(await collected.refresh(ports(false))).toBe(0);
  expect(reads).toBe(2);
});

test('the sweeper forgets what the database refuses as invalid: it would be refused in every run', async () => {
  const collected = collectRankRequests();
  await collected.ask(demo, alice);
  const ports = {
    store: { readRoster: async () => ({ used: 1, places: new Set<never>() }) },
    ranks: {
      readRank: async () => ({ used: 0, revision: undefined }),
      putRank: () => Promise.reject(new TypeError('invalid')),
    },
  };
  expect(await collected.refresh(ports)).toBe(0);
});

test('local timers wait as long as they are told, try again what failed, and are done at once when the process ends', async () => {
  const time = createManualTime();
  const refreshed: string[] = [];
  let fails = true;
  const timers = createRankTimers(async ({ username }) => {
    if (fails) throw new Error('the engine is away');
    refreshed.push(username);
  }, time.schedule);
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  await timers.send({ type: 'rank.refresh', deploymentId: demo, username: alice }, seconds(2));
  time.advance(1_999);
  await settled();
  expect(time.pending()).toBe(1);
  time.advance(1 + togetherMs);
  await settled();
  fails = false;
  expect(refreshed).toEqual([]);
  time.advance(2_000);
  time.advance(togetherMs);
  await settled();
  expect(refreshed).toEqual(['alice']);
  await timers.send({ type: 'rank.refresh', deploymentId: demo, username: 'bob' as Username }, seconds(2));
  await timers.flush();
  expect(refreshed).toEqual(['alice', 'bob']);
  expect(time.pending()).toBe(0);
});

test('local timers refresh a username once for all that was asked of it within the delay, each username by itself', async () => {
  const time = createManualTime();
  const refreshed: string[] = [];
  const timers = createRankTimers(async ({ username }) => void refreshed.push(username), time.schedule);
  const ask = (username: string) =>
    timers.send({ type: 'rank.refresh', deploymentId: demo, username: username as Username }, seconds(2));
  for (let n = 0; n < 100; n++) {
    await ask('alice');
    await ask('bob');
    time.advance(10);
  }
  time.advance(1_000);
  time.advance(togetherMs);
  expect(refreshed.sort()).toEqual(['alice', 'bob']);
  // What is asked after that is another one's.
  await ask('alice');
  time.advance(2_000);
  time.advance(togetherMs);
  expect(refreshed.sort()).toEqual(['alice', 'alice', 'bob']);
});

test('local timers: who asks again while a failed refresh waits has all its tries', async () => {
  const time = createManualTime();
  const [tries, failed] = [5, 4];
  let tried = 0;
  const timers = createRankTimers(async () => {
    tried += 1;
    throw new Error('the engine is away');
  }, time.schedule);
  const message = { type: 'rank.refresh', deploymentId: demo, username: alice } as const;
  const pass = async () => {
    time.advance(2_000);
    time.advance(togetherMs);
    await new Promise((resolve) => setImmediate(resolve));
  };
  await timers.send(message, seconds(2));
  for (let n = 0; n < failed; n++) await pass();
  await timers.send(message, seconds(2));
  for (let n = 0; n < 2 * tries; n++) await pass();
  expect(tried).toBe(failed + tries);
});

test('local timers run what is due at about the same time together, and only some of it at once', async () => {
  const time = createManualTime();
  const begun: string[] = [];
  let underWay = 0;
  let most = 0;
  const timers = createRankTimers(async ({ username }) => {
    begun.push(username);
    most = Math.max(most, ++underWay);
    await new Promise((resolve) => setImmediate(resolve));
    underWay--;
  }, time.schedule);
  for (let n = 0; n < 40; n++) {
    await timers.send({ type: 'rank.refresh', deploymentId: demo, username: `user-${n}` as Username }, seconds(2));
    time.advance(1);
  }
  time.advance(2_000);
  expect(begun).toEqual([]);
  time.advance(togetherMs);
  // What a flush finds waiting for its turn is refreshed once.
  await timers.flush();
  expect(new Set(begun).size).toBe(40);
  expect(begun.length).toBe(40);
  expect(most).toBeLessThanOrEqual(2 * 16);
});

test('local timers refresh none after a stop, which waits for those under way', async () => {
  const time = createManualTime();
  let running = 0;
  let done = 0;
  const timers = createRankTimers(async () => {
    running++;
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    done++;
  }, time.schedule);
  const ask = (n: number) =>
    timers.send({ type: 'rank.refresh', deploymentId: demo, username: `user-${n}` as Username }, seconds(2));
  for (let n = 0; n < 100; n++) await ask(n);
  time.advance(2_000);
  await ask(0);
  time.advance(togetherMs);
  await timers.stop();
  await ask(1);
  time.advance(10_000);
  expect([running, done, time.pending()]).toEqual([0, 16, 0]);
});
