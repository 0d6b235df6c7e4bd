// The whole product in one process tree: engine, broker, front door, the real handlers, the API. What runs here is
// what runs on AWS, less AWS: the queue, the broker and the timer stand for SQS, IoT Core and the schedule.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { createFrontDoor } from '../frontdoor/front-door.ts';
import { createApi } from '../functions/api/app.ts';
import { parseLocalTokens } from '../functions/api/tokens.ts';
import { authorize } from '../functions/authorizer/authorize.ts';
import { applyPresence } from '../functions/presence/apply.ts';
import { createDocumentClient } from '../shared/adapters/dynamodb/common/client.ts';
import { createDataFormatStore } from '../shared/adapters/dynamodb/common/data-format-store.ts';
import { createCredentialStore } from '../shared/adapters/dynamodb/credentials/credential-store.ts';
import { createTokenIssuerStore } from '../shared/adapters/dynamodb/credentials/token-issuer-store.ts';
import { createRejectionReader } from '../shared/adapters/dynamodb/rejections/rejection-reader.ts';
import { createTableWalk } from '../shared/adapters/dynamodb/repair/table-walk.ts';
import { createSettingsStore } from '../shared/adapters/dynamodb/settings/settings-store.ts';
import { createTenantStore } from '../shared/adapters/dynamodb/tenancy/tenant-store.ts';
import { createNoticeStore } from '../shared/adapters/dynamodb/usage/notice-store.ts';
import { createRankStore } from '../shared/adapters/dynamodb/usage/rank-store.ts';
import { createUsageReader } from '../shared/adapters/dynamodb/usage/usage-reader.ts';
import { createBrokerShare } from '../shared/adapters/node/broker-share.ts';
import { askedWithin, withDeadline } from '../shared/adapters/node/deadline.ts';
import { newDeploymentId } from '../shared/adapters/node/deployment-id.ts';
import { createKeyFetcher } from '../shared/adapters/node/key-fetcher.ts';
import { createLogNotices } from '../shared/adapters/node/log-notices.ts';
import { createPasswordCrypto } from '../shared/adapters/node/password-crypto.ts';
import { cryptoRandom } from '../shared/adapters/node/random.ts';
import { signersOf } from '../shared/adapters/node/signers.ts';
import { createTickets } from '../shared/adapters/node/tickets.ts';
import { startingClean } from '../shared/app/admission/clean-start.ts';
import { createHostLookup } from '../shared/app/admission/host-lookup.ts';
import { measuredConnect } from '../shared/app/admission/measured-connect.ts';
import { createPasswordKeys } from '../shared/app/common/open-data.ts';
import { createPasswords } from '../shared/app/credentials/passwords.ts';
import { refreshTokenKeys } from '../shared/app/credentials/token-issuer.ts';
import { tellingRefusals } from '../shared/app/rejections/refusals.ts';
import { reconcile } from '../shared/app/repair/reconcile.ts';
import { measuresOf, sweep } from '../shared/app/repair/sweep.ts';
import { askingForRanks, createRankRequests } from '../shared/app/usage/ask-ranks.ts';
import { createNoticeThreshold } from '../shared/app/usage/notice-threshold.ts';
import { refreshRank } from '../shared/app/usage/refresh-rank.ts';
import {
  brokerShares,
  dataFormat,
  doorAnswerMs,
  doorBudgetMs,
  sessionExpirySecondsDefault,
} from '../shared/config/constants.ts';
import { createCoreConnect, createCoreRejections } from '../shared/core/connect.ts';
import { createCore, createCoreSettings } from '../shared/core/core.ts';
import { type DeploymentId, parseDeploymentId, type Username } from '../shared/domain/ids.ts';
import type { Session } from '../shared/domain/session/record.ts';
import { seconds } from '../shared/domain/time.ts';
import type { Clock } from '../shared/ports/common/clock.ts';
import { DataRefused } from '../shared/ports/common/errors.ts';
import type { Log } from '../shared/ports/common/log.ts';
import type { Broker } from '../shared/ports/presence/broker.ts';
import { createLocalBroker } from './broker.ts';
import { parseKeptSession } from './broker-sessions.ts';
import { loadCertificate } from './certificate.ts';
import type { LocalConfig } from './config.ts';
import { createConsoleSite } from './console-site.ts';
import { createTable, refuseUnmarked } from './create-table.ts';
import { openDataDir } from './data-dir.ts';
import { startEngine } from './engine.ts';
import { every } from './every.ts';
import { explain } from './explain.ts';
import type { Faults } from './faults.ts';
import { createHealth } from './health.ts';
import { createHostCheck, isWildcard } from './hosts.ts';
import { listenHttp } from './http.ts';
import { type Journal, noJournal, openJournal } from './journal.ts';
import { startLocalOperations } from './operations.ts';
import { localKeyring } from './password-keys.ts';
import { createPipe } from './pipe.ts';
import { localArn } from './policy.ts';
import { createMeters } from './prometheus.ts';
import { createLocalQueue, parseKept } from './queue.ts';
import { createRankTimers } from './rank-timers.ts';
import { mqttDomain, seed } from './seed.ts';
import { settleAfterRestart } from './settle.ts';
import { Shutdown } from './shutdown.ts';
import { addStatusRoutes, type Peer } from './status.ts';
import { startTtlJanitor } from './ttl.ts';

