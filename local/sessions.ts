// Sessions in the local run: who decides on a CONNECT, the broker, and the queue through which presence comes.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { authorize } from '../functions/authorizer/authorize.ts';
import { applyPresence } from '../functions/presence/apply.ts';
import { createGatheredReads } from '../shared/adapters/dynamodb/common/gathered-reads.ts';
import { createNoticeStore } from '../shared/adapters/dynamodb/usage/notice-store.ts';
import { createRankStore } from '../shared/adapters/dynamodb/usage/rank-store.ts';
import { askedWithin, withDeadline } from '../shared/adapters/node/deadline.ts';
import { createLogNotices } from '../shared/adapters/node/log-notices.ts';
import { cryptoRandom } from '../shared/adapters/node/random.ts';
import { createTickets } from '../shared/adapters/node/tickets.ts';
import { startingClean } from '../shared/app/admission/clean-start.ts';
import { createHostLookup } from '../shared/app/admission/host-lookup.ts';
import { tellingRefusals } from '../shared/app/rejections/refusals.ts';
import type { SettingsCache } from '../shared/app/settings/settings-cache.ts';
import { askingForRanks, createRankRequests } from '../shared/app/usage/ask-ranks.ts';
import { createNoticeThreshold } from '../shared/app/usage/notice-threshold.ts';
import { refreshRank } from '../shared/app/usage/refresh-rank.ts';
import { doorAnswerMs, doorBudgetMs, sessionExpirySecondsDefault } from '../shared/config/constants.ts';
import { createCoreConnect, createCoreRejections } from '../shared/core/connect.ts';
import { type CoreAdapters, createCore, createCoreSettings } from '../shared/core/core.ts';
import { type DeploymentId, parseDeploymentId, type Username } from '../shared/domain/ids.ts';
import { seconds } from '../shared/domain/time.ts';
import type { Broker } from '../shared/ports/presence/broker.ts';
import { createLocalBroker } from './broker.ts';
import { parseKeptSession } from './broker-sessions.ts';
import { type Data, tableName } from './data.ts';
import { type Journal, noJournal, openJournal } from './journal.ts';
import { localArn } from './policy.ts';
import type { ProductOptions } from './product.ts';
import { createLocalQueue, parseKept } from './queue.ts';
import { createRankTimers } from './rank-timers.ts';
import { mqttDomain } from './seed.ts';
import { createSettledView } from './settled-view.ts';
import { createLeaving, type Shutdown } from './shutdown.ts';

/** Here nothing is paid by the write, so the order by used follows sooner than on AWS. */
const rankDelay = seconds(2);
/** Five deliveries last longer than a CONNECT may be on its way to the broker. */
const redeliverAfterMs = 3_000;
/** How long a message waits that the database did not answer to. */
const putBackSeconds = 1;
const authorizerSlackMs = 2_000;

export interface SessionsOptions
  extends Pick<ProductOptions, 'clock' | 'log' | 'presenceFaults' | 'onPresence' | 'queueFaults'> {
  readonly data: Data;
  readonly shutdown: Shutdown;
}

export type Sessions = Awaited<ReturnType<typeof startSessions>>;

