// Expiry: the table's stream in, recounts out.

import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { createDocumentClient } from '../../shared/adapters/dynamodb/common/client.ts';
import { systemClock } from '../../shared/adapters/node/clock.ts';
import { createEmfMeasure } from '../../shared/adapters/node/emf-metrics.ts';
import { createJsonLog } from '../../shared/adapters/node/json-log.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { environmentVariables } from '../../shared/config/env.ts';
import { createCore } from '../../shared/core/core.ts';
import { readVariable } from '../environment.ts';
import { checkFormat } from '../open-data.ts';
import { applyExpiry } from './apply.ts';

const client = createDocumentClient({ requestTimeoutMs: 2_000, measure: createEmfMeasure('expiry', systemClock) });
const log = createJsonLog();
const tableName = readVariable(environmentVariables.tableName);
const data = checkFormat(client, tableName, log);
const ports = createCore({ client, tableName, clock: systemClock, random: cryptoRandom, log });

export async function handler(event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> {
  await data.open();
  return applyExpiry(ports, event);
}