export interface ProductOptions {
  readonly config: LocalConfig;
  readonly clock: Clock;
  readonly log: Log;
  /** Presence events duplicated, late, out of order. */
  readonly presenceFaults?: Faults;
  /** Sees what the broker tells of connections, besides the presence queue. Must not throw. */
  readonly onPresence?: (event: object) => void;
  /** Messages of the presence queue, once they are in it, duplicated, late, out of order. */
  readonly queueFaults?: Omit<Faults, 'drop'>;
  /** The folder of the built console, when it is built; undefined: it is not served. */
  readonly consoleFolder?: Promise<string | undefined>;
  /** The engine died and does not come back as it was, and nothing works without it. */
  readonly onFailure?: (problem: string) => void;
  /** Told at start: what is wrong, and does not keep the product from running. */
  readonly onWarning?: (problem: string) => void;
}

export interface Product {
  readonly mqttPort: number;
  readonly mqttsPort: number;
  readonly httpPort: number;
  readonly databaseEndpoint: string;
  /** Takes a client past the front door, as IoT Core takes a device that goes straight to it. No port leads there. */
  acceptStraight(stream: Duplex, ipAddress: string): void;
  /** Runs the sweeper now. */
  sweep(): ReturnType<typeof sweep>;
  /** Runs the reconciler now. */
  reconcile(): ReturnType<typeof reconcile>;
  /** Resolves when every presence message has been applied. */
  quiet(): Promise<void>;
  stop(): Promise<void>;
}

const tableName = 'headcount';
const doorMeasures = [
  'Admitted',
  'RejectedQuota',
  'RejectedCredentials',
  'RejectedUnavailable',
  'RejectedOther',
  'Departed',
  'ConnectLatency',
  'Connections',
  'Unadmitted',
  'Shed',
] as const;
const sweeperMeasures = ['LeaseChecks', 'Freed', 'Drift', 'SweepLag', 'SweepFailed'] as const;
/** Requests of the API to the engine that travel at the same time, and how long one may take with its wait for that. */
const apiWay = { maxSockets: 8, requestTimeoutMs: 10_000 };
const sweepEveryMs = 5_000;
const reconcileEveryMs = 60_000;
/** Each run a whole pass of what one machine usually holds. */
const localReconcileBounds = { pages: 40, pageItems: 500, questions: 400, passSeconds: 0 };
const refreshKeysEveryMs = 600_000;
const stopWaitMs = 2_000;
const authorizerSlackMs = 2_000;
const reportWaitMs = 3_000;
/** Here nothing is paid by the write, so the order by used follows sooner than on AWS. */
const rankDelay = seconds(2);
/** Five deliveries last longer than a CONNECT may be on its way to the broker. */
const redeliverAfterMs = 3_000;
/** How long a message waits that the database did not answer to. */
const putBackSeconds = 1;

