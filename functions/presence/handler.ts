// Presence: SQS in, the session life cycle out.

import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { createIotBroker } from '../../shared/adapters/aws/iot-broker.ts';
import { rankMessages } from '../../shared/adapters/aws/rank-messages.ts';
import { createSqsQueue } from '../../shared/adapters/aws/sqs-queue.ts';
import { createDocumentClient } from '../../shared/adapters/dynamodb/common/client.ts';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credentials/credential-store.ts';
import { createAccountExpiryStore } from '../../shared/adapters/dynamodb/presence/account-expiry-store.ts';
import { createRankStore } from '../../shared/adapters/dynamodb/usage/rank-store.ts';
import { createBrokerShare } from '../../shared/adapters/node/broker-share.ts';
import { systemClock } from '../../shared/adapters/node/clock.ts';
import { createEmfMeasure } from '../../shared/adapters/node/emf-metrics.ts';
import { createJsonLog } from '../../shared/adapters/node/json-log.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { createAccountExpiry } from '../../shared/app/presence/account-expiry.ts';
import { askingForRanks, createRankRequests } from '../../shared/app/usage/ask-ranks.ts';
import { brokerShares, presenceProcessesMax, rankDelaySeconds } from '../../shared/config/constants.ts';
import { environmentVariables } from '../../shared/config/env.ts';
import { createCore } from '../../shared/core/core.ts';
import { seconds } from '../../shared/domain/time.ts';
import { StoreUnavailable } from '../../shared/ports/common/errors.ts';
import { readVariable } from '../environment.ts';
import { readNoticeThreshold } from '../notices.ts';
import { checkFormat } from '../open-data.ts';
import { applyPresence } from './apply.ts';

const share = createBrokerShare({
  broker: createIotBroker(),
  clock: systemClock,
  callsPerSecond: brokerShares.presence / presenceProcessesMax,
  // One batch at once: where little is going on, every confirmation is asked about.
  burst: 10,
  // A burst of connections is not held up by its questions: what is not told in time, the lease finds out.
  waitMs: 500,
  passMs: 1_000,
  kinds: ['confirm'],
});
const log = createJsonLog();
const tableName = readVariable(environmentVariables.tableName);
const client = createDocumentClient({ requestTimeoutMs: 2_000, measure: createEmfMeasure('presence', systemClock) });
const data = checkFormat(client, tableName, log);
const queue = createSqsQueue(
  readVariable(environmentVariables.presenceQueueUrl),
  readVariable(environmentVariables.region),
);
/** How long a message waits that the database did not answer to. */
const putBackSeconds = 30;
const requests = createRankRequests({
  messages: rankMessages(queue),
  clock: systemClock,
  log,
  delaySeconds: seconds(rankDelaySeconds),
});
const ports = createCore({
  client,
  tableName,
  clock: systemClock,
  random: cryptoRandom,
  broker: share.of('confirm'),
  aroundStore: (store) => askingForRanks(store, requests),
  credentials: createCredentialStore(client, tableName),
  ranks: createRankStore(client, tableName, cryptoRandom),
  ...readNoticeThreshold(client, tableName, systemClock, log),
  accountExpiry: createAccountExpiry(createAccountExpiryStore(client, tableName), systemClock),
  putBack: (body: string) => queue.putBack(body, putBackSeconds),
  log,
});

export async function handler(event: SQSEvent): Promise<SQSBatchResponse> {
  // An outage uses up no deliveries: each message then puts itself back.
  await data.open().catch((error: unknown) => {
    if (!(error instanceof StoreUnavailable)) throw error;
  });
  return applyPresence(ports, event);
}
