import { expect, test } from 'vitest';
import { sessionPartition } from '../../shared/adapters/dynamodb/common/keys.ts';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credentials/credential-store.ts';
import { createSessionStore } from '../../shared/adapters/dynamodb/presence/session-store.ts';
import { createTableWalk } from '../../shared/adapters/dynamodb/repair/table-walk.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import type { ClientId, DeploymentId, Username } from '../../shared/domain/ids.ts';
import { startSession } from '../../shared/domain/session/attempt.ts';
import { freeSession } from '../../shared/domain/session/outcome.ts';
import type { Session } from '../../shared/domain/session/record.ts';
import { ms, seconds } from '../../shared/domain/time.ts';
import type { SessionStore } from '../../shared/ports/counter/sessions.ts';
import type { CredentialStore } from '../../shared/ports/credentials/credentials.ts';
import type { Bookmark, Progress, TableWalk, WalkPage } from '../../shared/ports/repair/table-walk.ts';
import { someHash } from '../support/passwords.ts';
import { tableForEachTest } from '../support/tables.ts';

const start = ms(1_800_000_000_000);
const policy = { leaseSeconds: seconds(30), maxConnectionSeconds: seconds(86_400) };

let sessions: SessionStore;
let credentials: CredentialStore;
let walk: TableWalk;
tableForEachTest(({ client, tableName }) => {
  // A walk is over everything there is.
  sessions = createSessionStore(client, tableName, cryptoRandom);
  credentials = createCredentialStore(client, tableName);
  walk = createTableWalk(client, tableName, cryptoRandom);
});

async function join(deploymentId: string, username: string, clientId: string): Promise<Session> {
  const names = {
    deploymentId: deploymentId as DeploymentId,
    username: username as Username,
    clientId: clientId as ClientId,
  };
  const admission = {
    attempt: cryptoRandom.attemptId(),
    witness: 'door',
    at: start,
    expirySeconds: seconds(60),
  } as const;
  const session = startSession(names, cryptoRandom.place(), admission, policy, undefined, false);
  await sessions.putSession(session, undefined);
  await sessions.addPlace(names.deploymentId, names.username, session.place, Number.POSITIVE_INFINITY, start);
  return session;
}

async function readAll(limit: number, meanwhile?: () => Promise<unknown>): Promise<WalkPage[]> {
  const pages: WalkPage[] = [];
  let after: Bookmark | undefined;
  do {
    const page = await walk.readPage(after, limit);
    pages.push(page);
    after = page.next;
    if (pages.length === 2) await meanwhile?.();
    if (pages.length > 200) throw new Error('the table never ends');
  } while (after !== undefined);
  return pages;
}

const nameOf = ({ deploymentId, username, clientId }: Session) => [deploymentId, username, clientId].join(' / ');
const ownerOf = ({ deploymentId, username }: { deploymentId: string; username: string }) =>
  [deploymentId, username].join(' / ');
const sessionsOf = (pages: readonly WalkPage[]) => pages.flatMap((page) => page.sessions);
const rostersOf = (pages: readonly WalkPage[]) => pages.flatMap((page) => page.rosters);

async function fill(): Promise<Session[]> {
  const all: Session[] = [];
  for (const deployment of ['one', 'other'])
    for (const username of ['alice', 'alice|with|bars ü', 'bob']) {
      const hash = someHash;
      const credential = { username: username as Username, hash, createdAt: start };
      await credentials.putCredential(deployment as DeploymentId, credential);
      for (const clientId of ['c1', 'c|2', 'c3']) all.push(await join(deployment, username, clientId));
    }
  return all;
}

test('an empty table is one page with nothing on it', async () => {
  expect(await walk.readPage(undefined, 10)).toEqual({ sessions: [], rosters: [] });
});

