// The harness that holds Headcount beside others: it counts who is alive, catches a limit that races, and what it starts
// ends with it.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Crowd, startCrowd } from '../../bench/clients/crowd.ts';
import type { Device } from '../../bench/clients/light-client.ts';
import { backRow, limitRows, overshootOf, toldWords } from '../../bench/peers/burst-rows.ts';
import { startHeadcount } from '../../bench/peers/headcount.ts';
import { connectAlone, joinNotes, joinRows, measureJoining } from '../../bench/peers/joining.ts';
import { measureBursts, type Round } from '../../bench/peers/measure.ts';
import type { Peer } from '../../bench/peers/peer.ts';
import { startRacyPeer } from './racy-peer.ts';

const clients = 40;
const limit = 7;

let crowd: Crowd;
beforeAll(() => {
  crowd = startCrowd(2);
});
afterAll(() => crowd.stop());

/** The peer is stopped afterwards. */
async function burstsOf(peer: Peer, rounds: number): Promise<readonly Round[]> {
  try {
    return (await measureBursts([peer], crowd, { clients, rounds, limit })).get(peer) ?? [];
  } finally {
    await peer.stop();
  }
}

async function oneRound(peer: Peer): Promise<Round> {
  const [round] = await burstsOf(peer, 1);
  if (round === undefined) throw new Error('one round was asked for');
  return round;
}

test('of 40 clients that CONNECT at once exactly 7 are alive on Headcount at limit 7, and a reconnect is free', async () => {
  const rounds = await burstsOf(await startHeadcount(), 3);
  expect(overshootOf(rounds, limit)).toBe(0);
  expect(rounds.map(({ left }) => left)).toEqual([0, 0, 0]);
  // A machine that is too slow tells some that it is unavailable; nobody is told so by a machine that has warmed up.
  const decided = rounds.filter(({ answers }) => answers.every(({ told }) => told === 0 || told === 0x97));
  expect(decided, rounds.map((round) => toldWords([round])).join('; ')).not.toEqual([]);
  for (const round of decided) {
    expect({ alive: round.alive, back: round.back }).toEqual({ alive: 7, back: 0 });
    expect(toldWords([round])).toBe('0x97 33 times, 0x00 7 times');
  }
  expect(limitRows('Headcount', { clients, limit }, decided, true).filter(({ ok }) => ok === false)).toEqual([]);
}, 240_000);

test('a limit that counts first and admits later is caught, in a row that ends the benchmark', async () => {
  const round = await oneRound(await startRacyPeer({ together: clients, limit, closedAgain: 0 }));
  expect(round.alive).toBe(40);
  expect(overshootOf([round], limit)).toBe(33);
  const [overshoot] = limitRows('racy', { clients, limit }, [round], true);
  expect(overshoot).toMatchObject({ value: 33, budget: 0, ok: false, binding: true });
  expect(backRow('racy', [round], true)).toMatchObject({ value: 0, ok: false });
});

test('who was told 0 and closed again is admitted, but not alive', async () => {
  const round = await oneRound(await startRacyPeer({ together: clients, limit, closedAgain: 35 }));
  expect(toldWords([round])).toBe('0x00 40 times');
  expect(round.alive).toBe(5);
  expect(overshootOf([round], limit)).toBe(0);
});

test('the worst round is what counts, and a peer without a promise breaks none', () => {
  const answers = [{ clientId: 'one', told: 0, tookMs: 1 }];
  const round = { alive: 7, answers, perSecond: 1, back: undefined, left: 0 };
  const rows = limitRows('other', { clients, limit }, [round, { ...round, alive: 19 }, round], false);
  expect(rows[0]).toMatchObject({ value: 12 });
  expect(rows.filter((row) => row.ok !== undefined || row.binding)).toEqual([]);
  expect(backRow('other', [round], true)).toMatchObject({ value: 0, ok: true });
});

