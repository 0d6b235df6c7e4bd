// S16: usage in order of used. The order follows by refreshes, the numbers do not wait for them.

import { expect, test } from 'vitest';
import { refreshRank } from '../../shared/app/usage/refresh-rank.ts';
import type { DeploymentId, Username } from '../../shared/domain/ids.ts';
import { defaultsOf, limitSettings } from '../../shared/domain/settings.ts';
import { ms } from '../../shared/domain/time.ts';
import { tableForEachTest } from '../support/tables.ts';
import { allByName, allByUsed, createUsageRig, demo, sessionOf, type UsageRig } from './rig.ts';

let rig: UsageRig;
tableForEachTest(async ({ client, tableName }) => {
  rig = await createUsageRig(client, tableName);
});

const short = (usage: readonly { username: string; used: number }[]) =>
  usage.map((one) => `${one.username} ${one.used}`);
const by = { actor: 'test', at: ms(0) };
const name = (raw: string) => raw as Username;

test('both ways, equals by username, whatever the length of a page', async () => {
  const counts = { a: 3, b: 1, c: 12, d: 3, e: 2, f: 1, g: 9, '\uFF5E': 3, '\u{1F600}': 3 };
  for (const [username, used] of Object.entries(counts)) await rig.join(username, used);
  await rig.refresh();
  const expected = ['b 1', 'f 1', 'e 2', 'a 3', 'd 3', '\uFF5E 3', '\u{1F600} 3', 'g 9', 'c 12'];
  for (const limit of [1, 2, 4, 100]) {
    expect(short(await allByUsed(rig.usage, { limit, order: 'asc' }))).toEqual(expected);
    expect(short(await allByUsed(rig.usage, { limit, order: 'desc' }))).toEqual([...expected].reverse());
    expect(short(await allByUsed(rig.usage, { limit, order: 'asc', minUsed: 3 }))).toEqual(expected.slice(3));
    expect(short(await allByUsed(rig.usage, { limit, order: 'desc', minUsed: 9 }))).toEqual(['c 12', 'g 9']);
  }
  expect(await allByUsed(rig.usage, { limit: 5, order: 'asc', minUsed: 13 })).toEqual([]);
});

test('numbers are exact before the order has followed, and in a page the order is that of the numbers', async () => {
  await rig.join('few', 1);
  await rig.join('many', 3);
  await rig.refresh();
  await rig.join('few', 4);
  await rig.leave('many', 2);
  expect(short(await allByUsed(rig.usage, { limit: 50, order: 'desc' }))).toEqual(['few 5', 'many 1']);
  expect(short(await allByUsed(rig.usage, { limit: 50, order: 'desc', minUsed: 2 }))).toEqual([]);
  await rig.refresh();
  expect(short(await allByUsed(rig.usage, { limit: 1, order: 'desc', minUsed: 2 }))).toEqual(['few 5']);
});

test('a username whose last session has gone is not shown, ranked still or not', async () => {
  for (const username of ['gone-1', 'gone-2', 'here']) await rig.join(username, 2);
  await rig.refresh();
  await rig.leave('gone-1', 2);
  await rig.leave('gone-2', 2);
  // One by one, an empty page says where to go on.
  for (const limit of [1, 50]) expect(short(await allByUsed(rig.usage, { limit, order: 'asc' }))).toEqual(['here 2']);
  await rig.refresh();
  expect((await rig.usage.listByUsed(demo, { limit: 1, order: 'asc' })).next).toBeUndefined();
  expect(await rig.ranks.readRank(demo, name('gone-1'))).toEqual({ used: 0, revision: undefined });
});

test('an expired session counts in no list, and a username that has none but expired ones is in none (S11)', async () => {
  for (const [username, gone] of [
    ['half', 1],
    ['over', 2],
  ] as const) {
    const sessions = [0, 1].map((n) => sessionOf(username, `${username}-${n}`, rig.now));
    for (const [n, session] of sessions.entries()) {
      const countsUntil = n < gone ? ms(rig.now + 1_000) : session.countsUntil;
      const retained = {
        ...session,
        phase: { kind: 'retained', disconnectedAt: rig.now } as const,
        countsUntil,
        dueAt: countsUntil,
      };
      await rig.store.putSession(retained, undefined);
      await rig.store.addPlace(demo, session.username, session.place, 10, countsUntil);
    }
  }
  await rig.refresh();
  rig.now = ms(rig.now + 1_000);
  expect(short(await allByUsed(rig.usage, { limit: 1, order: 'desc' }))).toEqual(['half 1']);
  expect(short(await allByName(rig.usage, { limit: 1, order: 'asc' }))).toEqual(['half 1']);
  expect(await rig.usage.getUsername(demo, name('half'))).toMatchObject({ used: 1, retained: 1, connected: 0 });
  expect(await rig.usage.getUsername(demo, name('over'))).toBeUndefined();
  expect((await rig.usage.listSessions(demo, name('half'), { limit: 50 })).items).toHaveLength(1);
});

