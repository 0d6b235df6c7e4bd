// Headcount beside what its users would otherwise run, in the same run on the same machine: real clients that come a few at
// a time, one at a time, and at the same moment. Whatever is not installed is left out, and named.

import { type Crowd, startCrowd } from '../clients/crowd.ts';
import { latencyRows, ratioRow, takeTurns } from '../latency/rounds.ts';
import type { Row, Section, SectionOptions, SectionResult } from '../section.ts';
import { backRow, limitRows, toldWords } from './burst-rows.ts';
import { startHeadcount } from './headcount.ts';
import { connectAlone, joinNotes, joinRows, measureJoining, tailRow } from './joining.ts';
import { measureBursts, type Round } from './measure.ts';
import { type Found, farAway, type Peer } from './peer.ts';
import { parsePlaces } from './places.ts';
import { findRabbit } from './rabbitmq.ts';

const clients = 500;
const limits = [1, 10, 100];
/** What one client at a time is to take at most, times what it takes with a peer. */
const mostOfMedian = 1.5;
const mostOfTail = 5;

interface Run extends SectionOptions {
  readonly crowd: Crowd;
  readonly rounds: number;
  readonly rows: Row[];
  readonly notes: string[];
  /** To be stopped, the last one first. */
  readonly started: Peer[];
}

async function started(run: Run, start: () => Promise<Peer>): Promise<Peer> {
  const peer = await start();
  run.started.push(peer);
  run.say(`${peer.name} listens`);
  return peer;
}

/** What is only there to compare with must not cost the figures that are there already. */
async function optional<T>(run: Run, what: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    run.notes.push(`${what} was not measured: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

async function startIfInstalled(run: Run, name: string, found: Found): Promise<Peer | undefined> {
  if (found.kind === 'installed') return optional(run, name, () => started(run, () => found.start()));
  const how = `${found.install}, or unpack its packages anywhere (apt-get download, dpkg -x) and set PEERS_ROOT`;
  run.notes.push(`${name} is not installed, so it was not measured: ${how}.`);
  return undefined;
}

async function underLimits(run: Run, headcount: Peer, others: readonly Peer[]): Promise<void> {
  const peers = [headcount, ...others];
  const all = new Map<Peer, Round[]>(peers.map((peer) => [peer, []]));
  for (const limit of limits) {
    const found = await measureBursts(peers, run.crowd, { clients, rounds: run.rounds, limit });
    for (const [peer, rounds] of found) {
      all.get(peer)?.push(...rounds);
      run.rows.push(...limitRows(peer.name, { clients, limit }, rounds, peer === headcount));
      run.notes.push(`${peer.name} at limit ${limit} answered ${toldWords(rounds)}.`);
      run.say(`${peer.name}, limit ${limit}: alive ${rounds.map(({ alive }) => alive).join(', ')}`);
    }
  }
  for (const [peer, rounds] of all) run.rows.push(backRow(peer.name, rounds, peer === headcount));
}

/** A few at a time, as devices come in daily running. Each with a username of its own comes first: it is the common case. */
async function joining(run: Run, peers: readonly Peer[]): Promise<void> {
  const plan = { devices: 1_000, width: 32, rounds: run.full ? 10 : 3, withinMs: 5_000 };
  const joined = await measureJoining(peers, run.crowd, plan);
  run.rows.push(...joinRows(joined, plan));
  run.notes.push(...joinNotes(joined));
}

/** A ratio says more than times on a machine that does other things too. */
async function alone(run: Run, headcount: Peer, others: readonly Peer[]): Promise<void> {
  const peers = [headcount, ...others];
  const subjects = peers.map((peer) => ({ name: peer.name, work: () => connectAlone(peer, run.crowd) }));
  const times = await takeTurns(subjects, run.full ? 10 : 3, 100);
  const atOf = (name: string): string => `${name}, one client at a time: CONNECT to its answer`;
  for (const { name } of peers) run.rows.push(...latencyRows(times, name, atOf(name)));
  for (const { name } of others) {
    const besides = (what: string): string => `${atOf(headcount.name)}, ${what}, times ${name}'s`;
    const row = { what: besides('median'), budget: mostOfMedian, headline: true };
    run.rows.push(ratioRow(times, headcount.name, name, row));
    run.rows.push(tailRow(times, headcount.name, name, { what: besides('p99'), budget: mostOfTail }));
  }
}

async function measureAll(run: Run): Promise<void> {
  const headcount = await started(run, startHeadcount);
  const rabbit = await startIfInstalled(run, 'RabbitMQ', findRabbit(parsePlaces(process.env)));
  const others = rabbit === undefined ? [] : [rabbit];
  const peers = [headcount, ...others];
  for (const peer of peers) await peer.setLimit?.(farAway);
  await optional(run, 'A few clients at a time', () => joining(run, peers));
  run.say('a few clients at a time are measured');
  await optional(run, 'One client at a time', () => alone(run, headcount, others));
  run.say('one client at a time is measured');
  await underLimits(run, headcount, others);
}

export const section: Section = {
  name: 'peers',
  title: 'Beside others: clients a few at a time, alone, and at once',

  async run(options): Promise<SectionResult> {
    const rounds = options.full ? 20 : 3;
    const run: Run = { ...options, crowd: startCrowd(), rounds, rows: [], notes: [], started: [] };
    try {
      await measureAll(run);
    } finally {
      for (const peer of run.started.reverse()) await peer.stop();
      await run.crowd.stop();
    }
    return {
      rows: run.rows,
      notes: [
        `${clients} clients, held by two processes of their own, have their sockets open and send CONNECT at the same moment, with one username; ${rounds} rounds a limit, the peers in turn. Alive are those who were told 0 and, when everyone had an answer, answered a PINGREQ.`,
        'A few at a time: up to 1,000 devices a round, for 5 s at most, each connecting while 31 others do and staying, the peers in turn, with limits that are on and far away. A username a device: each is new to the peer; its user was made before. After each round all leave, and the peer comes to rest. MQTT 3.1.1, clean, for both; alone as well.',
        'At once: MQTT 5 for Headcount, MQTT 3.1.1 for RabbitMQ. Everything on one machine: the clients take processor time from what they measure.',
        'Headcount tells whoever it cannot decide about in 8 s that it is unavailable (0x88): on a machine that is too slow, or busy with other things, fewer are alive than there is room for, never more.',
        ...run.notes,
      ],
    };
  },
};
