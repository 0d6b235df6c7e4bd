// Signatures of requests to the engine: the embedded one takes any, another may verify them.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { createDocumentClient } from '../../shared/adapters/dynamodb/common/client.ts';
import { GetCommand } from '../../shared/adapters/dynamodb/common/commands.ts';
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

test('a client that is told so computes none', async () => {
  const seen = await signaturesOf((endpoint) => {
    const client = createDocumentClient({ endpoint, requestTimeoutMs: 5_000, unsigned: true });
    return client.send(new GetCommand({ TableName: 'headcount', Key: { pk: 'a', sk: 'b' } }));
  });
  expect(seen).toEqual([expect.stringMatching(/Signature=none$/)]);
});