test('a peer that refuses a client who comes alone is not timed', async () => {
  const peer = await startRacyPeer({ together: 1, limit: 0, closedAgain: 0 });
  try {
    await expect(connectAlone(peer, crowd)).rejects.toThrow('told 3');
  } finally {
    await peer.stop();
  }
});

/** Lets everybody in and writes down in which order peers were asked for what. */
function recordingPeers(names: readonly string[]) {
  const steps: { readonly peer: string; readonly what: 'users' | 'join'; readonly usernames: readonly string[] }[] = [];
  const login = { username: 'alice', password: 'alice-secret', protocolVersion: 5 } as const;
  const peers: readonly Peer[] = names.map((name, port) => ({
    name,
    port,
    login,
    addUsers: async (logins) =>
      void steps.push({ peer: name, what: 'users', usernames: logins.map((one) => one.username) }),
    stop: async () => undefined,
  }));
  const join = async ({ port }: { readonly port: number }, devices: readonly Device[]) => {
    expect(devices.every((device) => device.login.protocolVersion === 4)).toBe(true);
    steps.push({ peer: names[port] ?? '', what: 'join', usernames: devices.map((device) => device.login.username) });
    return devices.map(({ clientId }) => ({ clientId, told: port === 0 ? 0 : 5, tookMs: 2 }));
  };
  const admitting: Crowd = { ...crowd, join, leave: async () => undefined };
  return { steps, peers, admitting };
}

test('usernames of devices are made before anything is measured, and no round meets those of another', async () => {
  const { steps, peers, admitting } = recordingPeers(['one', 'other']);
  const plan = { devices: 3, rounds: 2, width: 2, withinMs: 1_000 };
  const joined = await measureJoining(peers, admitting, plan);
  expect(steps.map(({ peer, what }) => `${peer} ${what}`)).toEqual([
    ...['one users', 'other users'],
    ...['one join', 'other join', 'one join', 'other join', 'one join', 'other join', 'one join', 'other join'],
  ]);
  const made = steps[0]?.usernames ?? [];
  expect(new Set(made).size).toBe(6);
  const own = steps.filter(
    ({ peer, what, usernames }) => peer === 'one' && what === 'join' && usernames[0] !== 'alice',
  );
  expect(own.flatMap(({ usernames }) => usernames)).toEqual(made);
  expect(joinNotes(joined)).toEqual([
    'other did not admit 6 of 6 that came a few at a time.',
    'other did not admit 6 of 6 that came a few at a time.',
  ]);
});

test('of ratios to another the median round counts, and one below what it is to reach is told as not kept', () => {
  const [one, other] = recordingPeers(['one', 'other']).peers as [Peer, Peer];
  const roundsOf = (...rates: readonly number[]) =>
    rates.map((perSecond) => ({ perSecond, answers: [{ clientId: 'c', told: 0, tookMs: 1 }] }));
  const joined = {
    own: new Map([
      [one, roundsOf(70, 10, 50)],
      [other, roundsOf(100, 100, 100)],
    ]),
    shared: new Map([
      [one, roundsOf(80, 80, 60)],
      [other, roundsOf(100, 100, 100)],
    ]),
  };
  const ratios = joinRows(joined, { width: 32 }).filter(({ unit }) => unit === 'x');
  expect(ratios.map(({ what, value, least, ok }) => ({ what, value, least, ok }))).toEqual([
    {
      what: "one, 32 at a time, a username a device: admitted a second, times other's",
      value: 0.5,
      least: 0.6,
      ok: false,
    },
    { what: "one, 32 at a time, one username: admitted a second, times other's", value: 0.8, least: 0.6, ok: true },
    { what: 'one, 32 at a time: a username a device, times one username', value: 50 / 60, least: 0.8, ok: true },
  ]);
});

test('a device that would begin too late is left out', async () => {
  const peer = await startRacyPeer({ together: 1, limit: 5, closedAgain: 0 });
  try {
    const devices = [{ clientId: 'late', login: peer.login }];
    expect(await crowd.join({ port: peer.port }, devices, 1, -1)).toEqual([]);
  } finally {
    await peer.stop();
  }
});
