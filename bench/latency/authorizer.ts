// Starts the authorizer's process over a table and has it measure itself.

import { startChild } from '../child/child.ts';
import { startSecrets } from '../child/secrets.ts';
import { benchKeyring } from '../passwords.ts';
import type { AuthorizerApi, AuthorizerQuestion } from './authorizer-process.ts';
import type { Times } from './rounds.ts';

export async function timeAuthorizer(question: AuthorizerQuestion): Promise<Times> {
  const secrets = await startSecrets(benchKeyring);
  const child = startChild<AuthorizerApi>(new URL('./authorizer-process.ts', import.meta.url), {
    env: {
      TABLE_NAME: question.tableName,
      AWS_ENDPOINT_URL_DYNAMODB: question.endpoint,
      AWS_REGION: 'local',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      // Nothing is listening there: no path that is measured asks either of them.
      PRESENCE_QUEUE_URL: 'http://127.0.0.1:9/111111111111/presence',
      PASSWORD_KEYS_SECRET_ARN: 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:password-keys',
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
      TICKET_SECRET_ARN: 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:ticket',
    },
  });
  try {
    return await child.call.measure(question);
  } finally {
    await child.stop();
    secrets.stop();
  }
}
