// The sweeper, once a minute.

import type { Context } from 'aws-lambda';
import { createIotBroker } from '../../shared/adapters/aws/iot-broker.ts';
import { createSdkClient } from '../../shared/adapters/dynamodb/common/sdk-client.ts';
import { createRankStore } from '../../shared/adapters/dynamodb/usage/rank-store.ts';
import { createBrokerShare } from '../../shared/adapters/node/broker-share.ts';
import { systemClock } from '../../shared/adapters/node/clock.ts';
import { createEmfMeasure } from '../../shared/adapters/node/emf-metrics.ts';
import { createJsonLog } from '../../shared/adapters/node/json-log.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { measuresOf, sweep } from '../../shared/app/repair/sweep.ts';
import { askingForRanks, collectRankRequests } from '../../shared/app/usage/ask-ranks.ts';
import { brokerShares } from '../../shared/config/constants.ts';
import { environmentVariables } from '../../shared/config/env.ts';
import { createCore } from '../../shared/core/core.ts';
import { readVariable } from '../environment.ts';
import { readNoticeThreshold } from '../notices.ts';
import { checkFormat } from '../open-data.ts';

const log = createJsonLog();
const measure = createEmfMeasure('sweeper', systemClock);
const share = createBrokerShare({
  broker: createIotBroker(),
  clock: systemClock,
  callsPerSecond: brokerShares.sweeper,
  burst: 5,
  // Longer than its own lease checks ever wait for each other: what is not asked now is left to the next sweep.
  waitMs: 10_000,
  kinds: ['lease'],
});
const tableName = readVariable(environmentVariables.tableName);
const client = createSdkClient({ requestTimeoutMs: 2_000, measure });
const data = checkFormat(client, tableName, log);
const asked = collectRankRequests();
const ports = createCore({
  client,
  tableName,
  clock: systemClock,
  random: cryptoRandom,
  broker: share.of('lease'),
  aroundStore: (store) => askingForRanks(store, asked),
  ranks: createRankStore(client, tableName, cryptoRandom),
  ...readNoticeThreshold(client, tableName, systemClock, log),
});

/** Time kept back for the page that is at work when the end is near. */
const reserveMs = 5_000;
/** What of the ranks is not refreshed by then is left to the next run of this process. */
const lastMs = 1_000;

export async function handler(_event: unknown, context: Pick<Context, 'getRemainingTimeInMillis'>): Promise<void> {
  await data.open();
  const swept = await sweep(ports, () => context.getRemainingTimeInMillis() < reserveMs);
  const isLate = () => context.getRemainingTimeInMillis() < lastMs;
  const ranksLeft = await asked.refresh(ports, isLate);
  log.info('swept', { ...swept, ranksLeft });
  measure(measuresOf(swept));
  if (swept.left.leases + swept.left.rosters > 0) log.warn('the sweeper does not keep up', { ...swept });
}
