// The handler as Lambda calls it, on the real engine: events in, answers out.

import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { passwordKeysArn, type Recorder, startRecorder } from '../infra/deployed/recorder.ts';
import { deploymentOf } from '../support/deployment.ts';
import { createTestTable, startTestEngine, type TestEngine } from '../support/engine.ts';
import { testKeyringText } from '../support/passwords.ts';
import { tilde } from './rig.ts';

let engine: TestEngine;
let recorder: Recorder;
let call: (
  method: string,
  path: string,
  tenant?: string,
  body?: unknown,
) => Promise<{ statusCode: number; body: string }>;

beforeAll(async () => {
  engine = await startTestEngine();
  const { client, tableName } = await createTestTable(engine.endpoint);
  await createSettingsStore(client, tableName).createDeployment(deploymentOf('demo', 'acme'));
  recorder = await startRecorder(engine.endpoint);
  recorder.secrets.set(passwordKeysArn, testKeyringText);
  vi.stubEnv('TABLE_NAME', tableName);
  vi.stubEnv('PASSWORD_KEYS_SECRET_ARN', passwordKeysArn);
  vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', recorder.endpoint);
  vi.stubEnv('PRESENCE_QUEUE_URL', 'https://sqs.local.invalid/111111111111/presence');
  vi.stubEnv('OPERATIONS_QUEUE_URL', 'https://sqs.local.amazonaws.com/1/operations');
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', engine.endpoint);
  vi.stubEnv('AWS_REGION', 'local');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
  const { handler } = await import('../../functions/api/handler.ts');
  call = async (method, path, tenant, body) => {
    const claims = {
      sub: 'u-1',
      token_use: 'access',
      'cognito:groups': `[tenant:${tenant}]`,
      scope: 'headcount/settings:read headcount/settings:write headcount/deployments:write',
    };
    const event = {
      version: '2.0',
      routeKey: '$default',
      rawPath: path,
      rawQueryString: '',
      headers: { host: 'api.example.com', authorization: 'Bearer checked-before', 'content-type': 'application/json' },
      requestContext: {
        http: { method, path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
        domainName: 'api.example.com',
        ...(tenant === undefined ? {} : { authorizer: { jwt: { claims, scopes: [] } } }),
      },
      isBase64Encoded: false,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    const answered = await handler(event as unknown as APIGatewayProxyEventV2);
    return { statusCode: answered.statusCode ?? 0, body: answered.body ?? '' };
  };
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await recorder.close();
  await engine.stop();
});

test('claims of the gateway decide whose deployments a caller meets', async () => {
  expect((await call('GET', '/v1/deployments/demo', 'acme')).statusCode).toBe(200);
  expect((await call('GET', '/v1/deployments/demo', 'other')).statusCode).toBe(404);
  expect((await call('GET', '/v1/deployments/demo')).statusCode).toBe(401);
});

test('a person with the role of a reader reads and changes nothing, whatever the token is good for', async () => {
  const path = '/v1/deployments/demo';
  expect((await call('GET', path, 'acme:reader')).statusCode).toBe(200);
  for (const [method, asked, scope] of [
    ['PATCH', path, 'deployments:write'],
    ['PUT', `${path}/session-limit`, 'settings:write'],
  ] as const) {
    const { statusCode, body } = await call(method, asked, 'acme:reader', { name: 'Changed' });
    expect([statusCode, JSON.parse(body)]).toEqual([
      403,
      expect.objectContaining({ code: 'forbidden', detail: `This needs the scope ${scope}.` }),
    ]);
    // What belongs to another tenant answers as what is missing, before the role is looked at.
    expect((await call(method, asked, 'other:reader', {})).statusCode).toBe(404);
  }
  expect((await call('GET', path, 'acme:raeder')).statusCode).toBe(401);
  expect(JSON.parse((await call('GET', path, 'acme')).body).name).not.toBe('Changed');
});

test('without claims, as an expired token has none, no route does anything', async () => {
  const { paths } = JSON.parse((await call('GET', '/openapi.json')).body) as { paths: Record<string, object> };
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ path, method })),
  );
  expect(routes.length).toBeGreaterThan(20);
  for (const { path, method } of routes) {
    const filled = path.replaceAll(/\{[^}]+\}/g, 'demo');
    const answered = await call(method.toUpperCase(), filled, undefined, method === 'get' ? undefined : {});
    expect([method, path, answered.statusCode]).toEqual([method, path, 401]);
  }
});

test('bodies and usernames arrive as they were sent', async () => {
  expect((await call('PUT', '/v1/deployments/demo/session-limit', 'acme', { whitelist: ['ünï'] })).statusCode).toBe(
    201,
  );
  const path = `/v1/deployments/demo/session-limit/overrides/${tilde('a/b ünï ')}`;
  expect((await call('PUT', path, 'acme', { limit: 'blocked' })).statusCode).toBe(204);
  expect(JSON.parse((await call('GET', path, 'acme')).body)).toEqual({ username: 'a/b ünï ', limit: 'blocked' });
});
