// The data of the local run: the folder, the engine with its table, the keys that seal passwords, and what is there first.

import { parseLocalTokens } from '../functions/api/tokens.ts';
import { createDocumentClient } from '../shared/adapters/dynamodb/common/client.ts';
import { createDataFormatStore } from '../shared/adapters/dynamodb/common/data-format-store.ts';
import { createSdkClient } from '../shared/adapters/dynamodb/common/sdk-client.ts';
import { createCredentialStore } from '../shared/adapters/dynamodb/credentials/credential-store.ts';
import { createTokenIssuerStore } from '../shared/adapters/dynamodb/credentials/token-issuer-store.ts';
import { createSettingsStore } from '../shared/adapters/dynamodb/settings/settings-store.ts';
import { createTenantStore } from '../shared/adapters/dynamodb/tenancy/tenant-store.ts';
import { createPasswordCrypto } from '../shared/adapters/node/password-crypto.ts';
import { createPasswordKeys } from '../shared/app/common/open-data.ts';
import { createPasswords } from '../shared/app/credentials/passwords.ts';
import { dataFormat } from '../shared/config/constants.ts';
import { DataRefused } from '../shared/ports/common/errors.ts';
import { createTable, refuseUnmarked } from './create-table.ts';
import { openDataDir } from './data-dir.ts';
import { startEngine } from './engine.ts';
import { explain } from './explain.ts';
import { createHealth } from './health.ts';
import { localKeyring } from './password-keys.ts';
import type { ProductOptions } from './product.ts';
import type { createMeters } from './prometheus.ts';
import { seed } from './seed.ts';
import type { Shutdown } from './shutdown.ts';

export const tableName = 'headcount';
/** Requests of the API to the engine that travel at the same time, and how long one may take with its wait for that. */
const apiWay = { maxSockets: 8, requestTimeoutMs: 10_000 };

export interface DataOptions extends Pick<ProductOptions, 'config' | 'clock' | 'log' | 'onFailure' | 'onWarning'> {
  readonly meters: ReturnType<typeof createMeters>;
  readonly shutdown: Shutdown;
}

export type Data = Awaited<ReturnType<typeof openData>>;

export async function openData({ config, clock, log, onFailure, onWarning, meters, shutdown }: DataOptions) {
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

  const client = createDocumentClient({
    endpoint: engine.endpoint,
    requestTimeoutMs: 5_000,
    maxSockets: 256,
    // The embedded engine verifies no signature; another one may.
    unsigned: config.dynamodbEndpoint === undefined,
    measure: meters.add('product', ['Retries', 'Conflicts']),
  });
  shutdown.add(() => client.destroy());
  // The API and what it starts go another way: however much a tenant asks for, a CONNECT waits in the engine behind a
  // few requests of it, and never for a connection (S24).
  const apiClient = createSdkClient({
    ...apiWay,
    endpoint: engine.endpoint,
    measure: meters.add('api', ['Retries', 'Conflicts']),
  });
  shutdown.add(() => apiClient.destroy());
  await createTable(apiClient.plain, tableName).catch((error: unknown) => {
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
      if (isNew) await refuseUnmarked(apiClient.plain, tableName);
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

  const api = {
    settings: createSettingsStore(apiClient, tableName, log),
    credentials: createCredentialStore(apiClient, tableName),
    issuers: createTokenIssuerStore(apiClient, tableName),
  };
  return { dataDir, api, engine, client, apiClient, settings, credentials, passwords, tokens, isHealthy };
}
