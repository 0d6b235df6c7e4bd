// What CloudFormation is told of a custom resource, as it arrives at the URL that it gave.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  answerCustomResource,
  type CustomResourceOptions,
  CustomResourceRefusal,
  type CustomResourceWork,
} from '../../shared/adapters/aws/custom-resource.ts';

interface Arrived {
  readonly method: string | undefined;
  readonly contentType: string | undefined;
  readonly bytes: number;
  readonly response: Readonly<Record<string, unknown>>;
}

let arrived: Arrived[];
/** Statuses of the next answers; 200 to everything after. */
let statuses: number[];
let url: string;
let close: () => Promise<void>;

beforeEach(async () => {
  arrived = [];
  statuses = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const contentType = request.headers['content-type'];
      arrived.push({ method: request.method, contentType, bytes: body.length, response: JSON.parse(String(body)) });
      response.writeHead(statuses.shift() ?? 200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer?signature=of-cloudformation`;
  close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  };
});
afterEach(() => close());

const same = { StackId: 'arn:aws:cloudformation:eu-central-1:1:stack/S/1', RequestId: 'r', LogicalResourceId: 'L' };
const common = { ...same, ServiceToken: 'f', ResourceType: 'Custom::Thing' };
const properties = (value: string) => ({ ServiceToken: 'f', value });

const events = {
  Create: () =>
    ({ ...common, ResponseURL: url, RequestType: 'Create', ResourceProperties: properties('new') }) as const,
  Update: () =>
    ({
      ...common,
      ResponseURL: url,
      RequestType: 'Update',
      PhysicalResourceId: 'known',
      ResourceProperties: properties('new'),
      OldResourceProperties: properties('old'),
    }) as const,
  Delete: () =>
    ({
      ...common,
      ResponseURL: url,
      RequestType: 'Delete',
      PhysicalResourceId: 'known',
      ResourceProperties: properties('new'),
    }) as const,
};

async function answer(
  event: CloudFormationCustomResourceEvent,
  work: CustomResourceWork,
  options: CustomResourceOptions = {},
): Promise<Arrived['response']> {
  await answerCustomResource(event, work, options);
  return arrived.at(-1)?.response ?? {};
}

const throwing =
  (error: unknown): CustomResourceWork =>
  async () => {
    throw error;
  };

test('the work gets the properties, and those of before on an Update; its result is answered', async () => {
  const seen: unknown[] = [];
  const work: CustomResourceWork = async (request) => {
    seen.push(request);
    return { data: { count: '7' } };
  };
  const created = await answer(events.Create(), work);
  const updated = await answer(events.Update(), work);
  expect(seen).toEqual([
    { requestType: 'Create', properties: properties('new'), oldProperties: {} },
    { requestType: 'Update', properties: properties('new'), oldProperties: properties('old') },
  ]);
  const id = `${same.StackId}/L`;
  expect(created).toEqual({ ...same, Status: 'SUCCESS', PhysicalResourceId: id, Data: { count: '7' } });
  expect(updated).toEqual({ ...same, Status: 'SUCCESS', PhysicalResourceId: 'known', Data: { count: '7' } });
  // The presigned URL holds for a PUT with an empty content type only.
  for (const { method, contentType } of arrived)
    expect({ method, contentType }).toEqual({ method: 'PUT', contentType: '' });
});

test('the work may name another resource', async () => {
  expect(await answer(events.Update(), async () => ({ physicalResourceId: 'other' }))).toMatchObject({
    Status: 'SUCCESS',
    PhysicalResourceId: 'other',
  });
});

test('a Delete succeeds without any work, for the resource that it names', async () => {
  expect(await answer(events.Delete(), throwing(new CustomResourceRefusal('no')))).toEqual({
    ...same,
    Status: 'SUCCESS',
    PhysicalResourceId: 'known',
  });
});

test('a refusal fails the change with its message, and the resource keeps its id', async () => {
  expect(await answer(events.Update(), throwing(new CustomResourceRefusal('put it back')))).toEqual({
    ...same,
    Status: 'FAILED',
    PhysicalResourceId: 'known',
    Reason: 'put it back',
  });
});

test.each([new Error('password=hunter2'), 'password=hunter2', undefined])(
  'work that throws %o is answered as failed; only the log gets what may hold a secret',
  async (error) => {
    const logged: string[] = [];
    const note = (message: string, fields = {}): void => void logged.push(message, JSON.stringify(fields));
    const told = await answer(events.Create(), throwing(error), { log: { info: note, warn: note, error: note } });
    expect(told).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(/^The function failed/) });
    expect(JSON.stringify(told)).not.toContain('hunter2');
    expect(logged.join()).toContain(String(error));
    expect(logged.join()).not.toContain('signature');
  },
);

test('work that does not end is answered as failed', async () => {
  expect(await answer(events.Create(), () => new Promise(() => undefined), { workMs: 1 })).toMatchObject({
    Status: 'FAILED',
    Reason: 'The work took more than 1 ms.',
  });
});

test.each(['a', '"', '\u0000', '😀', 'ä'])('a reason of any length made of %j fits into a response', async (sign) => {
  const told = await answer(events.Update(), throwing(new CustomResourceRefusal(sign.repeat(9_000))));
  expect(told.Status).toBe('FAILED');
  expect(String(told.Reason)).toMatch(/ …$/);
  expect(String(told.Reason).isWellFormed()).toBe(true);
  expect(arrived[0]?.bytes).toBeLessThan(4_096);
});

test('a result that does not fit into a response fails the change', async () => {
  expect(await answer(events.Create(), async () => ({ data: { long: 'a'.repeat(5_000) } }))).toMatchObject({
    Status: 'FAILED',
  });
});

test('an answer that does not arrive is sent again, and the third failure is thrown without the URL', async () => {
  statuses = [500, 503];
  await answer(events.Create(), async () => ({}));
  expect(arrived).toHaveLength(3);
  statuses = [403, 403, 403];
  const failed = answerCustomResource(events.Create(), async () => ({}));
  await expect(failed).rejects.toThrow('CloudFormation did not take the answer: status 403');
});