test.each([1, 4, 1_000])('every session and every roster is met once, in pages of %i', async (limit) => {
  const all = await fill();
  const pages = await readAll(limit);
  expect(sessionsOf(pages).map(nameOf).sort()).toEqual(all.map(nameOf).sort());
  expect(rostersOf(pages).map(ownerOf).sort()).toEqual([...new Set(all.map(ownerOf))].sort());
});

test('a page is about as long as it was asked to be', async () => {
  await fill();
  for (const page of await readAll(4)) expect(page.sessions.length + page.rosters.length).toBeLessThanOrEqual(4);
});

test('a session is met as it stands, a tombstone too', async () => {
  const live = await join('one', 'alice', 'live');
  const over = await join('one', 'alice', 'over');
  const stored = await sessions.readSession(over);
  if (stored === undefined) throw new Error('it was put');
  await sessions.putSession(freeSession(stored.value), stored);
  const tombstone = (await sessions.readSession(over))?.value;
  const met = sessionsOf(await readAll(10));
  expect(met).toHaveLength(2);
  expect(met).toContainEqual(live);
  expect(met).toContainEqual(tombstone);
});

test('sessions of one partition of a username lie one after another', async () => {
  await fill();
  const runs = sessionsOf(await readAll(4))
    .map((session) => `${ownerOf(session)} ${sessionPartition(session.clientId)}`)
    .filter((run, at, all) => run !== all[at - 1]);
  expect(runs).toHaveLength(new Set(runs).size);
});

test('what stands there throughout is met once, whatever comes and goes meanwhile', async () => {
  const all = await fill();
  const [first, ...stay] = all;
  const gone = first === undefined ? undefined : await sessions.readSession(first);
  if (first === undefined || gone === undefined) throw new Error('it was put');
  const met = sessionsOf(
    await readAll(4, async () => {
      await sessions.removeSession(first, gone);
      for (const name of ['aaron', 'zoe']) await join('one', name, 'new');
    }),
  ).map(nameOf);
  for (const session of stay) expect(met.filter((name) => name === nameOf(session))).toHaveLength(1);
});

test('how far it came is read back as it was saved, and is nothing that a walk meets', async () => {
  expect(await walk.readProgress()).toBeUndefined();
  const short: Progress = { pass: 1, startedAt: start, pages: 0 };
  const first = await walk.saveProgress(short, undefined);
  if (first.kind !== 'done') throw new Error('nobody else saved');
  expect(await walk.readProgress()).toEqual({ value: short, revision: first.revision });

  await fill();
  const { next } = await walk.readPage(undefined, 4);
  if (next === undefined) throw new Error('there is more');
  const full: Progress = { pass: 2, startedAt: start, endedAt: ms(start + 1), after: next, pages: 3, pagesBefore: 9 };
  await walk.saveProgress(full, { value: short, revision: first.revision });
  const saved = await walk.readProgress();
  expect(saved?.value).toEqual(full);
  expect(await walk.readPage(saved?.value.after, 4)).toEqual(await walk.readPage(next, 4));
  expect(sessionsOf(await readAll(4))).toHaveLength(18);
});

test('of two walkers the one that saves second is told, and takes nothing back', async () => {
  const begin: Progress = { pass: 1, startedAt: start, pages: 0 };
  const first = await walk.saveProgress(begin, undefined);
  if (first.kind !== 'done') throw new Error('nobody else saved');
  const seen = { value: begin, revision: first.revision };
  expect(await walk.saveProgress({ ...begin, pages: 9 }, undefined)).toEqual({ kind: 'changed', current: seen });
  const outcomes = await Promise.all([1, 2, 3].map((pages) => walk.saveProgress({ ...begin, pages }, seen)));
  expect(outcomes.filter(({ kind }) => kind === 'done')).toHaveLength(1);
  const now = await walk.readProgress();
  expect(await walk.saveProgress(begin, seen)).toEqual({ kind: 'changed', current: now });
  expect(await walk.readProgress()).toEqual(now);
});
