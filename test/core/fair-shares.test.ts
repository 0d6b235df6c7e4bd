// S24, counted: what runs for strangers before a right password is checked, and what runs for one username before
// another one's CONNECT is decided. On the real engine.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ConnectRequest } from '../../shared/domain/connect.ts';
import { until } from '../support/until.ts';
import { type ConnectRig, startConnectRig } from './connect-rig.ts';

let rig: ConnectRig;
beforeAll(async () => {
  rig = await startConnectRig();
  for (const id of ['demo', 'other']) {
    await rig.addDeployment(id);
    for (const username of ['alice', 'bob']) await rig.addUser(id, username, `${username}-secret`);
  }
}, 30_000);
afterAll(() => rig.stop());
beforeEach(() => {
  rig.newProcess();
  rig.advance(10);
});

const from = (ipAddress: string) => ({ protocolVersion: 5 as const, cleanStart: true, ipAddress });

/** Guesses, each at a username of its own, all of which have been read and wait for their check, or begin it. */
async function flood(count: number, request: Partial<ConnectRequest>, left: readonly AbortController[] = []) {
  rig.watch();
  const guesses = Array.from({ length: count }, (_, n) => {
    const signal = left[n]?.signal;
    const leaving = signal === undefined ? {} : { left: signal };
    return rig.connect({ username: `u${n}`, password: Buffer.from(`guess-${n}`), ...request, ...leaving });
  });
  await until(() => expect(rig.credentialsRead).toBe(count));
  await settle();
  return guesses;
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 50));

/** How many checks are begun before that of the right password. */
async function checksBefore(request: Partial<ConnectRequest>, release: () => void): Promise<number> {
  const before = rig.credentialsRead;
  const right = rig.connect({ clientId: 'right', hints: from('192.0.2.1'), ...request });
  await until(() => expect(rig.credentialsRead).toBeGreaterThan(before));
  await settle();
  release();
  expect(await right).toMatchObject({ kind: 'admitted' });
  return rig.hashed.indexOf('alice-secret');
}

describe('before a right password is checked', () => {
  test('nothing runs for 70 clients that have left, beyond the two checks that were under way', async () => {
    const release = rig.holdHashes();
    const left = Array.from({ length: 70 }, () => new AbortController());
    const guesses = await flood(70, { hints: from('198.51.100.1') }, left);
    for (const client of left) client.abort();
    let answered = 0;
    for (const guess of guesses) void guess.then(() => answered++);
    await until(() => expect(answered).toBe(68));
    expect(await checksBefore({ hints: from('198.51.100.1') }, release)).toBe(2);
    await Promise.all(guesses);
    expect(rig.hashed).toHaveLength(3);
  });

  // Two are under way; then each share has its turn, that of an address with up to eight checks.
  test.each<[string, number, Partial<ConnectRequest>, Partial<ConnectRequest>]>([
    ['another deployment', 3, { hints: from('198.51.100.1') }, { deploymentId: 'other', hints: from('198.51.100.1') }],
    ['another address', 10, { hints: from('198.51.100.1') }, {}],
    ['a known deployment, guesses at unknown ones', 3, { deploymentId: 'made-up' }, {}],
    [
      'another deployment, addresses unknown',
      3,
      { hints: undefined as never },
      { deploymentId: 'other', hints: undefined as never },
    ],
  ])('each other share has one turn at most, of 200 that wait: %s', async (_what, atMost, guess, right) => {
    const release = rig.holdHashes();
    const guesses = await flood(200, guess);
    expect(await checksBefore(right, release)).toBeLessThanOrEqual(atMost);
    await Promise.all(guesses);
  });

  test('made-up deployments share one part, however many names', async () => {
    const release = rig.holdHashes();
    rig.watch();
    const guesses = Array.from({ length: 60 }, (_, n) =>
      rig.connect({ deploymentId: `made-up-${n}`, password: Buffer.from(`guess-${n}`), hints: from('198.51.100.1') }),
    );
    await until(() => expect(rig.credentialsRead).toBe(60));
    await settle();
    expect(await checksBefore({}, release)).toBeLessThanOrEqual(3);
    await Promise.all(guesses);
  });
});

test('no reading is made for a client that has left before its turn', async () => {
  rig.watch();
  const left = AbortSignal.abort();
  expect(await rig.connect({ left })).toMatchObject({ reason: 'unavailable', detail: 'the client has left' });
  expect(rig.sent).toEqual([]);
});

test('a CONNECT that waited for its turn is not hashed again while its credential is unchanged', async () => {
  rig.watch();
  let written = 0;
  // The first one's writes take longer than a right password is remembered.
  rig.onSend = (command) => {
    if (command === 'PutItemCommand' && written++ === 0) rig.advance(5);
  };
  const both = await Promise.all([rig.connect({ clientId: 'twice' }), rig.connect({ clientId: 'twice' })]);
  rig.onSend = () => undefined;
  expect(written).toBeGreaterThan(0);
  for (const decision of both) expect(decision).toMatchObject({ kind: 'admitted' });
  expect(rig.hashes).toBe(1);
});

test('… and is, where it has changed: a CONNECT that waited comes too late with the old password', async () => {
  await rig.addUser('demo', 'carol', 'old');
  let changed = false;
  rig.onSend = async (command) => {
    if (command !== 'PutItemCommand' || changed) return;
    changed = true;
    await rig.addUser('demo', 'carol', 'new');
    rig.advance(5);
  };
  const request = { username: 'carol', password: Buffer.from('old'), clientId: 'carol-1' };
  const [first, second] = await Promise.all([rig.connect(request), rig.connect(request)]);
  rig.onSend = () => undefined;
  expect([first, second]).toMatchObject([{ kind: 'admitted' }, { reason: 'bad_credentials' }]);
});

describe('bob, with his own password and 80 sockets on a client id of alice', () => {
  test('is decided at most a few times before alice is, who comes last', async () => {
    await rig.connect({ clientId: 'hers' });
    await rig.connect({ username: 'bob', password: Buffer.from('bob-secret'), clientId: 'his' });
    let decided = 0;
    const crowd = Array.from({ length: 80 }, async () => {
      const one = await rig.connect({ username: 'bob', password: Buffer.from('bob-secret'), clientId: 'hers' });
      decided++;
      return one;
    });
    const alice = await rig.connect({ clientId: 'hers' });
    expect(alice).toMatchObject({ kind: 'admitted', reconnect: true });
    // Those that found the line full are told so at once; of those that wait, one goes at a time.
    expect(decided).toBeLessThanOrEqual(25);
    const answers = await Promise.all(crowd);
    expect(answers.map((one) => (one.kind === 'rejected' ? one.reason : one.kind))).not.toContain('admitted');
    expect(answers.filter((one) => one.kind === 'rejected' && one.reason === 'unavailable').length).toBeLessThanOrEqual(
      15,
    );
  });
});
