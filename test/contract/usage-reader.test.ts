import { beforeEach, expect, test } from 'vitest';
import { createSessionStore } from '../../shared/adapters/dynamodb/presence/session-store.ts';
import { createRejectionStore } from '../../shared/adapters/dynamodb/rejections/rejection-store.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { createUsageReader } from '../../shared/adapters/dynamodb/usage/usage-reader.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { collectRankRequests } from '../../shared/app/usage/ask-ranks.ts';
import type { ClientId, DeploymentId, Username } from '../../shared/domain/ids.ts';
import { startSession } from '../../shared/domain/session/attempt.ts';
import { confirmSession, endSession } from '../../shared/domain/session/outcome.ts';
import type { Session } from '../../shared/domain/session/record.ts';
import { defaultsOf, limitSettings } from '../../shared/domain/settings.ts';
import { type Ms, ms, seconds } from '../../shared/domain/time.ts';
import type { SessionStore } from '../../shared/ports/counter/sessions.ts';
import type { RejectionStore } from '../../shared/ports/rejections/rejections.ts';
import type { SettingsStore } from '../../shared/ports/settings/settings.ts';
import type { SessionView, UsageReader } from '../../shared/ports/usage/usage.ts';
import { deploymentOf } from '../support/deployment.ts';
import { rejectionSum } from '../support/rejection-sum.ts';
import { tableForAllTests } from '../support/tables.ts';

const start = ms(1_800_000_000_000);
const policy = { leaseSeconds: seconds(30), maxConnectionSeconds: seconds(86_400) };
const name = (raw: string) => raw as Username;
const client = (raw: string) => raw as ClientId;

let sessions: SessionStore;
let settings: SettingsStore;
let rejections: RejectionStore;
let usage: UsageReader;
let now: Ms;
let nextId = 0;
let one: DeploymentId;
let other: DeploymentId;

tableForAllTests(({ client, tableName }) => {
  sessions = createSessionStore(client, tableName, cryptoRandom);
  settings = createSettingsStore(client, tableName);
  rejections = createRejectionStore(client, tableName);
  const ports = { sessions, settings, clock: { now: () => now }, ranks: collectRankRequests() };
  usage = createUsageReader(client, tableName, ports);
});
beforeEach(async () => {
  now = start;
  nextId += 1;
  // The id of the other begins with that of this one.
  one = `d${nextId}` as DeploymentId;
  other = `d${nextId}-other` as DeploymentId;
  for (const id of [one, other]) await settings.createDeployment(deploymentOf(id));
});

type State = SessionView['state'];

function sessionOf(deploymentId: DeploymentId, username: string, clientId: string, state: State): Session {
  const names = { deploymentId, username: name(username), clientId: client(clientId) };
  const told = { at: start, expirySeconds: seconds(60) };
  const admission = { ...told, attempt: cryptoRandom.attemptId(), witness: 'door' } as const;
  const before = false;
  const pending = startSession(names, cryptoRandom.place(), admission, policy, undefined, before);
  if (state === 'pending') return pending;
  const connected = confirmSession(pending, told, policy);
  return state === 'connected' ? connected : endSession(connected, told, start);
}

/** A session with everything that belongs to it; not counted: an attempt that is still being decided. */
async function join(
  deploymentId: DeploymentId,
  username: string,
  clientId: string,
  { state = 'connected', counted = true }: { readonly state?: State; readonly counted?: boolean } = {},
): Promise<void> {
  const session = sessionOf(deploymentId, username, clientId, state);
  await sessions.putSession(session, undefined);
  const owner = { username: session.username, keptUntil: session.countsUntil };
  const outcome = await sessions.putOwner(deploymentId, session.clientId, owner, undefined);
  if (outcome.kind !== 'done') throw new Error('the client id is taken');
  const { place, countsUntil } = session;
  if (counted) await sessions.addPlace(deploymentId, session.username, place, Number.POSITIVE_INFINITY, countsUntil);
}

