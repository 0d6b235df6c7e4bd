// A threshold notice as EventBridge is asked to take it [AWS: PutEvents].

import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createEventBusNotices } from '../../shared/adapters/aws/event-bus-notices.ts';
import type { DeploymentId, Username } from '../../shared/domain/ids.ts';
import { ms } from '../../shared/domain/time.ts';
import type { Notices } from '../../shared/ports/usage/notices.ts';

let arrived: { readonly headers: IncomingHttpHeaders; readonly body: string }[];
let answer: { readonly status: number; readonly body: object };
let notices: Notices;
let close: () => Promise<void>;

const notice = {
  deploymentId: 'demo' as DeploymentId,
  username: 'al"ice' as Username,
  used: 4,
  limit: 5,
  state: 'set',
  at: ms(1_790_000_000_123),
} as const;

beforeEach(async () => {
  arrived = [];
  answer = { status: 200, body: { FailedEntryCount: 0, Entries: [{ EventId: 'one' }] } };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      arrived.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(answer.status).end(JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = async () => ({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-key' });
  notices = createEventBusNotices('alerts', 'eu-central-1', endpoint, credentials);
  close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  };
});
afterEach(() => close());

test('it is one event, on the bus that was chosen, with the words that rules match on', async () => {
  await notices.tell(notice);
  const [call] = arrived;
  expect(call?.headers['x-amz-target']).toBe('AWSEvents.PutEvents');
  expect(call?.headers.authorization).toMatch(/\/eu-central-1\/events\/aws4_request/);
  const { Entries } = JSON.parse(call?.body ?? '{}');
  expect(Entries).toEqual([
    { EventBusName: 'alerts', Source: 'headcount', DetailType: 'Session threshold', Detail: expect.any(String) },
  ]);
  expect(JSON.parse(Entries[0].Detail)).toEqual({
    deploymentId: 'demo',
    username: 'al"ice',
    used: 4,
    limit: 5,
    state: 'set',
    at: '2026-09-21T14:13:20.123Z',
  });
});

test('a call that succeeds without taking its entry is a failure, and so is one that does not succeed', async () => {
  answer = { status: 200, body: { FailedEntryCount: 1, Entries: [{ ErrorCode: 'ThrottlingException' }] } };
  await expect(notices.tell(notice)).rejects.toThrow('ThrottlingException');
  answer = { status: 400, body: { __type: 'AccessDeniedException', message: 'al"ice' } };
  await expect(notices.tell(notice)).rejects.toThrow('AWSEvents.PutEvents answered 400 AccessDeniedException');
  answer = { status: 200, body: {} };
  await expect(notices.tell(notice)).rejects.toThrow();
});
