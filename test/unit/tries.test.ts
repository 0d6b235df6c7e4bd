// A call that did not go through at its first try is measured, whatever becomes of it: the real client, and a server
// that answers as it is told.

import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDocumentClient } from '../../shared/adapters/dynamodb/common/client.ts';
import { GetCommand, TransactWriteCommand } from '../../shared/adapters/dynamodb/common/commands.ts';
import type { Measures } from '../../shared/ports/common/metrics.ts';

interface Answer {
  readonly status: number;
  readonly body: object;
}

const done: Answer = { status: 200, body: {} };
const broken: Answer = { status: 500, body: { __type: 'InternalServerError' } };
const refusedWith = (...codes: readonly string[]): Answer => ({
  status: 400,
  body: {
    __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
    CancellationReasons: codes.map((Code) => ({ Code })),
  },
});

let server: Server;
let client: ReturnType<typeof createDocumentClient>;
let answers: Answer[] = [];
let measured: Partial<Measures>[] = [];

beforeAll(async () => {
  server = createServer((incoming, outgoing) => {
    incoming.resume().on('end', () => {
      const { status, body } = answers.shift() ?? done;
      outgoing.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  const measure = (values: Partial<Measures>): void => void measured.push(values);
  client = createDocumentClient({ endpoint: `http://127.0.0.1:${address.port}`, requestTimeoutMs: 20_000, measure });
});
afterAll(() => {
  client.destroy();
  server.close();
});
beforeEach(() => {
  answers = [];
  measured = [];
});

const read = () => client.send(new GetCommand({ TableName: 'table', Key: { pk: 'a', sk: 'b' } }));
const write = () => {
  const Put = { TableName: 'table', Item: { pk: 'a', sk: 'b' } };
  return client.send(new TransactWriteCommand({ TransactItems: [{ Put }] }));
};

test('what goes through at once is not measured', async () => {
  await read();
  expect(measured).toEqual([]);
});

test('a second try is one retry, whether it helps or not', async () => {
  answers = [broken, done];
  await read();
  expect(measured).toEqual([{ Retries: 1 }]);
  answers = [broken, broken];
  await expect(read()).rejects.toThrow();
  expect(measured).toEqual([{ Retries: 1 }, { Retries: 1 }]);
});

test('a transaction that met another is a conflict; one whose condition failed is an answer', async () => {
  answers = [refusedWith('TransactionConflict', 'None')];
  await expect(write()).rejects.toThrow();
  answers = [refusedWith('ConditionalCheckFailed', 'None')];
  await expect(write()).rejects.toThrow();
  expect(measured).toEqual([{ Conflicts: 1 }]);
});