async function allNames(limit: number, order: 'asc' | 'desc', prefix?: string): Promise<string[]> {
  const seen: string[] = [];
  for (let after: Username | undefined; ; ) {
    const page = {
      limit,
      order,
      ...(after === undefined ? {} : { after }),
      ...(prefix === undefined ? {} : { prefix }),
    };
    const { items, more } = await usage.listUsernames(one, page);
    if (more) expect(items).toHaveLength(limit);
    seen.push(...items.map(({ username }) => username));
    after = items.at(-1)?.username;
    if (!more || after === undefined) return seen;
  }
}

test('usernames come in order of their bytes, both ways, once each, with a prefix or without', async () => {
  // In UTF-16 the last two stand the other way round.
  const names = ['B', 'a', 'ab', 'a|', 'b', 'ü', '\uFF5E', '\u{1F600}'];
  for (const username of [...names].reverse()) await join(one, username, `c ${username}`);
  for (const limit of [1, 3, 100]) {
    expect(await allNames(limit, 'asc')).toEqual(names);
    expect(await allNames(limit, 'desc')).toEqual([...names].reverse());
    expect(await allNames(limit, 'asc', 'a')).toEqual(['a', 'ab', 'a|']);
    expect(await allNames(limit, 'desc', 'a')).toEqual(['a|', 'ab', 'a']);
  }
  expect(await allNames(2, 'asc', 'nobody')).toEqual([]);
});

test('a prefix tells capital letters from small ones', async () => {
  for (const username of ['Alice', 'alice']) await join(one, username, `c ${username}`);
  expect(await allNames(9, 'asc', 'al')).toEqual(['alice']);
});

test('a list goes on after a username that is not there', async () => {
  for (const username of ['a', 'c']) await join(one, username, `c ${username}`);
  const after = async (order: 'asc' | 'desc') =>
    (await usage.listUsernames(one, { limit: 9, order, after: name('b') })).items.map(({ username }) => username);
  expect(await after('asc')).toEqual(['c']);
  expect(await after('desc')).toEqual(['a']);
});

test('a username is told of by the states of its sessions', async () => {
  for (const [n, state] of (
    ['connected', 'connected', 'connected', 'retained', 'retained', 'pending'] as const
  ).entries())
    await join(one, 'alice', `c${n}`, { state });
  await join(one, 'alice', 'undecided', { state: 'pending', counted: false });
  const limit = { kind: 'none' };
  const usages = { username: 'alice', used: 6, limit, whitelisted: false };
  expect(await usage.getUsername(one, name('alice'))).toEqual({ ...usages, connected: 3, retained: 2, pending: 1 });
  expect((await usage.listUsernames(one, { limit: 9, order: 'asc' })).items).toEqual([usages]);
  const listed = (await usage.listSessions(one, name('alice'), { limit: 50 })).items;
  expect(listed.map(({ clientId }) => clientId).sort()).toEqual(['c0', 'c1', 'c2', 'c3', 'c4', 'c5']);
  expect(await usage.getClient(one, client('undecided'))).toBeUndefined();
});

test('whoever has neither a session nor a rejection is not there; a rejection alone is told of', async () => {
  expect(await usage.getUsername(one, name('nobody'))).toBeUndefined();
  expect(await usage.getClient(one, client('nobody'))).toBeUndefined();
  expect(await usage.listSessions(one, name('nobody'), { limit: 5 })).toEqual({ items: [], more: false });
  await rejections.addRejections(
    rejectionSum({ deploymentId: one, username: 'carol', clientId: 'c', count: 3, at: start }),
  );
  expect(await usage.getUsername(one, name('carol'))).toMatchObject({
    used: 0,
    connected: 0,
    rejections: { count: 3, lastAt: start, lastClientId: 'c' },
  });
  // Of rejections for another reason than quota the username's last ones tell.
  await rejections.addRejections(
    rejectionSum({ deploymentId: one, username: 'dora', at: start, reason: 'client_id_invalid' }),
  );
  const dora = await usage.getUsername(one, name('dora'));
  expect([dora?.used, dora?.rejections]).toEqual([0, undefined]);
  expect(await allNames(9, 'asc')).toEqual([]);
  expect(await usage.getUsername(other, name('carol'))).toBeUndefined();
});

