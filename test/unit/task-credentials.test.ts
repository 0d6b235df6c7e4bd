// The credentials of a task: what ECS answers is remembered, asked for again before it expires, and signed with.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createDocumentClient, type DirectClient } from '../../shared/adapters/dynamodb/common/client.ts';
import { GetCommand } from '../../shared/adapters/dynamodb/common/commands.ts';

let given = 0;
let expiresInMs: number;
/** The session tokens that DynamoDB was asked with. */
let seen: unknown[];
let client: DirectClient;
let close: () => void;

beforeEach(async () => {
  given = 0;
  seen = [];
  const server = createServer((incoming, response) => {
    incoming.resume().on('end', () => {
      if (incoming.method === 'POST') {
        seen.push(incoming.headers['x-amz-security-token']);
        return response.end('{}');
      }
      const Expiration = new Date(Date.now() + expiresInMs).toISOString();
      const Token = `session ${++given}`;
      return response.end(JSON.stringify({ AccessKeyId: 'ASIA', SecretAccessKey: 'secret', Token, Expiration }));
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_PROFILE'])
    vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_CONFIG_FILE', '/dev/null');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null');
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', origin);
  vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${origin}/credentials`);
  client = createDocumentClient({ region: 'eu-west-1', requestTimeoutMs: 20_000, credentials: defaultProvider() });
  close = () => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  };
});
afterEach(() => {
  vi.unstubAllEnvs();
  close();
});

const read = () => client.send(new GetCommand({ TableName: 'table', Key: { pk: 'a', sk: 'b' } }));

test('they are asked for once, and each request is signed with them', async () => {
  expiresInMs = 6 * 3_600_000;
  await Promise.all([read(), read()]);
  await read();
  expect(given).toBe(1);
  expect(seen).toEqual(['session 1', 'session 1', 'session 1']);
});

test('those that are about to expire are replaced, while requests go on', async () => {
  expiresInMs = 60_000;
  await read();
  expiresInMs = 6 * 3_600_000;
  await read();
  await vi.waitFor(() => expect(given).toBe(2));
  await vi.waitFor(async () => {
    await read();
    expect(seen.at(-1)).toBe('session 2');
  });
  expect(given).toBe(2);
});
