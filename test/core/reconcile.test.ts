// The reconciler on the real engine: it finds nothing where all is well, repairs what is not with proof, walks the whole
// table in slices, and can die or be interrupted anywhere.

import { expect, test } from 'vitest';
import type { DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import { createTableWalk } from '../../shared/adapters/dynamodb/repair/table-walk.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { change } from '../../shared/app/presence/change.ts';
import { type ReconcilePorts, reconcile } from '../../shared/app/repair/reconcile.ts';
import type { ClientId, DeploymentId, Place, Username } from '../../shared/domain/ids.ts';
import { isLive, madeOf, pendingOf, type Session } from '../../shared/domain/session/record.ts';
import { addSeconds, seconds } from '../../shared/domain/time.ts';
import { allItems } from '../support/all-items.ts';
import { createMemoryClient } from '../support/memory-client.ts';
import { tableForEachTest } from '../support/tables.ts';
import { type Core, createCore } from './rig.ts';
import { interruptEverywhere, Steps, stepTimes } from './steps.ts';

const demo = 'demo' as DeploymentId;
const bounds = { pages: 100, pageItems: 50, questions: 1_000, passSeconds: 0 };
const quietSeconds = 601;
let core: Core;
let client: DocumentClient;
let tableName: string;
const newTable = tableForEachTest((table) => {
  ({ client, tableName } = table);
  core = createCore(client, tableName);
  core.max = undefined;
});

const portsOf = (by: Core, through: DocumentClient): ReconcilePorts => ({
  ...by.ports,
  walk: createTableWalk(through, tableName, cryptoRandom),
});
const run = (more: Partial<ReconcilePorts> = {}, less: Partial<typeof bounds> = {}, shouldStop = () => false) =>
  reconcile({ ...portsOf(core, client), ...more }, shouldStop, { ...bounds, ...less });

/** Connected for so long that nobody has heard of it lately, and at the broker. */
async function settled(username: string, clientId: string, expiry = 0): Promise<void> {
  await core.join(username, clientId, expiry);
  core.broker.set(clientId, { kind: 'connected' });
}

async function retained(username: string, clientId: string, expiry: number): Promise<void> {
  const attempt = await core.join(username, clientId, expiry);
  await core.report('door.disconnected', username, clientId, attempt, expiry);
  core.broker.set(clientId, { kind: 'retained', disconnectedAt: core.now(), expirySeconds: seconds(expiry) });
}

async function everything(): Promise<unknown> {
  return (await allItems({ client, tableName })).filter((item) => item.pk !== 'reconciler');
}

async function checkAgreement(username: string, way = ''): Promise<void> {
  const roster = await core.store.readRoster(demo, username as Username);
  const { items } = await core.store.listSessions(demo, username as Username, { limit: 100 });
  const live = items.filter(({ value }) => isLive(value, core.now())).map(({ value }) => value.place);
  expect([...roster.places].sort(), way).toEqual(live.sort());
  expect(roster.used, way).toBe(live.length);
}

const orphan = (text: string) => Buffer.from(text.padEnd(8)).toString('base64url') as Place;
const addOrphan = (username: string, text: string) =>
  core.store.addPlace(demo, username as Username, orphan(text), Number.POSITIVE_INFINITY, core.now());

const clean = { driftRemoved: 0, driftAdded: 0, finished: 0, ghosts: 0, corrected: 0, unknown: 0, failed: 0 };

test('where all is well it asks about every quiet session, reports zeros, and writes nothing but its place', async () => {
  await settled('alice', 'a');
  await settled('bob', 'b', 60);
  await retained('bob', 'kept', 5_000);
  core.advance(quietSeconds);
  await settled('alice', 'lately');
  await core.connect('alice', 'pending');
  const before = await everything();
  expect(await run()).toEqual({ ...clean, pages: 1, usernames: 2, sessions: 5, asked: 3, passEndedAt: core.now() });
  expect(await everything()).toEqual(before);
});

test.each([
  ['connected', 'absent', 'ended', { ghosts: 1 }],
  ['connected', 'retained', 'retained', { corrected: 1 }],
  ['retained', 'absent', 'ended', { ghosts: 1 }],
  ['retained', 'connected', 'connected', { corrected: 1 }],
  ['connected', 'unknown', 'connected', { unknown: 1 }],
  ['retained', 'unknown', 'retained', { unknown: 1 }],
] as const)('S13: a %s session of which the broker says %s is %s', async (holding, kind, after, counts) => {
  const since = core.now();
  if (holding === 'connected') await settled('alice', 'a', 3_000);
  else await retained('alice', 'a', 3_000);
  core.advance(quietSeconds);
  core.broker.set(
    'a',
    kind === 'retained'
      ? { kind, disconnectedAt: core.now(), expirySeconds: seconds(700) }
      : kind === 'connected'
        ? { kind, since }
        : { kind },
  );
  expect(await run()).toMatchObject({ ...clean, asked: 1, ...counts });
  const session = await core.session('alice', 'a');
  expect(session?.phase.kind).toBe(after);
  expect(session && pendingOf(session)).toBeUndefined();
  await checkAgreement('alice');
  if (after === 'retained' && kind === 'retained')
    expect(session?.countsUntil).toBe(addSeconds(core.now(), seconds(700)));
});

test('S17: a connection that no known admission has made counts with the session it is met on, until its own is known', async () => {
  await retained('alice', 'a', 3_000);
  core.advance(quietSeconds);
  core.broker.set('a', { kind: 'connected', since: core.now() });
  expect(await run()).toMatchObject({ ...clean, asked: 1, corrected: 1 });
  const session = await core.session('alice', 'a');
  expect(session).toMatchObject({ phase: { kind: 'retained' }, ambiguity: 'unknown' });
  expect(session?.countsUntil).toBeGreaterThan(addSeconds(core.now(), seconds(86_400)));
  core.broker.delete('a');
  core.advance(31);
  await core.sweep();
  expect(await core.used('alice')).toBe(0);
});

test('S10: a retained session counts until the broker says, where that is not what stands in', async () => {
  await retained('alice', 'a', 3_600);
  core.broker.set('a', { kind: 'retained', disconnectedAt: core.now(), expirySeconds: seconds(900) });
  const end = addSeconds(core.now(), seconds(900));
  core.advance(quietSeconds);
  expect(await run()).toMatchObject({ corrected: 1 });
  expect((await core.session('alice', 'a'))?.countsUntil).toBe(end);
  expect((await core.store.readRoster(demo, 'alice' as Username)).wakeAt).toBeLessThanOrEqual(end);
  expect(await run()).toMatchObject({ corrected: 0, asked: 1 });
});

test('S15: a tombstone is asked about while the broker may keep what it granted, and what lives there is counted again', async () => {
  const freed = async (clientId: string, granted: number): Promise<void> => {
    await core.join('alice', clientId, granted);
    // Its lease and the broker's word, which was wrong.
    await change(
      core.ports,
      { deploymentId: demo, username: 'alice' as Username, clientId: clientId as ClientId },
      () => {
        return 'ask the broker';
      },
    );
  };
  await freed('clean', 0);
  await freed('gone', 3_600);
  await freed('there', 3_600);
  expect(await core.used('alice')).toBe(0);
  const kept = { kind: 'retained', disconnectedAt: core.now(), expirySeconds: seconds(3_600) } as const;
  core.broker.set('there', kept);
  core.advance(quietSeconds);
  expect(await run()).toMatchObject({ ...clean, asked: 2, driftAdded: 1 });
  expect(await core.session('alice', 'there')).toMatchObject({ phase: { kind: 'retained' }, recounted: true });
  await checkAgreement('alice');
  expect(await core.used('alice')).toBe(1);
  core.advance(100_000);
  await core.sweep();
  expect(await run()).toMatchObject({ ...clean, asked: 0 });
});

test('drift is found wherever it lies, repaired, told once, and is 0 after that', async () => {
  await settled('alice', 'a');
  await settled('alice', 'lost');
  const lost = await core.session('alice', 'lost');
  if (lost === undefined) throw new Error('it was admitted');
  await core.store.removePlace(demo, 'alice' as Username, lost.place, false);
  await addOrphan('alice', 'one');
  await addOrphan('nobody', 'two');
  expect(await run()).toMatchObject({ ...clean, usernames: 2, driftRemoved: 2, driftAdded: 1 });
  await checkAgreement('alice');
  expect(await core.used('nobody')).toBe(0);
  expect(await run()).toMatchObject({ ...clean, usernames: 1 });
});

test('it walks in slices: a pass meets every username, ends, and the next begins no sooner than it should', async () => {
  const names = Array.from({ length: 12 }, (_, n) => `user-${n}`);
  for (const name of names) for (const n of [0, 1, 2]) await core.join(name, `${name}-${n}`);
  const met: string[] = [];
  const refreshRank = async (_: DeploymentId, username: Username): Promise<void> => void met.push(username);
  const slice = () => run({ refreshRank }, { pages: 2, pageItems: 7, passSeconds: 900 });
  let runs = 1;
  for (let one = await slice(); one.passEndedAt === undefined; one = await slice()) {
    expect(one.pages).toBe(2);
    expect(++runs).toBeLessThan(30);
  }
  expect(new Set(met)).toEqual(new Set(names));
  expect(runs).toBeGreaterThan(3);
  const before = met.length;
  core.advance(899);
  expect(await slice()).toMatchObject({ pages: 0 });
  expect(met).toHaveLength(before);
  core.advance(1);
  expect(await slice()).toMatchObject({ pages: 2 });
});

test('a username whose sessions fill many pages is recounted once', async () => {
  for (let n = 0; n < 40; n++) await core.join('large', `large-${n}`);
  expect(await run({}, { pageItems: 5 })).toMatchObject({ usernames: 1, sessions: 40 });
});

test('stopped in the middle of a page it keeps its place, and the next run does the page again', async () => {
  for (let n = 0; n < 30; n++) await core.join(`user-${n}`, `c-${n}`);
  let asked = 0;
  const first = await run({}, { pageItems: 500 }, () => ++asked > 12);
  expect(first).toMatchObject({ pages: 0 });
  expect(first.passEndedAt).toBeUndefined();
  expect(first.usernames).toBeGreaterThan(0);
  expect(first.usernames).toBeLessThan(30);
  expect(await run({}, { pageItems: 500 })).toMatchObject({ usernames: 30, passEndedAt: core.now() });
});

test('of two that walk at once one gives way, and nothing is repaired twice', async () => {
  await settled('alice', 'ghost');
  core.broker.set('ghost', { kind: 'absent' });
  await addOrphan('bob', 'one');
  core.advance(quietSeconds);
  const both = await Promise.all([run(), run()]);
  expect(both.filter((one) => one.passEndedAt !== undefined)).toHaveLength(1);
  expect(both[0].driftRemoved + both[1].driftRemoved).toBe(1);
  expect(await core.used('alice')).toBe(0);
  expect(await core.used('bob')).toBe(0);
});

test('questions are bounded, deployments have equal parts, and over the passes every session has its turn', async () => {
  for (let n = 0; n < 30; n++) await settled('alice', `a-${n}`);
  for (let n = 0; n < 3; n++) {
    await settled('bob', `b-${n}`);
    const session = await core.session('bob', `b-${n}`);
    if (session === undefined) throw new Error('it was admitted');
    const moved: Session = { ...session, deploymentId: 'other' as DeploymentId };
    await core.store.putSession(moved, undefined);
    await core.store.addPlace(moved.deploymentId, moved.username, moved.place, 1e9, moved.dueAt);
    await core.store.removePlace(demo, 'bob' as Username, session.place, false);
    const stored = await core.store.readSession(session);
    if (stored !== undefined) await core.store.removeSession(session, stored);
  }
  core.advance(quietSeconds);
  const asked: string[] = [];
  const broker = {
    ...core.ports.broker,
    getConnection: async (id: string) => {
      asked.push(id);
      return { kind: 'connected' as const };
    },
  };
  expect(await run({ broker }, { questions: 6, pageItems: 500 })).toMatchObject({ asked: 6 });
  expect(asked.filter((id) => id.startsWith('other:'))).toHaveLength(3);
  for (let pass = 0; pass < 60; pass++) await run({ broker }, { questions: 6, pageItems: 500 });
  expect(new Set(asked).size).toBe(33);
});

test('a session that the broker cannot know of is not asked about', async () => {
  await retained('alice', 'a', 3_000);
  core.broker.set('a', { kind: 'absent' });
  core.advance(quietSeconds);
  expect(await run({ mayAsk: (session) => session.phase.kind !== 'retained' })).toMatchObject({ ...clean, asked: 0 });
  expect(await core.used('alice')).toBe(1);
});

test('S9: of a client id that has changed hands the broker speaks for whoever holds it now', async () => {
  core.takeover = 'allow';
  await settled('alice', 'shared');
  core.advance(1_000);
  await core.join('bob', 'shared');
  core.broker.set('shared', { kind: 'connected', since: core.now() });
  // The newcomer's record forgot whom it threw out, and the old username's session was never ended.
  const left = await core.store.readSession({
    deploymentId: demo,
    username: 'alice' as Username,
    clientId: 'shared' as ClientId,
  });
  if (left === undefined) throw new Error('its record stays');
  const session = left.value;
  await core.store.putSession(
    { ...session, phase: { kind: 'connected', made: madeOf(session) ?? { at: session.attempts[0].admittedAt } } },
    left,
  );
  await core.store.addPlace(demo, 'alice' as Username, session.place, 1e9, session.dueAt);
  core.advance(quietSeconds);
  expect(await run()).toMatchObject({ ghosts: 1 });
  expect(await core.used('alice')).toBe(0);
  expect(await core.used('bob')).toBe(1);
});

test('what fails is counted and left to the next pass, and the others go on', async () => {
  for (const name of ['alice', 'bob', 'carol']) {
    await core.join(name, `${name}-1`);
    await addOrphan(name, name);
  }
  const refreshRank = (_: DeploymentId, username: Username) =>
    username === 'bob' ? Promise.reject(new Error('the index is throttled')) : Promise.resolve();
  expect(await run({ refreshRank })).toMatchObject({ failed: 1, driftRemoved: 3, passEndedAt: core.now() });
});

async function damage(): Promise<void> {
  await settled('alice', 'fine');
  await settled('alice', 'ghost');
  core.broker.set('ghost', { kind: 'absent' });
  await settled('bob', 'lost');
  const lost = await core.session('bob', 'lost');
  if (lost === undefined) throw new Error('it was admitted');
  await core.store.removePlace(demo, 'bob' as Username, lost.place, true);
  await addOrphan('alice', 'one');
  core.advance(quietSeconds);
}

/** Another process: the same time, the same broker. */
function prepare(by: Core): Core {
  by.max = undefined;
  by.advance((core.now() - by.now()) / 1000);
  for (const [id, says] of core.broker) by.broker.set(id, says);
  return by;
}

test('I7: it dies at any request, the next run goes on, and nothing is lost', async () => {
  for (let i = 0, alive = true; alive; i++) {
    await newTable();
    await damage();
    const dying = await new Steps(client, tableName).begin((by, through) =>
      reconcile(portsOf(prepare(by), through), () => false, { ...bounds, pageItems: 2 }),
    );
    alive = await stepTimes(dying, i);
    dying.die();
    // The rest of the pass, and a whole one.
    for (let runs = 0; runs < 2; runs++) await run({}, { pageItems: 2 });
    expect(await core.session('alice', 'ghost'), `died after ${i}`).toMatchObject({ phase: { kind: 'ended' } });
    expect(await core.used('alice')).toBe(1);
    expect(await core.used('bob')).toBe(1);
    for (const username of ['alice', 'bob']) await checkAgreement(username, `died after ${i} requests`);
  }
}, 120_000);

type Comeback = readonly [
  name: string,
  traffic: (by: Core) => Promise<unknown>,
  after: 'connected' | 'counted' | 'ended',
];
const comebacks: readonly Comeback[] = [
  ['a reconnect of the ghost', (by) => by.join('alice', 'ghost'), 'connected'],
  ['a reconnect of the ghost that is not confirmed yet', (by) => by.connect('alice', 'ghost'), 'counted'],
  [
    'the end of the ghost',
    async (by) => {
      const session = await by.session('alice', 'ghost');
      if (session !== undefined) await by.report('door.disconnected', 'alice', 'ghost', session.attempts[0].id);
    },
    'ended',
  ],
];

test.each(comebacks)(
  'I2: beside %s: whoever comes back counts, whoever is gone does not',
  async (_name, traffic, after) => {
    await interruptEverywhere(async (way) => {
      // A hundred tables.
      client = createMemoryClient();
      core = createCore(client, tableName);
      core.max = undefined;
      await settled('alice', 'ghost');
      core.broker.set('ghost', { kind: 'absent' });
      core.advance(quietSeconds);
      return {
        steps: new Steps(client, tableName),
        first: (by: Core, through: DocumentClient) => reconcile(portsOf(prepare(by), through), () => false, bounds),
        second: (by: Core) => traffic(prepare(by)),
        check: async (where): Promise<void> => {
          await checkAgreement('alice', `${way}: ${where}`);
          const session: Session | undefined = await core.session('alice', 'ghost');
          expect(await core.used('alice'), where).toBe(after === 'ended' ? 0 : 1);
          if (after !== 'counted') expect(session?.phase.kind, where).toBe(after);
        },
      };
    });
  },
  180_000,
);