test('sessions are listed in an order that stays, each once, whatever the length of a page', async () => {
  const ids = ['c', 'B', 'a|b', 'ü', 'c|1', 'c1', '\u{1F600}'];
  for (const id of ids) await join(one, 'alice', id);
  await join(one, 'alice|', 'of another');
  const orders: string[][] = [];
  for (const limit of [1, 2, 3, 7, 50]) {
    const seen: string[] = [];
    for (let after: ClientId | undefined; ; ) {
      const page = { limit, ...(after === undefined ? {} : { after }) };
      const { items, more } = await usage.listSessions(one, name('alice'), page);
      seen.push(...items.map(({ clientId }) => clientId));
      after = items.at(-1)?.clientId;
      if (!more || after === undefined) break;
      expect(items).toHaveLength(limit);
    }
    orders.push(seen);
  }
  expect([...(orders[0] ?? [])].sort()).toEqual([...ids].sort());
  for (const order of orders) expect(order).toEqual(orders[0]);
});

test('a session that has expired is nowhere, before anybody swept it (S11)', async () => {
  await join(one, 'alice', 'stays');
  await join(one, 'alice', 'left', { state: 'retained' });
  await join(one, 'bob', 'bob', { state: 'retained' });
  const left = await usage.getClient(one, client('left'));
  expect(left).toMatchObject({ username: 'alice', state: 'retained', expiresAt: start + 60_000 });
  now = ms(start + 60_001);
  expect(await usage.getClient(one, client('left'))).toBeUndefined();
  expect(await usage.getUsername(one, name('alice'))).toMatchObject({ used: 1, connected: 1, retained: 0 });
  const listed = await usage.listSessions(one, name('alice'), { limit: 1 });
  expect(listed).toMatchObject({ items: [{ clientId: 'stays' }], more: false });
  expect(await usage.getUsername(one, name('bob'))).toBeUndefined();
  expect(await allNames(1, 'asc')).toEqual(['alice']);
});

test('those over their limit are counted, by the limit that is theirs', async () => {
  for (const username of ['alice', 'bob', 'carol'])
    for (const n of [1, 2]) await join(one, username, `${username}${n}`);
  await join(one, 'dave', 'dave1');
  const by = { actor: 'somebody', at: start };
  const put = (max: number, enabled: boolean, ...whitelist: Username[]) =>
    settings.putSessionLimit(
      one,
      { ...defaultsOf(limitSettings), enabled, maxSessionsPerUsername: max, whitelist },
      by,
    );
  expect(await usage.countOverLimit(one)).toBe(0);
  await put(2, true);
  expect(await usage.countOverLimit(one)).toBe(0);
  await put(1, true);
  expect(await usage.countOverLimit(one)).toBe(3);
  await put(1, true, name('bob'));
  expect(await usage.countOverLimit(one)).toBe(2);
  await put(1, false);
  expect(await usage.countOverLimit(one)).toBe(0);
});

test('deployments do not see each other, though the id of one begins with the other’s', async () => {
  await join(other, 'alice', 'c');
  expect(await allNames(9, 'asc')).toEqual([]);
  expect(await usage.getUsername(one, name('alice'))).toBeUndefined();
  expect(await usage.getClient(one, client('c'))).toBeUndefined();
  expect((await usage.listSessions(one, name('alice'), { limit: 9 })).items).toEqual([]);
  await join(one, 'bob', 'c');
  expect(await usage.getClient(one, client('c'))).toMatchObject({ username: 'bob' });
  expect(await usage.getClient(other, client('c'))).toMatchObject({ username: 'alice' });
  const by = { actor: 'somebody', at: start };
  await settings.putSessionLimit(other, { ...defaultsOf(limitSettings), maxSessionsPerUsername: 0, whitelist: [] }, by);
  expect(await usage.countOverLimit(other)).toBe(1);
  expect(await usage.countOverLimit(one)).toBe(0);
});
