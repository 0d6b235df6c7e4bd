import { createServer } from 'node:http';
import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { readAnswer } from '../../shared/adapters/dynamodb/common/answer.ts';
import { answering } from '../../shared/adapters/dynamodb/common/answering.ts';
import { createDocumentClient } from '../../shared/adapters/dynamodb/common/client.ts';
import { GetCommand } from '../../shared/adapters/dynamodb/common/commands.ts';
import { StoreUnavailable } from '../../shared/ports/common/errors.ts';

/** A database that answers every request the same, or never. */
async function withDatabase<T>(
  answer: { readonly status: number; readonly type: string } | 'hang' | 'reset',
  work: (endpoint: string) => Promise<T>,
): Promise<{ readonly result: T; readonly requests: number }> {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    if (answer === 'hang') return;
    if (answer === 'reset') {
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${answer.type}`, message: 'planted' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  try {
    return { result: await work(`http://127.0.0.1:${address.port}`), requests };
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

async function errorFrom(endpoint: string, maxAttempts = 1): Promise<unknown> {
  const client = createDocumentClient({ endpoint, requestTimeoutMs: 100, maxAttempts });
  try {
    await answering(() => client.send(new GetCommand({ TableName: 't', Key: { pk: 'a', sk: 'b' } })));
    return undefined;
  } catch (error) {
    return error;
  } finally {
    client.destroy();
  }
}

test.each([
  ['no answer in time', 'hang'],
  ['a connection that ends', 'reset'],
  ['a throttle', { status: 400, type: 'ProvisionedThroughputExceededException' }],
  ['another throttle', { status: 400, type: 'ThrottlingException' }],
  ['an account limit', { status: 400, type: 'RequestLimitExceeded' }],
  ['an error of the service', { status: 500, type: 'InternalServerError' }],
  ['a service that is away', { status: 503, type: 'ServiceUnavailable' }],
] as const)('%s means that the database cannot answer', async (_, answer) => {
  const { result } = await withDatabase(answer, (endpoint) => errorFrom(endpoint));
  expect(result).toBeInstanceOf(StoreUnavailable);
  expect((result as StoreUnavailable).cause).toBeInstanceOf(Error);
});

test('nobody listening means that the database cannot answer', async () => {
  const { result: endpoint } = await withDatabase('hang', async (closing) => closing);
  expect(await errorFrom(endpoint)).toBeInstanceOf(StoreUnavailable);
});

test.each(['ValidationException', 'ResourceNotFoundException', 'AccessDeniedException'])(
  'a mistake of ours (%s) passes through',
  async (type) => {
    const { result } = await withDatabase({ status: 400, type }, (endpoint) => errorFrom(endpoint));
    expect(result).not.toBeInstanceOf(StoreUnavailable);
    expect(result).toMatchObject({ name: type });
  },
);

test('a call is tried as often as it was told, and no more', async () => {
  const { requests } = await withDatabase('reset', (endpoint) => errorFrom(endpoint, 3));
  expect(requests).toBe(3);
});

describe('a cancelled transaction', () => {
  const cancelled = (...codes: string[]) =>
    new TransactionCanceledException({
      message: 'planted',
      $metadata: { httpStatusCode: 400 },
      CancellationReasons: codes.map((Code) => ({ Code })),
    });
  const thrown = (error: Error) => answering(() => Promise.reject(error)).catch((caught: unknown) => caught);

  test.each([[['TransactionConflict', 'None']], [['None', 'ThrottlingError', 'TransactionConflict']]])(
    'that only met others (%s) has answered nothing',
    async (codes) => {
      expect(await thrown(cancelled(...codes))).toBeInstanceOf(StoreUnavailable);
    },
  );

  test.each([
    [['ConditionalCheckFailed', 'None']],
    [['TransactionConflict', 'ConditionalCheckFailed']],
    [['ValidationError']],
  ])('with a reason of its own (%s) is the caller to read', async (codes) => {
    const error = cancelled(...codes);
    expect(await thrown(error)).toBe(error);
  });
});

test('the error of a refused signature repeats nothing of the request, which holds a token', () => {
  const message =
    'The request signature we calculated does not match.\n\nThe Canonical String was\nx-amz-security-token:secret';
  const body = Buffer.from(JSON.stringify({ __type: 'com.amazon.coral.service#InvalidSignatureException', message }));
  expect(() => readAnswer({ status: 403, headers: {}, body })).toThrow(
    /^The request signature we calculated does not match\.$/,
  );
});
