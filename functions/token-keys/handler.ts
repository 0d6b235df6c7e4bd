// Fetches the keys of token issuers, every ten minutes. Apart from the other functions, because it
// goes where tenants' URLs lead, and may read and write token issuers only.

import type { Context } from 'aws-lambda';
import { createDocumentClient } from '../../shared/adapters/dynamodb/client.ts';
import { createTokenIssuerStore } from '../../shared/adapters/dynamodb/token-issuer-store.ts';
import { systemClock } from '../../shared/adapters/node/clock.ts';
import { createEmfMeasure } from '../../shared/adapters/node/emf-metrics.ts';
import { createJsonLog } from '../../shared/adapters/node/json-log.ts';
import { createKeyFetcher } from '../../shared/adapters/node/key-fetcher.ts';
import { refreshTokenKeys } from '../../shared/app/token-issuer.ts';
import { environmentVariables } from '../../shared/config/env.ts';
import { readVariable } from '../environment.ts';
import { checkFormat } from '../open-data.ts';

const log = createJsonLog();
const client = createDocumentClient({ requestTimeoutMs: 2_000, measure: createEmfMeasure('token-keys', systemClock) });
const tableName = readVariable(environmentVariables.tableName);
const data = checkFormat(client, tableName, log);
const ports = {
  issuers: createTokenIssuerStore(client, tableName),
  fetcher: createKeyFetcher(),
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
