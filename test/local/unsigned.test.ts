// Signatures of requests to the engine: the embedded one takes any, another may verify them.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { expect, test } from 'vitest';
import { leaveUnsigned } from '../../local/unsigned.ts';
import { createDocumentClient } from '../../shared/adapters/dynamodb/common/client.ts';
import { startRig } from '../support/product.ts';

/** `authorization` of what `work` sends to an engine that refuses everything. */
async function signaturesOf(work: (endpoint: string) => Promise<unknown>): Promise<readonly unknown[]> {
  const seen: unknown[] = [];
  const server = createServer(({ headers }, response) => {
    seen.push(headers.authorization);
    response.writeHead(400).end('{"__type":"ValidationException"}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  await expect(work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)).rejects.toThrow();
  server.closeAllConnections();
  server.close();
  return seen;
}

test('an engine that DYNAMODB_ENDPOINT names gets computed signatures', async () => {
  const seen = await signaturesOf((endpoint) => startRig({ env: { DYNAMODB_ENDPOINT: endpoint } }));
  expect(seen).not.toEqual([]);
  for (const one of seen) expect(one).toMatch(/Signature=[0-9a-f]{64}$/);
});

test('a client that is left unsigned computes none, and a client that is so already is refused', async () => {
  const seen = await signaturesOf(async (endpoint) => {
    const client = leaveUnsigned(createDocumentClient({ endpoint, requestTimeoutMs: 5_000 }));
    expect(() => leaveUnsigned(client)).toThrow('another name');
    await client.send(new GetCommand({ TableName: 'headcount', Key: { pk: 'a', sk: 'b' } }));
  });
  expect(seen).toEqual([expect.stringMatching(/Signature=none$/)]);
});
