// The worker of operations: woken by its queue, and once a minute to look for operations that nobody is at.

import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { createIotBroker } from '../../shared/adapters/aws/iot-broker.ts';
import { createOperationQueue } from '../../shared/adapters/aws/sqs-operations.ts';
import { createSdkClient } from '../../shared/adapters/dynamodb/common/sdk-client.ts';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credentials/credential-store.ts';
import { createTokenIssuerStore } from '../../shared/adapters/dynamodb/credentials/token-issuer-store.ts';
import { createOperationStore } from '../../shared/adapters/dynamodb/operations/operation-store.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { createDeploymentItems } from '../../shared/adapters/dynamodb/tenancy/deployment-items.ts';
import { realPause, systemClock } from '../../shared/adapters/node/clock.ts';
import { createEmfMeasure } from '../../shared/adapters/node/emf-metrics.ts';
import { createJsonLog } from '../../shared/adapters/node/json-log.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { signersOf } from '../../shared/adapters/node/signers.ts';
import { createPace, paced } from '../../shared/app/common/pace.ts';
import { wakeOverdue } from '../../shared/app/operations/operations.ts';
import { kicksPerSecond } from '../../shared/config/constants.ts';
import { environmentVariables } from '../../shared/config/env.ts';
import { createCore } from '../../shared/core/core.ts';
import { readVariable } from '../environment.ts';
import { checkFormat } from '../open-data.ts';
import { applyOperations } from './apply.ts';

const clock = systemClock;
const log = createJsonLog();
const tableName = readVariable(environmentVariables.tableName);
const client = createSdkClient({ requestTimeoutMs: 2_000, measure: createEmfMeasure('operations', systemClock) });
const data = checkFormat(client, tableName, log);
const ports = createCore({
  client,
  tableName,
  clock,
  random: cryptoRandom,
  broker: paced(createIotBroker(), createPace({ clock, pause: realPause }, kicksPerSecond)),
  pause: realPause,
  // A session that cannot be ended now is tried again in the next pass.
  kickTries: 1,
  operations: createOperationStore(client, tableName, cryptoRandom),
  items: createDeploymentItems(client, tableName),
  settings: createSettingsStore(client, tableName, log),
  credentials: createCredentialStore(client, tableName),
  issuers: createTokenIssuerStore(client, tableName),
  signersOf,
  queue: createOperationQueue(
    readVariable(environmentVariables.operationsQueueUrl),
    readVariable(environmentVariables.region),
  ),
  log,
});

/** Time kept back for the page that is at work when the end is near. */
const reserveMs = 15_000;

export async function handler(
  event: SQSEvent | { readonly lookForOverdue: true },
  context: Pick<Context, 'getRemainingTimeInMillis'>,
): Promise<SQSBatchResponse | undefined> {
  await data.open();
  if ('Records' in event) return applyOperations(ports, event, () => context.getRemainingTimeInMillis() < reserveMs);
  const woken = await wakeOverdue(ports);
  if (woken > 0) log.warn('operations that nobody was at are gone on with', { woken });
  return undefined;
}
