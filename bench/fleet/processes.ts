// Presence and sweeper, wired as their handlers wire them (functions/presence, functions/sweeper), but for what they are
// given: the clock, the randomness and the timers of the run, the simulated database, broker and queue.

import { applyPresence } from '../../functions/presence/apply.ts';
import type { DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credentials/credential-store.ts';
import { createRankStore } from '../../shared/adapters/dynamodb/usage/rank-store.ts';
import { createBrokerShare } from '../../shared/adapters/node/broker-share.ts';
import { type Swept, sweep } from '../../shared/app/repair/sweep.ts';
import { askingForRanks, collectRankRequests, createRankRequests } from '../../shared/app/usage/ask-ranks.ts';
import { brokerShares, presenceProcessesMax, rankDelaySeconds } from '../../shared/config/constants.ts';
import { type CoreAdapters, createCore } from '../../shared/core/core.ts';
import { seconds } from '../../shared/domain/time.ts';
import type { Log } from '../../shared/ports/common/log.ts';
import type { Random } from '../../shared/ports/common/random.ts';
import type { Broker } from '../../shared/ports/presence/broker.ts';
import type { Consumer, SimulatedQueue } from './message-queue.ts';
import { type ClientPolicy, createSimulatedClient, type SimulatedWay } from './sdk-client.ts';

export interface Surroundings extends SimulatedWay {
  readonly random: Random;
  readonly broker: Broker;
  readonly queue: SimulatedQueue;
  /** A mistake that is planted to see whether it is found: the limit is read as another one. */
  readonly misread?: ((maxSessionsPerUsername: number) => number) | undefined;
  readonly retries: Pick<ClientPolicy, 'maxAttempts' | 'throttledBaseMs' | 'failedBaseMs'>;
}

const tableName = 'fleet';
export const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Pauses of the store between two tries take their time of the virtual clock as well. */
export function coreAdapters(
  { time, random, chance }: Surroundings,
  client: DocumentClient,
): CoreAdapters & { readonly log: Log } {
  const backOff = (mostMs: number): Promise<void> => time.pause(chance.uniform() * mostMs);
  return { client, tableName, clock: time.clock, random, log: silent, storeOptions: { backOff } };
}

export function createPresence(around: Surroundings): Consumer {
  const { time, random, queue, retries } = around;
  const { clock, schedule } = time;
  const client = createSimulatedClient(around, { ...retries, requestTimeoutMs: 2_000, maxSockets: 64 });
  const share = createBrokerShare({
    broker: around.broker,
    clock,
    callsPerSecond: brokerShares.presence / presenceProcessesMax,
    burst: 10,
    waitMs: 500,
    passMs: 1_000,
    kinds: ['confirm'],
    schedule,
  });
  const requests = createRankRequests({
    messages: {
      send: async (message, delaySeconds) => queue.send(JSON.stringify(message), delaySeconds * 1_000, true),
    },
    clock,
    log: silent,
    delaySeconds: seconds(rankDelaySeconds),
  });
  const ports = createCore({
    ...coreAdapters(around, client),
    aroundStore: (store) => askingForRanks(store, requests),
    credentials: createCredentialStore(client, tableName),
    ranks: createRankStore(client, tableName, random),
    broker: share.of('confirm'),
    putBack: async (body: string) => queue.send(body, 30_000),
  });
  return (event) => applyPresence(ports, event);
}

/** One run of the sweeper; it stops 5 s before its time is up. */
export function createSweeper(around: Surroundings): () => Promise<Swept> {
  const { time, random, retries } = around;
  const { clock, schedule } = time;
  const client = createSimulatedClient(around, { ...retries, requestTimeoutMs: 2_000, maxSockets: 64 });
  const share = createBrokerShare({
    broker: around.broker,
    clock,
    callsPerSecond: brokerShares.sweeper,
    burst: 5,
    waitMs: 10_000,
    kinds: ['lease'],
    schedule,
  });
  const asked = collectRankRequests();
  const ports = createCore({
    ...coreAdapters(around, client),
    aroundStore: (store) => askingForRanks(store, asked),
    ranks: createRankStore(client, tableName, random),
    broker: share.of('lease'),
  });
  return async () => {
    const began = time.now;
    const swept = await sweep(ports, () => time.now - began > 50_000);
    await asked.refresh(ports, () => time.now - began > 54_000);
    return swept;
  };
}