export async function startSessions(options: SessionsOptions) {
  const { clock, log, presenceFaults, onPresence, queueFaults, shutdown } = options;
  const { dataDir, client, settings, credentials, passwords } = options.data;
  const view = createSettledView();
  const own = { client, tableName, clock, random: cryptoRandom, log };
  const adapters = { ...own, bareStore: createCore(own).store, aroundStore: view.around };
  const [cache, rejections] = [createCoreSettings(adapters), createCoreRejections(adapters)];
  const tickets = createTickets(randomBytes(32), clock);
  const openKept = createKept(dataDir.path, shutdown);
  const { ranks, refresh, rankRequests } = startRanks({
    adapters,
    cache,
    shutdown,
    isKept: dataDir.path !== undefined,
  });
  const queue = createLocalQueue({
    clock,
    journal: openKept('presence-queue.journal', parseKept),
    ...(queueFaults === undefined ? {} : { faults: queueFaults }),
    visibilityMs: redeliverAfterMs,
    handler: (event) => applyPresence({ ...lifeCycle, credentials, ranks, putBack }, event),
  });
  shutdown.add(() => queue.close());
  const putBack = (body: string): Promise<void> =>
    queue.send(JSON.parse(body) as object, { delaySeconds: putBackSeconds });
  // The broker asks who may connect, and who decides that ends connections there.
  const endingConnections: Pick<Broker, 'deleteConnection'> = {
    deleteConnection: (...asked) => broker.deleteConnection(...asked),
  };
  const decide = withDeadline(
    createCoreConnect({
      ...adapters,
      budgetMs: doorBudgetMs,
      settings: cache,
      passwords,
      queue: { put: (message) => queue.send(message) },
      broker: endingConnections,
    }),
    doorAnswerMs,
  );
  const telling = { rejections, clock, log };
  const connect = tellingRefusals(decide, telling);
  const deploymentOfServerName = createHosts(settings, clock);
  const leaving = createLeaving(dataDir.path !== undefined);
  const brokerJournal = openKept('broker-sessions.journal', parseKeptSession);
  const straight = tellingRefusals(startingClean(decide, endingConnections), telling);
  const broker = await createLocalBroker({
    authorize: (event) =>
      authorize({ connect: straight, tickets: async () => tickets, deploymentOfServerName, clock }, localArn, event),
    // A CONNECT that is decided late on a small machine must not be refused with its place taken.
    answerMs: doorBudgetMs + authorizerSlackMs,
    // An event that a fault holds back beyond the end of the process is lost, as anything is that nobody waits for.
    onPresence(event) {
      onPresence?.(event);
      if (!leaving.isLeft) void queue.send(event).catch(() => undefined);
    },
    clock,
    persistentExpirySeconds: async (deploymentId) => {
      const id = parseDeploymentId(deploymentId);
      const known = id.ok ? await cache.get(id.value).catch(() => cache.recall(id.value)) : undefined;
      return known?.deployment.sessionExpirySeconds ?? sessionExpirySecondsDefault;
    },
    memory: { journal: brokerJournal, endedAt: dataDir.lastAliveAt ?? clock.now() },
    onDefect: (error) => log.error('a defect inside the embedded broker', { error: String(error) }),
    ...(presenceFaults === undefined ? {} : { faults: presenceFaults }),
  });
  shutdown.add(() => broker.close());
  const lifeCycle = createCore({
    ...adapters,
    broker,
    aroundStore: (bare) => askingForRanks(view.around(bare), rankRequests),
  });
  return {
    adapters: { ...own, aroundStore: view.around },
    view,
    leaving,
    connect,
    broker,
    brokerJournal,
    queue,
    lifeCycle,
    tickets,
    deploymentOfServerName,
    rejections,
    rankRequests,
    refresh,
  };
}

function createHosts(settings: Data['settings'], clock: ProductOptions['clock']) {
  const getDeploymentOfHost = askedWithin(settings.getDeploymentOfHost, doorBudgetMs / 2);
  return createHostLookup({ getDeploymentOfHost }, clock, mqttDomain);
}

/** Journals in the data folder; none without one. */
function createKept(folder: string | undefined, shutdown: Shutdown) {
  return <T>(name: string, parse: (raw: unknown) => T | undefined): Journal<T> => {
    if (folder === undefined) return noJournal;
    const journal = openJournal(join(folder, name), parse);
    shutdown.add(() => journal.close());
    return journal;
  };
}

/** The order by used, and the notices of usernames near their limit, which follow each count that presence has changed. */
function startRanks({
  adapters,
  cache,
  shutdown,
  isKept,
}: {
  readonly adapters: CoreAdapters & Pick<ProductOptions, 'log'>;
  readonly cache: SettingsCache;
  readonly shutdown: Shutdown;
  /** The next start goes on with this one's data. */
  readonly isKept: boolean;
}) {
  const { client, clock, log } = adapters;
  const { consistent } = createGatheredReads({ client, tableName });
  const ranks = createRankStore(client, tableName, cryptoRandom, consistent);
  const notice = createNoticeThreshold({
    settings: cache,
    store: createNoticeStore(client, tableName, cryptoRandom),
    notices: createLogNotices(log),
    clock,
    log,
  });
  const { store } = createCore(adapters);
  const refresh = (deploymentId: DeploymentId, username: Username) =>
    refreshRank({ store, ranks, notice }, deploymentId, username);
  const rankTimers = createRankTimers(({ deploymentId, username }) => refresh(deploymentId, username));
  shutdown.add(() => (isKept ? rankTimers.stop() : rankTimers.flush()));
  const rankRequests = createRankRequests({ messages: rankTimers, clock, log, delaySeconds: rankDelay });
  return { ranks, refresh, rankRequests };
}
