// S17 straight to IoT Core: the authorizer's own handler, as Lambda runs it, with an engine that stops and a queue that
// speaks SQS's protocol on this machine.

import { rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from 'aws-lambda';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Secrets, startSecrets } from '../../bench/child/secrets.ts';
import { parseAdmitted } from '../../functions/presence/admitted-message.ts';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credentials/credential-store.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import type { DeploymentId, Username } from '../../shared/domain/ids.ts';
import { ms } from '../../shared/domain/time.ts';
import { deploymentOf } from '../support/deployment.ts';
import { createTestTable, startTestEngine, type TestEngine } from '../support/engine.ts';
import { hashOf, testKeyringText } from '../support/passwords.ts';

type Handler = typeof import('../../functions/authorizer/handler.ts').handler;

const dbPath = join(tmpdir(), `headcount-authorizer-${process.pid}-${Math.random().toString(36).slice(2)}.db`);
let engine: TestEngine;
let queue: Server;
/** Bodies that were sent to the queue. */
const queued: string[] = [];
/** Connections that the authorizer had IoT Core end. */
const ended: string[] = [];
let queueStatus = 200;
let handler: Handler;
const password = 'alice-secret';
let secrets: Secrets;

beforeAll(async () => {
  engine = await startTestEngine({ dbPath });
  const { client, tableName } = await createTestTable(engine.endpoint);
  const createdAt = ms(Date.now());
  const hash = await hashOf(password);
  secrets = await startSecrets(testKeyringText);
  const settings = createSettingsStore(client, tableName);
  for (const [id, onStoreFailure] of [
    ['demo', 'admit'],
    ['strict', 'reject'],
  ] as const) {
    const deploymentId = id as DeploymentId;
    const credential = { username: 'alice' as Username, hash, createdAt };
    await createCredentialStore(client, tableName).putCredential(deploymentId, credential);
    await settings.createDeployment({ ...deploymentOf(id, 'local'), onStoreFailure });
  }
  queue = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      // IoT Core's data plane, which still answers: nobody is connected there.
      if (request.method === 'DELETE') {
        ended.push(decodeURIComponent(request.url ?? ''));
        response.writeHead(404, { 'x-amzn-errortype': 'ResourceNotFoundException' }).end('{}');
        return;
      }
      if (queueStatus === 200) queued.push(JSON.parse(Buffer.concat(chunks).toString()).MessageBody);
      response.writeHead(queueStatus).end('{}');
    });
  });
  await new Promise<void>((resolve) => queue.listen(0, '127.0.0.1', resolve));
  const { port } = queue.address() as AddressInfo;
  for (const [name, value] of Object.entries({
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'none',
    AWS_SECRET_ACCESS_KEY: 'none',
    AWS_ENDPOINT_URL: engine.endpoint,
    TABLE_NAME: tableName,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
    PASSWORD_KEYS_SECRET_ARN: 'arn:aws:secretsmanager:us-east-1:111111111111:secret:password-keys',
    TICKET_SECRET_ARN: 'arn:aws:secretsmanager:us-east-1:111111111111:secret:ticket',
    AWS_ENDPOINT_URL_IOT_DATA_PLANE: `http://127.0.0.1:${port}`,
    PRESENCE_QUEUE_URL: `http://127.0.0.1:${port}/111111111111/presence`,
  }))
    vi.stubEnv(name, value);
  ({ handler } = await import('../../functions/authorizer/handler.ts'));
}, 60_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  queue.closeAllConnections();
  queue.close();
  secrets.stop();
  await engine.stop();
  for (const end of ['', '-wal', '-shm']) await rm(`${dbPath}${end}`, { force: true });
});

const context = { invokedFunctionArn: 'arn:aws:lambda:us-east-1:111111111111:function:authorizer' } as Context;
const ask = (deployment: string, clientId: string, sent = password) =>
  handler(
    {
      protocolData: {
        mqtt: {
          username: `alice?deployment=${deployment}`,
          password: Buffer.from(sent).toString('base64'),
          clientId: `${deployment}:${clientId}`,
        },
      },
    },
    context,
  );

test('who is known is let in while the table does not answer, and the queue has it before IoT Core has the answer', async () => {
  for (const deployment of ['demo', 'strict'])
    expect(await ask(deployment, 'c1')).toMatchObject({ isAuthenticated: true });
  await engine.stop();
  const answer = await ask('demo', 'c2');
  expect(answer).toMatchObject({ isAuthenticated: true, disconnectAfterInSeconds: 86_400 });
  // Nobody can say whose the client id was: it starts clean (S9).
  expect(ended).toEqual(['/connections/demo:c2?cleanSession=true']);
  // S20 holds as it does otherwise.
  expect(answer.policyDocuments?.[0]).toContain('client/demo:c2');
  expect(queued.map((body) => parseAdmitted(JSON.parse(body)))).toEqual([
    expect.objectContaining({
      deploymentId: 'demo',
      username: 'alice',
      clientId: 'c2',
      witness: 'broker',
      expirySeconds: 3_600,
    }),
  ]);

  expect(await ask('demo', 'c3', 'guess')).toEqual({ isAuthenticated: false });
  expect(await ask('strict', 'c2')).toEqual({ isAuthenticated: false });
  queueStatus = 500;
  expect(await ask('demo', 'c4')).toEqual({ isAuthenticated: false });
  expect(queued).toHaveLength(1);
}, 60_000);
