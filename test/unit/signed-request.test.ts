// Requests to AWS without an SDK client: the signature against AWS's published example, and the request as it arrives.

import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DeleteConnectionCommand, IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { defaultProvider } from '../../shared/adapters/aws/lambda-credentials.ts';
import { readSecret } from '../../shared/adapters/aws/secret.ts';
import { encodeSegment, signHeaders } from '../../shared/adapters/aws/signed-request.ts';
import { createSqsQueue } from '../../shared/adapters/aws/sqs-queue.ts';

interface Arrived {
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const arn = 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:ticket';
let arrived: Arrived[];
/** What is answered next, the last of them to everything after. */
let answers: { readonly status: number; readonly body: string }[];
let endpoint: string;
let close: () => Promise<void>;

beforeEach(async () => {
  arrived = [];
  answers = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      arrived.push({ url: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() });
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      response.writeHead(answer?.status ?? 500, { 'content-type': 'application/x-amz-json-1.1' }).end(answer?.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret-key');
  vi.stubEnv('AWS_SESSION_TOKEN', 'session-token');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await close();
});

test.each(['demo:phone', 'demo:with/slash', 'demo:100%', "demo:ü & ~!'()", 'demo:a b'])(
  "a path and a query are signed as AWS's own client signs them: %j",
  async (clientId) => {
    answers = [{ status: 200, body: '{}' }];
    const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-key' };
    const sdk = new IoTDataPlaneClient({ region: 'eu-central-1', endpoint, credentials, maxAttempts: 1 });
    await sdk.send(new DeleteConnectionCommand({ clientId, cleanSession: true }));
    const theirs: IncomingHttpHeaders = arrived[0]?.headers ?? {};
    const { authorization } = theirs;
    const [, names = ''] = /SignedHeaders=([^,]+),/.exec(String(authorization)) ?? [];
    const signedByBoth = names.split(';').filter((name) => name !== 'x-amz-date');
    const ours = signHeaders(
      {
        service: 'iotdata',
        region: 'eu-central-1',
        method: 'DELETE',
        path: `/connections/${encodeSegment(clientId)}`,
        query: 'cleanSession=true',
      },
      Object.fromEntries(signedByBoth.map((name) => [name, String(theirs[name])])),
      '',
      credentials,
      new Date(String(theirs['x-amz-date']).replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5')),
    );
    expect(arrived[0]?.url).toBe(`/connections/${encodeSegment(clientId)}?cleanSession=true`);
    expect(ours.authorization).toBe(authorization);
    sdk.destroy();
  },
);

test("the signature is that of AWS's test suite (post-vanilla)", () => {
  const { authorization } = signHeaders(
    { service: 'service', region: 'us-east-1' },
    { host: 'example.amazonaws.com' },
    '',
    { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
    new Date('2015-08-30T12:36:00Z'),
  );
  expect(authorization).toBe(
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ' +
      'SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
  );
});

test('a secret is asked for in the region of its ARN, and what arrives is what was signed', async () => {
  answers = [{ status: 200, body: JSON.stringify({ SecretString: 'the ticket key' }) }];
  expect(Buffer.from(await readSecret(arn, endpoint)).toString()).toBe('the ticket key');
  const { headers = {}, body = '' } = arrived[0] ?? {};
  expect(JSON.parse(body)).toEqual({ SecretId: arn });
  expect(headers).toMatchObject({
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': 'secretsmanager.GetSecretValue',
    'x-amz-security-token': 'session-token',
  });
  const [, scope, names = ''] =
    /Credential=AKIDEXAMPLE\/(\S+), SignedHeaders=(\S+),/.exec(headers.authorization ?? '') ?? [];
  expect(scope).toMatch(/^\d{8}\/eu-central-1\/secretsmanager\/aws4_request$/);
  // Signed again from what arrived: nothing on the way changed a header that the signature covers.
  const seen = Object.fromEntries(names.split(';').map((name) => [name, String(headers[name])]));
  const { 'x-amz-date': time = '', 'x-amz-security-token': sessionToken, ...rest } = seen;
  const at = new Date(time.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5'));
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-key', sessionToken: sessionToken ?? '' };
  const again = signHeaders({ service: 'secretsmanager', region: 'eu-central-1' }, rest, body, credentials, at);
  expect(again.authorization).toBe(headers.authorization);
});

test('one failure is tried again, two are an error that holds nothing of what was answered', async () => {
  const good = { status: 200, body: JSON.stringify({ SecretString: 'the ticket key' }) };
  answers = [{ status: 500, body: '' }, good];
  await readSecret(arn, endpoint);
  expect(arrived).toHaveLength(2);
  answers = [{ status: 400, body: JSON.stringify({ __type: 'AccessDenied', SecretString: 'the ticket key' }) }];
  const failure = await readSecret(arn, endpoint).catch(String);
  expect(failure).toContain('400 AccessDenied');
  expect(failure).not.toContain('the ticket key');
});

test('a message is in the queue when SQS says so, in the region it is given, and only then', async () => {
  answers = [{ status: 200, body: '{"MessageId":"m"}' }];
  const url = `${endpoint}/111111111111/presence`;
  const queue = createSqsQueue(url, 'eu-west-1');
  await queue.putBack('{"type":"x"}', 30);
  await queue.put({ type: 'admitted' } as never);
  expect(arrived.map((one) => JSON.parse(one.body))).toEqual([
    { QueueUrl: url, MessageBody: '{"type":"x"}', DelaySeconds: 30 },
    { QueueUrl: url, MessageBody: '{"type":"admitted"}', DelaySeconds: 0 },
  ]);
  expect(arrived[0]?.headers).toMatchObject({
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': 'AmazonSQS.SendMessage',
    authorization: expect.stringMatching(/\/eu-west-1\/sqs\/aws4_request/),
  });
  answers = [{ status: 503, body: '{"__type":"ServiceUnavailable"}' }];
  await expect(queue.put({ type: 'admitted' } as never)).rejects.toThrow('503 ServiceUnavailable');
  await expect(createSqsQueue('http://127.0.0.1:1/q', 'eu-west-1').put({} as never)).rejects.toThrow();
});

test("the SDK's clients get the role's credentials, as Lambda gives them", async () => {
  expect(await defaultProvider()()).toEqual({
    accessKeyId: 'AKIDEXAMPLE',
    secretAccessKey: 'secret-key',
    sessionToken: 'session-token',
  });
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
  await expect(defaultProvider()()).rejects.toThrow('AWS_SECRET_ACCESS_KEY');
});
