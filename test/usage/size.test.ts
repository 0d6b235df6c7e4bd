// S16 at size. The whole size of the contract, 100,000 usernames, is metered by `npm run bench -- --only growth --full`,
// which takes minutes; here the same code lists 3,000, and one username with 10,000 sessions.

import { expect, test } from 'vitest';
import { buildRanked, buildRoster, buildSession, nameOf, usernamesAtRest, writeItems } from '../../bench/fill/items.ts';
import { placeFor } from '../../bench/fill/sessions.ts';
import { GetCommand } from '../../shared/adapters/dynamodb/common/commands.ts';
import { perUsernameKey, sessionKey } from '../../shared/adapters/dynamodb/common/keys.ts';
import type { ClientId, Username } from '../../shared/domain/ids.ts';
import { defaultsOf, limitSettings } from '../../shared/domain/settings.ts';
import { type Ms, ms } from '../../shared/domain/time.ts';
import type { TestTable } from '../support/engine.ts';
import { tableForAllTests } from '../support/tables.ts';
import { allByName, allByUsed, createUsageRig, demo, sessionOf, type UsageRig } from './rig.ts';

let table: TestTable;
let rig: UsageRig;
let wakeAt: Ms;
tableForAllTests(async (created) => {
  table = created;
  rig = await createUsageRig(table.client, table.tableName);
  wakeAt = ms(rig.now + 86_400_000);
});

/** The engine's bytes come back as a Buffer; what counts is what is in them. */
function legible(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Set) return [...value].map(legible);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, legible(each)]));
}

test('what is written in bulk is what the product writes', async () => {
  const [session] = await rig.join('alice');
  await rig.refresh();
  if (session === undefined) throw new Error('nobody joined');
  const read = async (Key: object) =>
    (await table.client.send(new GetCommand({ TableName: table.tableName, Key: { ...Key } }))).Item;
  // Revisions are drawn anew each time.
  const plain = (item: Record<string, unknown> = {}) => legible({ ...item, rev: '', rankRev: '' });
  const { username, clientId } = session;
  expect(plain(buildRoster(demo, username, [session.place], wakeAt))).toEqual(
    plain(await read(perUsernameKey('N', demo, username))),
  );
  expect(plain(buildRanked(demo, username, 1))).toEqual(plain(await read(perUsernameKey('R', demo, username))));
  expect(plain(buildSession(session))).toEqual(plain(await read(sessionKey(demo, username, clientId))));
  await rig.leave('alice');
  await rig.refresh();
});

test('3,000 usernames: every one once, in either order, and as many over the limit as there are', async () => {
  const usedOf = (n: number): number => 1 + ((n * 7_919) % 13);
  await writeItems(table.client, table.tableName, usernamesAtRest(demo, 3_000, usedOf, wakeAt));
  const names = Array.from({ length: 3_000 }, (_, n) => nameOf(n));
  const named = await allByName(rig.usage, { limit: 100, order: 'asc' });
  expect(named.map((one) => one.username)).toEqual(names);
  expect(named.map((one) => one.used)).toEqual(names.map((_, n) => usedOf(n)));
  const ranked = await allByUsed(rig.usage, { limit: 100, order: 'desc' });
  const expected = [...named].sort(
    (a, b) => b.used - a.used || Buffer.compare(Buffer.from(b.username), Buffer.from(a.username)),
  );
  expect(ranked).toEqual(expected);
  const most = await allByUsed(rig.usage, { limit: 100, order: 'asc', minUsed: 12 });
  expect(most).toHaveLength(named.filter((one) => one.used >= 12).length);
  const limit = { ...defaultsOf(limitSettings), maxSessionsPerUsername: 9, whitelist: [nameOf(11)] };
  await rig.settings.putSessionLimit(demo, limit, { actor: 'test', at: rig.now });
  expect(await rig.usage.countOverLimit(demo)).toBe(
    named.filter((one) => one.used > 9 && one.username !== nameOf(11)).length,
  );
}, 120_000);

test('a username with 10,000 sessions: every one once, with its client, and the states add up to used', async () => {
  const username = 'fleet' as Username;
  const count = 10_000;
  const clientOf = (n: number) => `device-${String(n).padStart(5, '0')}`;
  const sessions = Array.from({ length: count }, (_, n) => ({
    ...sessionOf(username, clientOf(n), rig.now),
    place: placeFor(username, n),
    ...(n % 4 === 0 ? { phase: { kind: 'retained', made: { at: rig.now }, disconnectedAt: rig.now } as const } : {}),
  }));
  const places = sessions.map(({ place }) => place);
  await writeItems(table.client, table.tableName, [
    ...sessions.map(buildSession),
    buildRoster(demo, username, places, wakeAt),
    buildRanked(demo, username, count),
  ]);
  const seen: string[] = [];
  for (let after: ClientId | undefined; ; ) {
    const page = await rig.usage.listSessions(demo, username, {
      limit: 100,
      ...(after === undefined ? {} : { after }),
    });
    seen.push(...page.items.map((one) => one.clientId));
    expect(page.items[0]).toMatchObject({ protocolVersion: 5, ipAddress: '2001:db8::1', connectedAt: rig.now });
    after = page.items.at(-1)?.clientId;
    if (!page.more) break;
  }
  expect(seen).toEqual(Array.from({ length: count }, (_, n) => clientOf(n)));
  expect(await rig.usage.getUsername(demo, username)).toMatchObject({
    used: count,
    connected: 7_500,
    retained: 2_500,
    pending: 0,
  });
  const [first] = (await rig.usage.listByUsed(demo, { limit: 1, order: 'desc' })).items;
  expect(first).toMatchObject({ username, used: count });
}, 120_000);
