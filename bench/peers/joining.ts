// Peers that take in clients a few at a time, as they do in daily running: how many are admitted a second while the next
// always waits, where each device has a username of its own and where all share one. Peers and cases take turns.

import { randomUUID } from 'node:crypto';
import type { Crowd } from '../clients/crowd.ts';
import type { Answer, Device, Login } from '../clients/light-client.ts';
import { latencyRows, median, quantile, type Times } from '../latency/rounds.ts';
import type { Row } from '../section.ts';
import type { Peer } from './peer.ts';

/** `own`: each device has a username of its own, which the peer has never seen. */
export const cases = ['own', 'shared'] as const;
export type Case = (typeof cases)[number];

export interface JoinPlan {
  readonly devices: number;
  readonly rounds: number;
  /** Devices that are on their way at the same time. */
  readonly width: number;
  /** After that no other device begins, so that a slow peer costs no more time. */
  readonly withinMs: number;
}

export interface JoinRound {
  /** Admitted a second, from the first CONNECT to the last answer. */
  readonly perSecond: number;
  readonly answers: readonly Answer[];
}

export type Joined = Readonly<Record<Case, ReadonlyMap<Peer, readonly JoinRound[]>>>;

/** MQTT 3.1.1 with every peer. */
const plain = (login: Login): Login => ({ ...login, protocolVersion: 4 });

async function joinOnce(peer: Peer, crowd: Crowd, devices: readonly Device[], plan: JoinPlan): Promise<JoinRound> {
  const begun = performance.now();
  const answers = await crowd.join({ port: peer.port }, devices, plan.width, plan.withinMs);
  const tookMs = performance.now() - begun;
  await crowd.leave();
  await peer.calm?.();
  const admitted = answers.filter(({ told }) => told === 0);
  return { perSecond: admitted.length / (tookMs / 1_000), answers };
}

/** Users are made before anything is measured; that no peer knows them, each round has its own. */
export async function measureJoining(peers: readonly Peer[], crowd: Crowd, plan: JoinPlan): Promise<Joined> {
  const run = randomUUID().slice(0, 8);
  const namesOf = (round: number): readonly string[] =>
    Array.from({ length: plan.devices }, (_, n) => `device-${run}-${round}-${n}`);
  const loginOf = (username: string): Login => ({ username, password: `${username}-secret`, protocolVersion: 4 });
  const all = Array.from({ length: plan.rounds }, (_, round) => namesOf(round)).flat();
  for (const peer of peers) {
    if (peer.addUsers === undefined) throw new Error(`${peer.name} has no users to be made`);
    await peer.addUsers(all.map(loginOf));
    await peer.calm?.();
  }
  const found = { own: new Map<Peer, JoinRound[]>(), shared: new Map<Peer, JoinRound[]>() };
  for (let round = 0; round < plan.rounds; round++)
    for (const one of cases)
      for (const peer of peers) {
        const devices = namesOf(round).map((clientId) => ({
          clientId,
          login: one === 'own' ? loginOf(clientId) : plain(peer.login),
        }));
        const rounds = found[one].get(peer) ?? [];
        found[one].set(peer, [...rounds, await joinOnce(peer, crowd, devices, plan)]);
      }
  return found;
}

/** Milliseconds from CONNECT to its answer of a client that has not been there before, comes alone and goes again. */
export async function connectAlone(peer: Peer, crowd: Crowd): Promise<number> {
  const device = { clientId: `alone-${randomUUID()}`, login: plain(peer.login) };
  const [answer] = await crowd.join({ port: peer.port }, [device], 1);
  await crowd.leave();
  if (answer?.told === 0) return answer.tookMs;
  throw new Error(`${peer.name} told ${answer?.told} to a client that came alone`);
}

const spreadOf = (values: readonly number[]): readonly [number, number] => [Math.min(...values), Math.max(...values)];

/** The median of what each round has come to beside the same round of something else. */
function ratioOf(rounds: readonly JoinRound[], beside: readonly JoinRound[]): Pick<Row, 'value' | 'spread'> {
  const ratios = rounds.map(({ perSecond }, n) => perSecond / (beside[n]?.perSecond ?? Number.NaN));
  return { value: median(ratios), spread: spreadOf(ratios) };
}

const leastOf = (row: Omit<Row, 'ok'> & { readonly least: number }): Row => ({ ...row, ok: row.value >= row.least });

/** What the first peer is to reach of each other one. */
const leastPart = 0.6;
/** And where each device has its own username, of what it reaches where all share one. */
const leastOfShared = 0.8;

/** The first peer is held against the others. */
export function joinRows(joined: Joined, { width }: Pick<JoinPlan, 'width'>): readonly Row[] {
  const words: Readonly<Record<Case, string>> = { own: 'a username a device', shared: 'one username' };
  const rows: Row[] = [];
  for (const one of cases) {
    const [first, ...others] = [...joined[one]];
    if (first === undefined) continue;
    for (const [{ name }, rounds] of [first, ...others]) {
      const at = `${name}, ${width} at a time, ${words[one]}`;
      const rates = rounds.map(({ perSecond }) => perSecond);
      const what = `${at}: CONNECTs admitted a second`;
      rows.push({ what, value: median(rates), unit: 'per second', spread: spreadOf(rates), headline: true });
      const times = { [at]: rounds.map(({ answers }) => answers.map(({ tookMs }) => tookMs)) };
      rows.push(...latencyRows(times, at, `${at}: CONNECT to its answer`));
    }
    for (const [{ name }, rounds] of others) {
      const what = `${first[0].name}, ${width} at a time, ${words[one]}: admitted a second, times ${name}'s`;
      rows.push(leastOf({ what, unit: 'x', least: leastPart, headline: true, ...ratioOf(first[1], rounds) }));
    }
  }
  const [own] = joined.own;
  const [shared] = joined.shared;
  if (own === undefined || shared === undefined) return rows;
  const what = `${own[0].name}, ${width} at a time: a username a device, times one username`;
  rows.push(leastOf({ what, unit: 'x', least: leastOfShared, headline: true, ...ratioOf(own[1], shared[1]) }));
  return rows;
}

/** How many of all were not admitted, as a sentence for each peer of which some were not. */
export function joinNotes(joined: Joined): readonly string[] {
  return cases.flatMap((one) =>
    [...joined[one]].flatMap(([{ name }, rounds]) => {
      const answers = rounds.flatMap((round) => round.answers);
      const refused = answers.filter(({ told }) => told !== 0).length;
      return refused === 0 ? [] : [`${name} did not admit ${refused} of ${answers.length} that came a few at a time.`];
    }),
  );
}

/** p99 of all rounds beside p99 of all rounds; a round of its own is too small for one. */
export function tailRow(times: Times, name: string, to: string, row: Pick<Row, 'what'> & { budget: number }): Row {
  const tailOf = (of: string): number => quantile((times[of] ?? []).flat(), 0.99);
  const value = tailOf(name) / tailOf(to);
  return { ...row, value, unit: 'x', ok: value <= row.budget, headline: true };
}
