// Peers under bursts: how many are alive at one instant, what a client hears who comes back at the limit, how fast
// everyone is answered, and whether the count is right again when all have gone. Peers take turns, round by round, so
// that whatever else the machine does meets them alike.

import { setTimeout as wait } from 'node:timers/promises';
import type { Crowd } from '../clients/crowd.ts';
import type { Answer, Device, Told } from '../clients/light-client.ts';
import type { Peer } from './peer.ts';

export interface BurstPlan {
  /** How many CONNECT at the same moment. */
  readonly clients: number;
  readonly rounds: number;
  /** Undefined: without a limit. */
  readonly limit: number | undefined;
}

export interface Round {
  /** Clients alive at one instant after everyone was answered. */
  readonly alive: number;
  readonly answers: readonly Answer[];
  /** CONNECTs answered a second. */
  readonly perSecond: number;
  /** What a client id that was alive was told when it came once more; undefined where nobody was alive. */
  readonly back: Told | undefined;
  /** What the peer still counted when all had gone, after a wait; undefined where it does not count. */
  readonly left: number | undefined;
}

/** Peers free what has gone in their own time, Headcount within a lease and a sweep; what counts then counts for good. */
const leftWithinMs = 60_000;

async function settle(peer: Peer): Promise<number | undefined> {
  if (peer.used === undefined) return undefined;
  const deadline = performance.now() + leftWithinMs;
  for (;;) {
    const used = await peer.used();
    if (used === 0 || performance.now() > deadline) return used;
    await wait(100);
  }
}

async function runRound(peer: Peer, crowd: Crowd, clients: number): Promise<Round> {
  const deviceOf = (clientId: string): Device => ({ clientId, login: peer.login });
  const devices = Array.from({ length: clients }, (_, n) => deviceOf(`client-${n}`));
  const { answers, tookMs } = await crowd.burst({ port: peer.port }, devices);
  const living = await crowd.alive();
  const [back] = await crowd.join({ port: peer.port }, living.slice(0, 1).map(deviceOf), 1);
  await crowd.leave();
  const left = await settle(peer);
  return { alive: living.length, answers, perSecond: clients / (tookMs / 1_000), back: back?.told, left };
}

export async function measureBursts(
  peers: readonly Peer[],
  crowd: Crowd,
  { clients, rounds, limit }: BurstPlan,
): Promise<ReadonlyMap<Peer, readonly Round[]>> {
  if (limit !== undefined)
    await Promise.all(
      peers.map((peer) => {
        if (peer.setLimit === undefined) throw new Error(`${peer.name} knows no limit`);
        return peer.setLimit(limit);
      }),
    );
  const found = new Map<Peer, Round[]>(peers.map((peer) => [peer, []]));
  for (let round = 0; round < rounds; round += 1)
    for (const peer of peers) found.get(peer)?.push(await runRound(peer, crowd, clients));
  return found;
}
