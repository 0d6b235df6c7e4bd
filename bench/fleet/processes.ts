// The product's processes, each wired as its handler wires it (functions/authorizer, functions/presence,
// functions/sweeper), but for what it is given: the clock, the randomness and the timers of the run, the simulated
// database, broker and queue.

import { applyPresence } from '../../functions/presence/apply.ts';
import { createConnectSettingsReader } from '../../shared/adapters/dynamodb/connect-settings.ts';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credential-store.ts';
import { createRankStore } from '../../shared/adapters/dynamodb/rank-store.ts';
import { createRejectionStore } from '../../shared/adapters/dynamodb/rejection-store.ts';
import { createSessionStore } from '../../shared/adapters/dynamodb/session-store.ts';
import { createBrokerShare } from '../../shared/adapters/node/broker-share.ts';
import { withDeadline } from '../../shared/adapters/node/deadline.ts';
import { createPasswordCrypto } from '../../shared/adapters/node/password-crypto.ts';
import { createTokenCheck } from '../../shared/adapters/node/token-check.ts';
import { askingForRanks, collectRankRequests, createRankRequests } from '../../shared/app/ask-ranks.ts';
import { createConnect } from '../../shared/app/connect.ts';
import { createPasswords } from '../../shared/app/passwords.ts';
import { tokenAlgorithms } from '../../shared/app/public-keys.ts';
import { createRejectionRecorder } from '../../shared/app/rejection-recorder.ts';
import { createCredentialCache, createSettingsCache } from '../../shared/app/settings-cache.ts';
import { type Swept, sweep } from '../../shared/app/sweep.ts';
import {
  brokerShares,
  connectBudgetMs,
  leaseSeconds,
  maxConnectionSeconds,
  presenceProcessesMax,
  rankDelaySeconds,
} from '../../shared/config/constants.ts';
import type { Connect } from '../../shared/domain/connect.ts';
import type { DeploymentId } from '../../shared/domain/ids.ts';
import { seconds } from '../../shared/domain/time.ts';
import type { Broker } from '../../shared/ports/broker.ts';
import type { PasswordCrypto } from '../../shared/ports/credentials.ts';
import type { Log } from '../../shared/ports/log.ts';
import type { Random } from '../../shared/ports/random.ts';
import type { Consumer, SimulatedQueue } from './message-queue.ts';
import { type ClientPolicy, createSimulatedClient, type SimulatedWay } from './sdk-client.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface Surroundings extends SimulatedWay {
  readonly random: Random;
  readonly broker: Broker;
  readonly queue: SimulatedQueue;
  /** A mistake that is planted to see whether it is found: the limit is read as another one. */
  readonly misread?: ((maxSessionsPerUsername: number) => number) | undefined;
  readonly retries: Pick<ClientPolicy, 'maxAttempts' | 'throttledBaseMs' | 'failedBaseMs'>;
}

const tableName = 'fleet';
const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const policy = { leaseSeconds: seconds(leaseSeconds), maxConnectionSeconds: seconds(maxConnectionSeconds) };

export interface AuthorizerProcess {
  /** One CONNECT at a time, as Lambda does; the answer comes when the handler would give it. */
  readonly connect: Connect;
  /** The most sessions a username may hold by the settings that this process goes by; undefined: no limit. */
  limitSeen(): number | undefined;
}

export function createAuthorizer(around: Surroundings): AuthorizerProcess {
  const { time, random, retries, queue, misread } = around;
  const { clock } = time;
  const client = createSimulatedClient(around, { ...retries, requestTimeoutMs: 800, maxSockets: 64 });
  const recorder = createRejectionRecorder({
    store: createRejectionStore(client, tableName),
    clock,
    log: silent,
    newSumId: () => random.attemptId(),
  });
  let recorded = false;
  let limit: number | undefined;
  const cache = createSettingsCache(createConnectSettingsReader(client, tableName), clock);
  const decide = withDeadline(
    createConnect({
      budgetMs: connectBudgetMs,
      store: createSessionStore(client, tableName, random),
      settings: {
        async get(id: DeploymentId) {
          const settings = await cache.get(id);
          limit = settings?.limit?.enabled === true ? settings.limit.maxSessionsPerUsername : undefined;
          if (settings?.limit === undefined || misread === undefined) return settings;
          const maxSessionsPerUsername = misread(settings.limit.maxSessionsPerUsername);
          return { ...settings, limit: { ...settings.limit, maxSessionsPerUsername } };
        },
        recall: (id) => cache.recall(id),
      },
      credentials: createCredentialCache(createCredentialStore(client, tableName), clock),
      passwords: createPasswords({ crypto: createTimedCrypto(time), clock }),
      tokens: createTokenCheck(tokenAlgorithms),
      clock,
      random,
      queue: { put: async (message) => queue.send(JSON.stringify(message), 20) },
      rejections: {
        record(rejection) {
          recorded = true;
          recorder.record(rejection);
        },
      },
      log: silent,
      policy,
    }),
    connectBudgetMs,
    time.schedule,
  );
  return {
    async connect(request) {
      recorded = false;
      const earlier = recorder.flush();
      const decision = await decide(request);
      if (recorded) await Promise.all([earlier, recorder.flush()]);
      return decision;
    },
    limitSeen: () => limit,
  };
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
  const ports = {
    store: askingForRanks(createSessionStore(client, tableName, random), requests),
    ranks: createRankStore(client, tableName, random),
    clock,
    random,
    broker: share.of('confirm'),
    policy,
    putBack: async (body: string) => queue.send(body, 30_000),
    log: silent,
  };
  return (event) => applyPresence(ports, event);
}

/**
 * A scrypt runs in a thread of its own, which no virtual clock can wait for. Nobody's password is one here: it is what is
 * done where nobody can say whether a password is right.
 */
function createTimedCrypto({ pause }: VirtualTime): PasswordCrypto {
  return {
    ...createPasswordCrypto(),
    async scrypt() {
      await pause(70);
      return Buffer.alloc(32);
    },
  };
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
  const ports = {
    store: askingForRanks(createSessionStore(client, tableName, random), asked),
    ranks: createRankStore(client, tableName, random),
    clock,
    random,
    broker: share.of('lease'),
    policy,
  };
  return async () => {
    const began = time.now;
    const swept = await sweep(ports, () => time.now - began > 50_000);
    await asked.refresh(ports, () => time.now - began > 54_000);
    return swept;
  };
}