export async function startProduct({
  config,
  clock,
  log,
  presenceFaults,
  onPresence,
  queueFaults,
  consoleFolder,
  onFailure,
  onWarning,
}: ProductOptions): Promise<Product> {
  const shutdown = new Shutdown();
  try {
    return await start();
  } catch (error) {
    await shutdown.run();
    throw error;
  }

  async function start(): Promise<Product> {
    const startedAt = clock.now();
    const dataDir = await openDataDir({ path: config.dataDir, clock });
    shutdown.add(() => dataDir.close());
    for (const warning of dataDir.warnings) onWarning?.(warning);
    const engine = await startEngine({
      dataDir: dataDir.path ?? ':memory:',
      endpoint: config.dynamodbEndpoint,
      onRestart: (problem) => log.error('the DynamoDB engine is started again', { problem }),
    });
    shutdown.add(() => engine.stop());
    engine.onExit((problem) => onFailure?.(problem));

    const meters = createMeters();
    const client = createDocumentClient({
      endpoint: engine.endpoint,
      requestTimeoutMs: 5_000,
      maxSockets: 256,
      measure: meters.add('product', ['Retries', 'Conflicts']),
    });
    shutdown.add(() => client.destroy());
    // The API and what it starts go another way: however much a tenant asks for, a CONNECT waits in the engine behind a
    // few requests of it, and never for a connection (S24).
    const apiClient = createDocumentClient({
      ...apiWay,
      endpoint: engine.endpoint,
      measure: meters.add('api', ['Retries', 'Conflicts']),
    });
    shutdown.add(() => apiClient.destroy());
    await createTable(client, tableName).catch((error: unknown) => {
      throw new Error(`the DynamoDB engine at ${engine.endpoint} does not answer: ${explain(error)}`, { cause: error });
    });
    const settings = createSettingsStore(client, tableName, log);
    const credentials = createCredentialStore(client, tableName);
    let isOpen = false;
    const readKeys = localKeyring(dataDir.path);
    const format = createDataFormatStore(client, tableName);
    const keys = createPasswordKeys({
      format,
      async readKeyring(isNew) {
        if (isNew) await refuseUnmarked(client, tableName);
        return readKeys(isNew);
      },
      clock,
      // A start that fails tells the same sentence by itself.
      log: { ...log, error: (...told) => (isOpen ? log.error(...told) : undefined) },
    });
    await keys.open();
    isOpen = true;
    const isHealthy = createHealth(
      async () => {
        // Writes what is there already.
        const written = await format.addKey(dataFormat, (await keys.current()).id);
        if (written === 'refused') throw new DataRefused(`the table ${tableName} has another format now`);
      },
      { clock, log },
    );
    const passwords = createPasswords({ crypto: createPasswordCrypto(), keys, clock });
    const tokens = parseLocalTokens({
      API_TOKEN: config.apiToken,
      ...(config.apiTokens === undefined ? {} : { API_TOKENS: config.apiTokens }),
    });
    const tenants = createTenantStore(client, tableName);
    await seed({ settings, credentials, passwords, tenants, clock, tenantIds: tokens.tenants });

    const adapters = { client, tableName, clock, random: cryptoRandom, log };
    const cache = createCoreSettings(adapters);
    const rejections = createCoreRejections(adapters);
    const tickets = createTickets(randomBytes(32), clock);
    const openKept = <T>(name: string, parse: (raw: unknown) => T | undefined): Journal<T> => {
      if (dataDir.path === undefined) return noJournal;
      const journal = openJournal(join(dataDir.path, name), parse);
      shutdown.add(() => journal.close());
      return journal;
    };
    const ranks = createRankStore(client, tableName, cryptoRandom);
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
    shutdown.add(() => rankTimers.flush());
    const rankRequests = createRankRequests({ messages: rankTimers, clock, log, delaySeconds: rankDelay });
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
    const deploymentOfServerName = createHostLookup(
      { getDeploymentOfHost: askedWithin(settings.getDeploymentOfHost, doorBudgetMs / 2) },
      clock,
      mqttDomain,
    );
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
        void queue.send(event).catch(() => undefined);
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
    const lifeCycle = createCore({ ...adapters, broker, aroundStore: (bare) => askingForRanks(bare, rankRequests) });
    // First what the last run had still to tell, then what it could not know: that it would end.
    await queue.resume();
    if (dataDir.lastAliveAt !== undefined) {
      const lastRun = { endedAt: dataDir.lastAliveAt, brokerRemembers: brokerJournal.found !== undefined };
      const settled = await settleAfterRestart(client, tableName, { ...lifeCycle, ranks: rankRequests }, lastRun);
      log.info('sessions of the last run settled', { settled });
    }
    dataDir.settled();

    const api = {
      settings: createSettingsStore(apiClient, tableName, log),
      credentials: createCredentialStore(apiClient, tableName),
      issuers: createTokenIssuerStore(apiClient, tableName),
    };
    const operations = startLocalOperations({ client: apiClient, tableName, lifeCycle, ...api, log });
    shutdown.add(() => operations.stop());
    shutdown.add(() => rejections.flush({ all: true }));
    shutdown.add(every(1_000, () => rejections.flush()));
    const measureSweep = meters.add('sweeper', sweeperMeasures);
    const sweepNow = async () => {
      const swept = await sweep(lifeCycle);
      measureSweep(measuresOf(swept));
      return swept;
    };
    shutdown.add(every(sweepEveryMs, async () => void (await sweepNow())));
    const reconciling = {
      ...lifeCycle,
      refreshRank: refresh,
      walk: createTableWalk(client, tableName, cryptoRandom),
      broker: createBrokerShare({
        broker,
        clock,
        callsPerSecond: brokerShares.reconciler,
        burst: 1,
        waitMs: 5_000,
        kinds: ['reconcile'],
      }).of('reconcile'),
      // A broker that has no memory of the last run forgot its sessions: of those its "absent" is no proof.
      mayAsk: (session: Session) =>
        brokerJournal.found !== undefined ||
        session.phase.kind !== 'retained' ||
        session.phase.disconnectedAt >= startedAt,
    };
    let stopping = false;
    const measureReconciling = meters.add('reconciler', ['Drift', 'Ghosts']);
    const reconcileNow = async () => {
      const reconciled = await reconcile(reconciling, () => stopping, localReconcileBounds);
      measureReconciling({ Drift: reconciled.driftRemoved + reconciled.driftAdded, Ghosts: reconciled.ghosts });
      return reconciled;
    };
    const stopReconciling = every(reconcileEveryMs, async () => {
      const reconciled = await reconcileNow();
      if (reconciled.driftRemoved + reconciled.driftAdded + reconciled.ghosts > 0)
        log.warn('the count had drifted', { ...reconciled });
    });
    shutdown.add(() => {
      stopping = true;
      return stopReconciling();
    });
    const janitor = startTtlJanitor({
      client,
      tableName,
      clock,
      log,
      everyMinutes: 10,
    });
    const fetcher = createKeyFetcher();
    const tokenKeys = { ...api, fetcher, signersOf, starts: operations.starts, clock, log };
    shutdown.add(every(refreshKeysEveryMs, async () => void (await refreshTokenKeys(tokenKeys))));
    shutdown.add(() => janitor.stop());

    const measureDoor = meters.add('frontdoor', doorMeasures);
    const door = createFrontDoor({
      connect: measuredConnect(connect, measureDoor, clock),
      // Here the table can be waited for as well: a client that comes again right after its CONNACK then meets its own
      // connection, not an attempt, which only time could tell from the new one (S10).
      report: (report) => queue.sendAndWait(report, reportWaitMs),
      issueTicket: (claims, from) => tickets.issue(claims, from),
      dialBroker() {
        const [doorEnd, brokerEnd] = createPipe();
        broker.accept(brokerEnd, '127.0.0.1');
        return doorEnd;
      },
      deploymentOfServerName,
      defaultDeployment: 'demo',
      clock,
      log,
    });
    // The ends of connections are reported before the queue stops, so that a clean stop leaves nothing to settle but
    // what waits to be delivered again; that is settled at the next start.
    shutdown.add(() => Promise.race([queue.idle(), wait(stopWaitMs, undefined, { ref: false })]));
    shutdown.add(() => door.close());
    const certificate = await loadCertificate(dataDir.path, clock);
    const app = createApi({
      ...api,
      passwords,
      usage: createUsageReader(apiClient, tableName, {
        sessions: createCore({ ...adapters, client: apiClient }).store,
        settings: api.settings,
        clock,
        ranks: rankRequests,
      }),
      kicks: operations.kicks,
      starts: operations.starts,
      items: operations.items,
      tenants: createTenantStore(apiClient, tableName),
      rejections: createRejectionReader(apiClient, tableName),
      newDeploymentId,
      mqttDomain,
      signersOf,
      fetcher,
      authenticate: tokens.authenticate,
      clock,
      log,
      isHealthy,
    });
    addStatusRoutes(app, {
      authenticate: tokens.authenticate,
      renderMetrics() {
        measureDoor({ Connections: door.connections(), Unadmitted: door.unadmitted(), Shed: door.takeShed() });
        return meters.render();
      },
    });

    const host = config.bindHost;
    const mqtt = await door.listenTcp({ host, port: config.mqttPort });
    const mqtts = await door.listenTls({ host, port: config.mqttsPort, key: certificate.key, cert: certificate.cert });
    const folder = await consoleFolder;
    const site =
      folder === undefined
        ? undefined
        : await createConsoleSite({
            folder,
            apiToken: config.apiToken,
            authenticate: tokens.authenticate,
            mqtt: { host: isWildcard(host) ? undefined : host, tcpPort: mqtt.port, tlsPort: mqtts.port },
          });
    const fetch = (request: Request, peer: string | undefined): Response | Promise<Response> =>
      site?.answer(request, peer) ?? app.fetch(request, { peer } satisfies Peer);
    const http = await listenHttp(
      { fetch },
      { host, port: config.httpPort },
      createHostCheck(host, config.allowedHosts),
    );
    shutdown.add(() => http.close());
    // What waits for a check, straight to the broker or in the API, is refused: it must not hold up the end.
    shutdown.add(() => passwords.close());
    return {
      mqttPort: mqtt.port,
      mqttsPort: mqtts.port,
      httpPort: http.port,
      databaseEndpoint: engine.endpoint,
      acceptStraight: (stream, ipAddress) => broker.accept(stream, ipAddress),
      sweep: sweepNow,
      reconcile: reconcileNow,
      quiet: () => queue.idle(),
      stop: () => shutdown.run(),
    };
  }
}
