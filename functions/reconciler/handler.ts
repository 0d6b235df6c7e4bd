// The reconciler, once a minute: a slice of the table each time.

import type { Context } from 'aws-lambda';
import { createIotBroker } from '../../shared/adapters/aws/iot-broker.ts';
import { createSdkClient } from '../../shared/adapters/dynamodb/common/sdk-client.ts';
import { createTableWalk } from '../../shared/adapters/dynamodb/repair/table-walk.ts';
import { createRankStore } from '../../shared/adapters/dynamodb/usage/rank-store.ts';
import { createBrokerShare } from '../../shared/adapters/node/broker-share.ts';
import { systemClock } from '../../shared/adapters/node/clock.ts';
import { createEmfMeasure } from '../../shared/adapters/node/emf-metrics.ts';
import { createJsonLog } from '../../shared/adapters/node/json-log.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { reconcile } from '../../shared/app/repair/reconcile.ts';
import { refreshRank } from '../../shared/app/usage/refresh-rank.ts';
import { brokerShares } from '../../shared/config/constants.ts';
import { environmentVariables } from '../../shared/config/env.ts';
import { createCore } from '../../shared/core/core.ts';
import type { DeploymentId, Username } from '../../shared/domain/ids.ts';
import { readVariable } from '../environment.ts';
import { readNoticeThreshold } from '../notices.ts';
import { checkFormat } from '../open-data.ts';

const log = createJsonLog();
const measure = createEmfMeasure('reconciler', systemClock);
const share = createBrokerShare({
  broker: createIotBroker(),
  clock: systemClock,
  callsPerSecond: brokerShares.reconciler,
  burst: 1,
  waitMs: 5_000,
  kinds: ['reconcile'],
});
const client = createSdkClient({ requestTimeoutMs: 2_000, measure });
const tableName = readVariable(environmentVariables.tableName);
const data = checkFormat(client, tableName, log);
const ranks = createRankStore(client, tableName, cryptoRandom);
const threshold = readNoticeThreshold(client, tableName, systemClock, log);
const ports = createCore({
  client,
  tableName,
  clock: systemClock,
  random: cryptoRandom,
  broker: share.of('reconcile'),
  refreshRank: (deploymentId: DeploymentId, username: Username) =>
    refreshRank({ store: ports.store, ranks, ...threshold }, deploymentId, username),
  walk: createTableWalk(client, tableName, cryptoRandom),
});

/** Time kept back for what is at work when the end is near. */
const reserveMs = 8_000;

export async function handler(_event: unknown, context: Pick<Context, 'getRemainingTimeInMillis'>): Promise<void> {
  await data.open();
  const reconciled = await reconcile(ports, () => context.getRemainingTimeInMillis() < reserveMs);
  log.info('reconciled', { ...reconciled });
  measure({ Drift: reconciled.driftRemoved + reconciled.driftAdded, Ghosts: reconciled.ghosts });
  // In a healthy installation all three are 0 for ever.
  if (reconciled.driftRemoved + reconciled.driftAdded + reconciled.ghosts > 0)
    log.warn('the count had drifted', { ...reconciled });
}
