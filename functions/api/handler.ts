// The HTTP API behind API Gateway. Wires the app to the table.

import { createIotBroker } from '../../shared/adapters/aws/iot-broker.ts';
import { rankMessages } from '../../shared/adapters/aws/rank-messages.ts';
import { createOperationQueue } from '../../shared/adapters/aws/sqs-operations.ts';
import { createSqsQueue } from '../../shared/adapters/aws/sqs-queue.ts';
import { createSdkClient } from '../../shared/adapters/dynamodb/common/sdk-client.ts';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credentials/credential-store.ts';
import { createTokenIssuerStore } from '../../shared/adapters/dynamodb/credentials/token-issuer-store.ts';
import { createOperationStore } from '../../shared/adapters/dynamodb/operations/operation-store.ts';
import { createRejectionReader } from '../../shared/adapters/dynamodb/rejections/rejection-reader.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { createDeploymentItems } from '../../shared/adapters/dynamodb/tenancy/deployment-items.ts';
import { createMachineTenants } from '../../shared/adapters/dynamodb/tenancy/machine-tenants.ts';
import { createTenantStore } from '../../shared/adapters/dynamodb/tenancy/tenant-store.ts';
import { createUsageReader } from '../../shared/adapters/dynamodb/usage/usage-reader.ts';
import { realPause, systemClock } from '../../shared/adapters/node/clock.ts';
import { newDeploymentId } from '../../shared/adapters/node/deployment-id.ts';
import { createEmfMeasure } from '../../shared/adapters/node/emf-metrics.ts';
import { createJsonLog } from '../../shared/adapters/node/json-log.ts';
import { createKeyFetcher } from '../../shared/adapters/node/key-fetcher.ts';
import { createPasswordCrypto } from '../../shared/adapters/node/password-crypto.ts';
import { cryptoRandom, newOperationId } from '../../shared/adapters/node/random.ts';
import { signersOf } from '../../shared/adapters/node/signers.ts';
import { createPasswords } from '../../shared/app/credentials/passwords.ts';
import { createRankRequests } from '../../shared/app/usage/ask-ranks.ts';
import { rankDelaySeconds } from '../../shared/config/constants.ts';
import { environmentVariables } from '../../shared/config/env.ts';
import { createCore } from '../../shared/core/core.ts';
import { seconds } from '../../shared/domain/time.ts';
import { readOptionalVariable, readVariable } from '../environment.ts';
import { openPasswordKeys } from '../open-data.ts';
import { createApi } from './app.ts';
import { createClaimsAuthenticate } from './claims.ts';
import { createGatewayHandler } from './gateway.ts';

const clock = systemClock;
const log = createJsonLog();
const tableName = readVariable(environmentVariables.tableName);
const client = createSdkClient({ requestTimeoutMs: 2_000, measure: createEmfMeasure('api', systemClock) });
const keys = openPasswordKeys(client, tableName, log);
const settings = createSettingsStore(client, tableName, log);
const kicks = createCore({
  client,
  tableName,
  clock,
  random: cryptoRandom,
  broker: createIotBroker(),
  pause: realPause,
  kickTries: 3,
});

export const handler = createGatewayHandler(
  createApi({
    settings,
    credentials: createCredentialStore(client, tableName),
    passwords: createPasswords({ crypto: createPasswordCrypto(), keys, clock }),
    issuers: createTokenIssuerStore(client, tableName),
    signersOf,
    fetcher: createKeyFetcher(),
    usage: createUsageReader(client, tableName, {
      sessions: kicks.store,
      settings,
      clock,
      ranks: createRankRequests({
        messages: rankMessages(
          createSqsQueue(
            readVariable(environmentVariables.presenceQueueUrl),
            readVariable(environmentVariables.region),
          ),
        ),
        clock,
        log,
        delaySeconds: seconds(rankDelaySeconds),
      }),
    }),
    kicks,
    starts: {
      operations: createOperationStore(client, tableName, cryptoRandom),
      queue: createOperationQueue(
        readVariable(environmentVariables.operationsQueueUrl),
        readVariable(environmentVariables.region),
      ),
      newOperationId,
      clock,
      log,
    },
    items: createDeploymentItems(client, tableName),
    tenants: createTenantStore(client, tableName),
    rejections: createRejectionReader(client, tableName),
    newDeploymentId,
    // Without a front door there is no MQTT domain, and a deployment has no server name of its own.
    mqttDomain: readOptionalVariable(environmentVariables.mqttDomain),
    authenticate: createClaimsAuthenticate(createMachineTenants(client, tableName)),
    clock,
    log,
  }),
  keys.open,
);
