// A thousand clients at once, of twenty usernames with limits of their own, in every protocol version and over both
// transports: each username gets what its limit admits, and everybody else hears exactly why not (S4, S5, S6).

import { afterEach, expect, test } from 'vitest';
import { connectClient, type Outcome } from '../support/many-clients.ts';
import { api, cleanUp, type Ready, ready, start } from '../support/process.ts';
import { until } from '../support/until.ts';

afterEach(cleanUp);

const clientsPerUsername = 50;
const defaultLimit = 10;

interface User {
  readonly username: string;
  readonly override?: number | 'unlimited' | 'blocked';
  readonly whitelisted?: true;
  /** How many of its clients get in. */
  readonly admitted: number;
}

const users: readonly User[] = [
  { username: 'white-1', whitelisted: true, admitted: clientsPerUsername },
  { username: 'white-2', whitelisted: true, override: 3, admitted: clientsPerUsername },
  { username: 'white-3', whitelisted: true, override: 'blocked', admitted: 0 },
  { username: 'free-1', override: 'unlimited', admitted: clientsPerUsername },
  { username: 'free-2', override: 'unlimited', admitted: clientsPerUsername },
  { username: 'blocked-1', override: 'blocked', admitted: 0 },
  { username: 'blocked-2', override: 'blocked', admitted: 0 },
  ...[1, 2, 5, 25, 49, 50, 51].map((limit) => ({
    username: `own-${limit}`,
    override: limit,
    admitted: Math.min(limit, clientsPerUsername),
  })),
  ...['ann', 'bea', 'cem', 'dan', 'eve', 'fay'].map((username) => ({ username, admitted: defaultLimit })),
];

const unavailable = 0x88;
const codeOf = (user: User, version: number): number => {
  if (user.override === 'blocked') return version === 5 ? 0x87 : 0x05;
  return version === 5 ? 0x97 : 0x03;
};

/** Whoever waited this long may have been told that the server is not available, which MQTT 3 has no word of its own for. */
const lateMs = 4_000;

async function configure(at: Ready): Promise<ReadonlyMap<string, string>> {
  const passwords = new Map<string, string>();
  for (const { username } of users) {
    const { body } = await api(at, 'PUT', `/credentials/${username}`, {});
    passwords.set(username, String(body.password));
  }
  const whitelist = users.filter((user) => user.whitelisted).map(({ username }) => username);
  const limit = { maxSessionsPerUsername: defaultLimit, whitelist };
  expect((await api(at, 'PUT', '/session-limit', limit)).status).toBe(201);
  for (const { username, override } of users) {
    if (override === undefined) continue;
    const { status } = await api(at, 'PUT', `/session-limit/overrides/${username}`, { limit: override });
    expect(status).toBe(204);
  }
  return passwords;
}

test('1,000 clients at once over 20 usernames: each username gets exactly its limit, each rejection its exact code', async () => {
  expect(users).toHaveLength(20);
  const at = await ready(start({ DATA_DIR: ':memory:' }));
  const passwords = await configure(at);
  const all = users.flatMap((user) =>
    Array.from({ length: clientsPerUsername }, (_, n) => ({
      user,
      real: n % 5 === 0,
      spec: {
        version: ([3, 4, 5] as const)[n % 3] ?? 5,
        transport: n % 2 === 0 ? 'tcp' : 'tls',
        clientId: `${user.username}-${n}`,
        username: user.username,
        password: passwords.get(user.username) ?? '',
      } as const,
    })),
  );

  const admitted: Outcome[] = [];
  const rejectedForQuota = new Map<string, number>();
  let anyLate = false;
  let waiting = all;
  const countOf = ({ username }: User): number => admitted.filter(({ spec }) => spec.username === username).length;
  for (let round = 0; round < 4 && waiting.length > 0; round++) {
    const outcomes = await Promise.all(
      waiting.map(async (one) => ({ ...one, outcome: await connectClient(at, one.spec, one.real) })),
    );
    const refused = outcomes.filter(({ outcome }) => outcome.code !== 0);
    admitted.push(...outcomes.filter(({ outcome }) => outcome.code === 0).map(({ outcome }) => outcome));
    const isLate = ({ outcome }: (typeof outcomes)[number]): boolean =>
      outcome.code === unavailable || outcome.tookMs > lateMs;
    for (const one of refused) {
      const { user, outcome, spec } = one;
      if (outcome.code !== unavailable) expect(outcome.code, spec.clientId).toBe(codeOf(user, spec.version));
      if (isLate(one)) anyLate = true;
      if (user.override !== 'blocked')
        rejectedForQuota.set(user.username, (rejectedForQuota.get(user.username) ?? 0) + 1);
    }
    // Nobody is turned away for nothing: where some are missing, the machine was too slow for some, and they come again.
    const short = new Set(users.filter((user) => countOf(user) < user.admitted).map(({ username }) => username));
    waiting = refused.filter(({ spec }) => short.has(spec.username));
    for (const username of short)
      expect(
        refused.some((one) => one.spec.username === username && isLate(one)),
        username,
      ).toBe(true);
    for (const user of users) expect(countOf(user), user.username).toBeLessThanOrEqual(user.admitted);
  }

  // Alive at one instant, not only admitted.
  expect(admitted.filter((outcome) => !outcome.isOpen())).toEqual([]);
  expect(users.map((user) => [user.username, countOf(user)])).toEqual(
    users.map(({ username, admitted: expected }) => [username, expected]),
  );
  const usage = await api(at, 'GET', '/session-usage?limit=100');
  const used = usage.body.items as readonly { readonly username: string; readonly used: number }[];
  expect(Object.fromEntries(used.map((item) => [item.username, item.used]))).toEqual(
    Object.fromEntries(users.filter((user) => user.admitted > 0).map((user) => [user.username, user.admitted])),
  );
  await until(async () => {
    for (const { username } of users) {
      const { body } = await api(at, 'GET', `/session-usage/${username}`);
      const told = rejectedForQuota.get(username) ?? 0;
      // Exact; whoever was told that the server is not available is not in it.
      if (anyLate) expect(Number(body.rejections ?? 0), username).toBeLessThanOrEqual(told);
      else expect(Number(body.rejections ?? 0), username).toBe(told);
    }
  });

  await Promise.all(admitted.map((outcome, n) => outcome.end(n % 2 === 0 ? 'disconnect' : 'lost')));
  await until(async () => expect((await api(at, 'GET', '/session-usage?limit=100')).body.items).toEqual([]));
}, 180_000);
