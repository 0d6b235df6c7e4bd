// Whether a function may use the table that it is deployed with, asked at its first invocation.

import { type LambdaCredentials, readLambdaCredentials } from '../shared/adapters/aws/lambda-credentials.ts';
import { readSecret } from '../shared/adapters/aws/secret.ts';
import type { DocumentClient } from '../shared/adapters/dynamodb/common/commands.ts';
import { createDataFormatStore } from '../shared/adapters/dynamodb/common/data-format-store.ts';
import { systemClock } from '../shared/adapters/node/clock.ts';
import { parseKeyring } from '../shared/adapters/node/keyring.ts';
import { createFormatCheck, createPasswordKeys, type OpenData } from '../shared/app/common/open-data.ts';
import { environmentVariables } from '../shared/config/env.ts';
import type { Log } from '../shared/ports/common/log.ts';
import type { PasswordKeys } from '../shared/ports/credentials/credentials.ts';
import { readVariable } from './environment.ts';

export function checkFormat(client: DocumentClient, tableName: string, log: Log): OpenData {
  return createFormatCheck({ format: createDataFormatStore(client, tableName), clock: systemClock, log });
}

/** For processes that check or store passwords. */
export function openPasswordKeys(
  client: DocumentClient,
  tableName: string,
  log: Log,
  credentials: () => Promise<LambdaCredentials> = async () => readLambdaCredentials(),
): PasswordKeys & OpenData {
  const arn = readVariable(environmentVariables.passwordKeysSecretArn);
  return createPasswordKeys({
    format: createDataFormatStore(client, tableName),
    readKeyring: async () =>
      parseKeyring(Buffer.from(await readSecret(arn, undefined, credentials)).toString('utf8'), `the secret ${arn}`),
    clock: systemClock,
    log,
  });
}
