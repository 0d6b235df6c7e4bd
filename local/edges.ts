// The edges of the local run: the front door, the HTTP API with the status routes, and the console.

import { setTimeout as wait } from 'node:timers/promises';
import { createFrontDoor } from '../frontdoor/front-door.ts';
import { createApi } from '../functions/api/app.ts';
import { createRejectionReader } from '../shared/adapters/dynamodb/rejections/rejection-reader.ts';
import { createTenantStore } from '../shared/adapters/dynamodb/tenancy/tenant-store.ts';
import { createUsageReader } from '../shared/adapters/dynamodb/usage/usage-reader.ts';
import { newDeploymentId } from '../shared/adapters/node/deployment-id.ts';
import type { createKeyFetcher } from '../shared/adapters/node/key-fetcher.ts';
import { signersOf } from '../shared/adapters/node/signers.ts';
import { measuredConnect } from '../shared/app/admission/measured-connect.ts';
import { createCore } from '../shared/core/core.ts';
import { loadCertificate } from './certificate.ts';
import { createConsoleSite } from './console-site.ts';
import { type Data, tableName } from './data.ts';
import { createHostCheck, isWildcard } from './hosts.ts';
import { listenHttp } from './http.ts';
import type { LocalOperations } from './operations.ts';
import { createPipe } from './pipe.ts';
import type { Product, ProductOptions } from './product.ts';
import type { createMeters } from './prometheus.ts';
import { mqttDomain } from './seed.ts';
import type { Sessions } from './sessions.ts';
import type { Shutdown } from './shutdown.ts';
import { addStatusRoutes, type Peer } from './status.ts';
import { tellFirst } from './tell-first.ts';

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
const stopWaitMs = 2_000;

export interface EdgesOptions extends Pick<ProductOptions, 'config' | 'clock' | 'log' | 'consoleFolder'> {
  readonly data: Data;
  readonly sessions: Sessions;
  readonly operations: LocalOperations;
  readonly fetcher: ReturnType<typeof createKeyFetcher>;
  readonly meters: ReturnType<typeof createMeters>;
  readonly shutdown: Shutdown;
}

/** What listens, and its ports. */
export async function openEdges(options: EdgesOptions): Promise<Pick<Product, 'mqttPort' | 'mqttsPort' | 'httpPort'>> {
  const { config, clock, log, consoleFolder, data, operations, fetcher, meters, shutdown } = options;
  const { dataDir, api, apiClient, tokens, passwords, isHealthy } = data;
  const { connect, queue, tickets, broker, deploymentOfServerName, adapters, rankRequests } = options.sessions;
  const measureDoor = meters.add('frontdoor', doorMeasures);
  const door = createFrontDoor({
    ...tellFirst(queue, measuredConnect(connect, measureDoor, clock)),
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
  const http = await listenHttp({ fetch }, { host, port: config.httpPort }, createHostCheck(host, config.allowedHosts));
  shutdown.add(() => http.close());
  // What waits for a check, straight to the broker or in the API, is refused: it must not hold up the end.
  shutdown.add(() => passwords.close());
  return { mqttPort: mqtt.port, mqttsPort: mqtts.port, httpPort: http.port };
}
