// What IoT Core's authorizer records of rejections (S5), as Lambda runs it: a process that sleeps between its calls.

import type { Context } from 'aws-lambda';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Secrets, startSecrets } from '../../bench/child/secrets.ts';
import type { AuthorizerAnswer, AuthorizerEvent } from '../../functions/authorizer/event.ts';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credentials/credential-store.ts';
import { createRejectionReader } from '../../shared/adapters/dynamodb/rejections/rejection-reader.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { environmentOf } from '../../shared/config/env.ts';
import type { DeploymentId, Username } from '../../shared/domain/ids.ts';
import { defaultsOf, limitSettings } from '../../shared/domain/settings.ts';
import { ms } from '../../shared/domain/time.ts';
import { deploymentOf } from '../support/deployment.ts';
import { createTestTable, startTestEngine, type TestEngine } from '../support/engine.ts';
import { hashOf, testKeyringText } from '../support/passwords.ts';

const demo = 'demo' as DeploymentId;
const context = { invokedFunctionArn: 'arn:aws:lambda:eu-central-1:123456789012:function:authorizer' } as Context;

let engine: TestEngine;
let call: (username: string, clientId: string, password: string) => Promise<AuthorizerAnswer>;
let recorded: () => Promise<{ username: string; count: number; clientId: string }[]>;
const password = 'everybodys-secret';
let secrets: Secrets;

beforeAll(async () => {
  engine = await startTestEngine();
  const { client, tableName } = await createTestTable(engine.endpoint);
  const settings = createSettingsStore(client, tableName);
  await settings.createDeployment(deploymentOf(demo, 'acme'));
  const limit = { ...defaultsOf(limitSettings), maxSessionsPerUsername: 1, whitelist: [] };
  await settings.putSessionLimit(demo, limit, { actor: 'test', at: ms(1) });
  const hash = await hashOf(password);
  secrets = await startSecrets(testKeyringText);
  for (const username of ['alice', 'bob'] as Username[])
    await createCredentialStore(client, tableName).putCredential(demo, {
      username,
      hash,
      createdAt: ms(1),
    });
  for (const name of environmentOf.authorizer) vi.stubEnv(name, 'not-needed-here');
  vi.stubEnv('PASSWORD_KEYS_SECRET_ARN', 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:password-keys');
  vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', secrets.endpoint);
  vi.stubEnv('TABLE_NAME', tableName);
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', engine.endpoint);
  vi.stubEnv('AWS_REGION', 'local');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
  const { handler } = await import('../../functions/authorizer/handler.ts');
  const reader = createRejectionReader(client, tableName);
  recorded = async () => {
    const { items } = await reader.listRecent(demo, { limit: 10 });
    return items.map(({ username, count, clientId }) => ({ username, count, clientId }));
  };
  call = (username, clientId, secret) => {
    const mqtt = {
      username: `${username}?deployment=demo`,
      password: Buffer.from(secret).toString('base64'),
      clientId: `demo:${clientId}`,
    };
    const event: AuthorizerEvent = { protocols: ['mqtt'], protocolData: { mqtt } };
    return handler(event, context);
  };
});

afterAll(async () => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  secrets.stop();
  await engine.stop();
});

test('the first is there when its client is answered, later ones with the next CONNECT after ten seconds', async () => {
  expect((await call('alice', 'held', password)).isAuthenticated).toBe(true);
  expect((await call('alice', 'c1', password)).isAuthenticated).toBe(false);
  expect(await recorded()).toEqual([{ username: 'alice', count: 1, clientId: 'c1' }]);

  for (const clientId of ['c2', 'c3']) expect((await call('alice', clientId, password)).isAuthenticated).toBe(false);
  expect(await recorded()).toMatchObject([{ count: 1 }]);

  // Only the clock moves: timers are those of the process.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10_000 });
  // Bad credentials: nobody waits for what others left to write, but it goes out.
  expect((await call('alice', 'c4', 'wrong')).isAuthenticated).toBe(false);
  await vi.waitFor(async () => expect(await recorded()).toEqual([{ username: 'alice', count: 3, clientId: 'c3' }]), {
    timeout: 20_000,
    interval: 20,
  });

  expect((await call('bob', 'b1', password)).isAuthenticated).toBe(true);
  expect((await call('bob', 'b2', password)).isAuthenticated).toBe(false);
  expect((await recorded()).map(({ username, count }) => [username, count])).toEqual([
    ['bob', 1],
    ['alice', 3],
  ]);
});
