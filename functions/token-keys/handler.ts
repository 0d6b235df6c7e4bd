// Fetches the keys of token issuers, every ten minutes. Apart from the other functions, because it
// goes where tenants' URLs lead: it may read and write token issuers, and start the operation that a dropped key causes.

import type { Context } from 'aws-lambda';
import { createOperationQueue } from '../../shared/adapters/aws/sqs-operations.ts';
import { createSdkClient } from '../../shared/adapters/dynamodb/common/sdk-client.ts';
import { createTokenIssuerStore } from '../../shared/adapters/dynamodb/credentials/token-issuer-store.ts';
import { createOperationStore } from '../../shared/adapters/dynamodb/operations/operation-store.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { systemClock } from '../../shared/adapters/node/clock.ts';
import { createEmfMeasure } from '../../shared/adapters/node/emf-metrics.ts';
import { createJsonLog } from '../../shared/adapters/node/json-log.ts';
import { createKeyFetcher } from '../../shared/adapters/node/key-fetcher.ts';
import { cryptoRandom, newOperationId } from '../../shared/adapters/node/random.ts';
import { signersOf } from '../../shared/adapters/node/signers.ts';
import { refreshTokenKeys } from '../../shared/app/credentials/token-issuer.ts';
import { environmentVariables } from '../../shared/config/env.ts';
import { readVariable } from '../environment.ts';
import { checkFormat } from '../open-data.ts';

const log = createJsonLog();
const client = createSdkClient({ requestTimeoutMs: 2_000, measure: createEmfMeasure('token-keys', systemClock) });
const tableName = readVariable(environmentVariables.tableName);
const data = checkFormat(client, tableName, log);
const ports = {
  issuers: createTokenIssuerStore(client, tableName),
  settings: createSettingsStore(client, tableName, log),
  fetcher: createKeyFetcher(),
  signersOf,
  starts: {
    operations: createOperationStore(client, tableName, cryptoRandom),
    queue: createOperationQueue(
      readVariable(environmentVariables.operationsQueueUrl),
      readVariable(environmentVariables.region),
    ),
    newOperationId,
    clock: systemClock,
    log,
  },
  clock: systemClock,
  log,
};

/** Time kept back for the fetches that are at work when the end is near. */
const reserveMs = 15_000;

export async function handler(_event: unknown, context: Pick<Context, 'getRemainingTimeInMillis'>): Promise<void> {
  await data.open();
  const refreshed = await refreshTokenKeys(ports, () => context.getRemainingTimeInMillis() < reserveMs);
  log.info('token keys refreshed', { ...refreshed });
}