test('both orders show the same limit, whitelist and overrides, at once after a change and after it is undone', async () => {
  const usernames = ['blocked', 'few', 'listed', 'plain', 'void'];
  for (const username of usernames) await rig.join(username, 2);
  await rig.refresh();
  const whitelist = [name('listed'), name('nobody')];
  await rig.settings.putSessionLimit(demo, { ...defaultsOf(limitSettings), maxSessionsPerUsername: 7, whitelist }, by);
  await rig.settings.putOverride(demo, name('void'), { kind: 'unlimited' }, by);
  await rig.settings.deleteOverride(demo, name('void'), by);
  await rig.settings.putOverride(demo, name('few'), { kind: 'number', max: 1 }, by);
  await rig.settings.putOverride(demo, name('blocked'), { kind: 'blocked' }, by);
  const limits = async () => {
    const named = await allByName(rig.usage, { limit: 2, order: 'asc' });
    const ranked = await allByUsed(rig.usage, { limit: 2, order: 'asc' });
    expect(ranked).toEqual(named);
    for (const one of named) expect(await rig.usage.getUsername(demo, one.username)).toMatchObject(one);
    return Object.fromEntries(named.map(({ username, limit, whitelisted }) => [username, { limit, whitelisted }]));
  };
  const plain = { limit: { kind: 'number', max: 7 }, whitelisted: false };
  expect(await limits()).toEqual({
    blocked: { limit: { kind: 'blocked' }, whitelisted: false },
    few: { limit: { kind: 'number', max: 1 }, whitelisted: false },
    listed: { limit: { kind: 'unlimited', because: 'whitelist' }, whitelisted: true },
    plain,
    void: plain,
  });
  expect(await rig.usage.countOverLimit(demo)).toBe(2);
  await rig.settings.putSessionLimit(
    demo,
    { ...defaultsOf(limitSettings), maxSessionsPerUsername: 1, whitelist: [] },
    by,
  );
  expect(await limits()).toMatchObject({ listed: { limit: { kind: 'number', max: 1 }, whitelisted: false } });
  expect(await rig.usage.countOverLimit(demo)).toBe(5);
  await rig.settings.deleteSessionLimit(demo, by);
  await rig.settings.putSessionLimit(
    demo,
    { ...defaultsOf(limitSettings), maxSessionsPerUsername: 7, whitelist: [] },
    by,
  );
  expect(await limits()).toMatchObject({ blocked: plain, few: plain });
  expect(await rig.usage.countOverLimit(demo)).toBe(0);
});

test('deployments do not see each other', async () => {
  await rig.join('mine');
  await rig.refresh();
  expect(await rig.usage.listByUsed('dem' as DeploymentId, { limit: 9, order: 'asc' })).toEqual({
    items: [],
    next: undefined,
  });
});

test('a reading asks for every rank that does not agree with its roster, and for no other', async () => {
  for (const username of ['agrees', 'differs', 'unranked']) await rig.join(username);
  await rig.refresh();
  await rig.join('differs');
  await rig.join('unranked');
  await rig.ranks.putRank(demo, name('unranked'), 0, await rig.ranks.readRank(demo, name('unranked')));
  await rig.usage.listByUsed(demo, { limit: 50, order: 'asc' });
  const seen: string[] = [];
  const noting = {
    store: rig.store,
    ranks: {
      ...rig.ranks,
      readRank: (id: DeploymentId, username: Username) => {
        seen.push(username);
        return rig.ranks.readRank(id, username);
      },
    },
  };
  await rig.asked.refresh(noting);
  expect(seen).toEqual(['differs']);
  await rig.usage.listUsernames(demo, { limit: 50, order: 'asc' });
  await rig.asked.refresh(noting);
  expect(seen).toEqual(['differs', 'unranked']);
  expect(short(await allByUsed(rig.usage, { limit: 50, order: 'asc' }))).toEqual([
    'agrees 1',
    'differs 2',
    'unranked 2',
  ]);
});

test('of two refreshes at once the one that read the roster later has the last word', async () => {
  await rig.join('alice');
  let joinedMeanwhile = false;
  const slow = {
    store: {
      readRoster: async (id: DeploymentId, username: Username) => {
        const roster = await rig.store.readRoster(id, username);
        if (!joinedMeanwhile) {
          joinedMeanwhile = true;
          await rig.join('alice', 2);
          await refreshRank(rig, id, username);
        }
        return roster;
      },
    },
    ranks: rig.ranks,
  };
  await refreshRank(slow, demo, name('alice'));
  expect((await rig.ranks.readRank(demo, name('alice'))).used).toBe(3);
});
