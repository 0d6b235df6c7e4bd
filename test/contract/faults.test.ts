// What the client makes of all that may go wrong on the way: tries, time-outs, damaged answers, clocks that differ. A real
// engine answers behind a server that plays the faults.

import { once } from 'node:events';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { inspect } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { generate } from 'selfsigned';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { answering, meansUnavailable } from '../../shared/adapters/dynamodb/common/answering.ts';
import {
  createDocumentClient,
  type DirectClient,
  type DirectOptions,
} from '../../shared/adapters/dynamodb/common/client.ts';
import {
  GetCommand,
  PutCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '../../shared/adapters/dynamodb/common/commands.ts';
import { Refused, refusable } from '../../shared/adapters/dynamodb/common/conditions.ts';
import { createExchange } from '../../shared/adapters/dynamodb/common/exchange.ts';
import { createSdkClient } from '../../shared/adapters/dynamodb/common/sdk-client.ts';
import { transact } from '../../shared/adapters/dynamodb/common/transaction.ts';
import { StoreUnavailable } from '../../shared/ports/common/errors.ts';
import { type Fault, type FaultProxy, hang, refuse, reset, startFaultProxy } from '../support/fault-proxy.ts';
import { createGate } from '../support/gate.ts';
import { tableForAllTests } from '../support/tables.ts';

let proxy: FaultProxy;
let engine: string;
let tableName: string;
tableForAllTests((table, endpoint) => {
  tableName = table.tableName;
  engine = endpoint;
});
beforeAll(async () => {
  proxy = await startFaultProxy(engine);
});
afterAll(() => proxy.stop());
beforeEach(() => {
  // The shortest pauses there are.
  vi.spyOn(Math, 'random').mockReturnValue(0);
  proxy.arrived.length = 0;
});
const clients: { destroy(): void }[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  for (const client of clients.splice(0)) client.destroy();
  proxy.faults.length = 0;
  proxy.always = 'none';
});

function clientOf(more: Partial<DirectOptions> = {}): DirectClient {
  const client = createDocumentClient({ endpoint: proxy.endpoint, requestTimeoutMs: 20_000, ...more });
  clients.push(client);
  return client;
}
let numbered = 0;
const newKey = () => ({ pk: 'faults', sk: String(++numbered) });
const read = (client: DirectClient, key = newKey()) => client.send(new GetCommand({ TableName: tableName, Key: key }));
const failed = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('tries', () => {
  const transient: readonly (readonly [string, Fault])[] = [
    ['a connection that ends', reset('before')],
    ['an error of the service', refuse(500, 'InternalServerError')],
    ['a service that is away', refuse(503, 'ServiceUnavailable')],
    ['a proxy that answers for it', () => ({ status: 502, body: Buffer.from('<html>Bad Gateway</html>') })],
    ['a throttle', refuse(400, 'ProvisionedThroughputExceededException')],
    ['another throttle', refuse(400, 'ThrottlingException')],
    ['a throttle without a name', () => ({ status: 429, body: Buffer.from('') })],
    ['a transaction that is still on its way', refuse(400, 'TransactionInProgressException')],
    ['an answer that is no answer', () => ({ status: 200, body: Buffer.from('{"Item":') })],
  ];
  test.each(transient)('%s is tried again, and once more is enough', async (_what, fault) => {
    proxy.faults.push(fault);
    expect(await read(clientOf())).toEqual({});
    expect(proxy.arrived).toHaveLength(2);
  });

  test.each(transient)('%s that stays ends after as many tries as were told, as unavailable', async (_what, fault) => {
    for (const maxAttempts of [1, 2, 4]) {
      proxy.arrived.length = 0;
      proxy.always = fault;
      const error = await failed(read(clientOf({ maxAttempts })));
      expect(proxy.arrived).toHaveLength(maxAttempts);
      expect(error).toMatchObject({ $metadata: { attempts: maxAttempts } });
      expect(meansUnavailable(error)).toBe(true);
    }
  });

  test('a mistake of ours is tried once, and says what the engine said', async () => {
    const invalid = new UpdateCommand({ TableName: tableName, Key: newKey(), UpdateExpression: 'SET' });
    const error = await failed(clientOf({ maxAttempts: 4 }).send(invalid));
    expect(error).toMatchObject({
      name: 'ValidationException',
      message: expect.stringMatching(/.+/),
      $metadata: { httpStatusCode: 400, attempts: 1 },
    });
    expect(meansUnavailable(error)).toBe(false);
    expect(proxy.arrived).toHaveLength(1);
  });

  test('pauses are between nothing and a bound that doubles, and longer behind a throttle', async () => {
    const pauses: (number | undefined)[] = [];
    const chance = vi.spyOn(Math, 'random').mockReturnValue(0.999_999);
    const begin = globalThis.setTimeout;
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(((work: () => void, after?: number) => {
      if (after !== 20_000) pauses.push(after);
      return begin(work, after === 20_000 ? after : 0);
    }) as never);
    proxy.faults.push(refuse(500, 'x'), refuse(500, 'x'), refuse(500, 'x'));
    await read(clientOf({ maxAttempts: 4 }));
    expect(pauses.splice(0)).toEqual([24, 49, 99]);
    proxy.faults.push(refuse(400, 'ThrottlingException'));
    await read(clientOf());
    expect(pauses).toEqual([999]);
    chance.mockReturnValue(0);
  });

  test('a client that fails at everything soon tries everything once', async () => {
    const client = clientOf();
    proxy.always = reset('before');
    for (let n = 0; n < 60; n++) await failed(read(client));
    // 500 in all, 14 for each repetition.
    expect(proxy.arrived).toHaveLength(60 + 35);
  });

  test('a transaction whose answer is lost is sent again under its token, and done once', async () => {
    const Key = newKey();
    const client = clientOf();
    proxy.faults.push(reset('after'));
    const UpdateExpression = 'ADD used :one';
    const Update = { TableName: tableName, Key, UpdateExpression, ExpressionAttributeValues: { ':one': 1 } };
    await client.send(new TransactWriteCommand({ TransactItems: [{ Update }] }));
    const tokens = proxy.arrived.map(
      ({ body }) => (JSON.parse(body) as { ClientRequestToken: string }).ClientRequestToken,
    );
    expect(tokens).toEqual([tokens[0], tokens[0]]);
    expect(await read(client, Key)).toMatchObject({ Item: { used: 1 } });
  });
});

describe('a time-out', () => {
  const trickling: Fault = (_arrived, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{');
    return undefined;
  };
  test.each([
    ['no answer comes', hang],
    ['an answer does not end', trickling],
  ])('ends a try whole where %s, and its connection with it', async (_what, fault) => {
    proxy.always = fault;
    const error = await failed(read(clientOf({ requestTimeoutMs: 50 })));
    expect(error).toMatchObject({ name: 'TimeoutError', $metadata: { attempts: 2 }, $retryable: {} });
    expect(meansUnavailable(error)).toBe(true);
    await vi.waitFor(async () => expect(await proxy.connections()).toBe(0));
  });

  test('ends the wait for a socket as well, and what waited is not sent afterwards', async () => {
    const client = clientOf({ requestTimeoutMs: 100, maxSockets: 1, maxAttempts: 1 });
    proxy.always = hang;
    const errors = await Promise.all(Array.from({ length: 40 }, () => failed(read(client))));
    for (const error of errors) expect(error).toMatchObject({ name: 'TimeoutError' });
    proxy.always = 'none';
    expect(await read(client)).toEqual({});
    // Those that began a little later may have been sent, behind the end of the first.
    expect(proxy.arrived.length).toBeLessThan(20);
  });

  test('of a new connection ends it, however long a request may take', async () => {
    const silent = createTcpServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    // No TLS comes of it.
    const url = new URL(`https://127.0.0.1:${(silent.address() as AddressInfo).port}`);
    const exchange = createExchange({ url, maxSockets: 1, timeoutMs: 20_000, connectTimeoutMs: 50 });
    await expect(exchange.post({ host: url.host }, '{}')).rejects.toMatchObject({
      name: 'TimeoutError',
      message: 'no answer within 50 ms',
    });
    exchange.destroy();
    silent.close();
  });
});

test('an endpoint whose certificate nobody vouches for is sent nothing', async () => {
  const pair = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec' });
  let heard = 0;
  const server = createTlsServer({ key: pair.private, cert: pair.cert }, () => heard++).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `https://localhost:${(server.address() as AddressInfo).port}`;
  const error = await failed(read(clientOf({ endpoint, maxAttempts: 1 })));
  expect(error).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  expect(meansUnavailable(error)).toBe(false);
  expect(heard).toBe(0);
  server.close();
});

test('no more requests travel at the same time than there may be sockets', async () => {
  let travelling = 0;
  let most = 0;
  const gate = createGate();
  proxy.always = async (_arrived, _response, pass) => {
    most = Math.max(most, ++travelling);
    // The first are held until there are as many as there may be.
    if (travelling === 3) gate.open();
    await gate.opened;
    const answer = await pass();
    travelling--;
    return answer;
  };
  const client = clientOf({ maxSockets: 3 });
  await Promise.all(Array.from({ length: 12 }, () => read(client)));
  expect(most).toBe(3);
});

describe('an answer', () => {
  test('that was damaged on its way is asked for again', async () => {
    const client = clientOf();
    const Key = newKey();
    await client.send(new PutCommand({ TableName: tableName, Item: { ...Key, used: 1 } }));
    proxy.arrived.length = 0;
    proxy.faults.push(async (_arrived, _response, pass) => {
      const { status, body } = await pass();
      // Still JSON, and another number.
      const damaged = Buffer.from(body.toString().replace('"1"', '"9"'));
      expect(damaged).not.toEqual(body);
      return { status, headers: { 'x-amz-crc32': '1' }, body: damaged };
    });
    expect(await read(client, Key)).toMatchObject({ Item: { used: 1 } });
    expect(proxy.arrived).toHaveLength(2);
  });

  test('that leads elsewhere is not followed', async () => {
    proxy.always = () => ({ status: 307, headers: { location: engine }, body: Buffer.from('') });
    const error = await failed(read(clientOf()));
    expect(error).toMatchObject({ name: 'UnknownError', $metadata: { httpStatusCode: 307, attempts: 1 } });
  });

  test('that is larger than any may be is not read to its end', async () => {
    proxy.always = () => ({ status: 200, body: Buffer.alloc(2_000) });
    const url = new URL(proxy.endpoint);
    const small = createExchange({
      url,
      maxSockets: 1,
      timeoutMs: 20_000,
      connectTimeoutMs: 20_000,
      maxBodyBytes: 1_000,
    });
    await expect(small.post({ host: url.host }, '{}')).rejects.toThrow('larger than 1000 bytes');
    small.destroy();
  });
});

describe('a clock', () => {
  const hourMs = 3_600_000;
  /** Refuses what is signed five minutes beside a clock that is an hour ahead. */
  const strict: Fault = ({ headers }, _response, pass) => {
    const [, date, time] = /^(\d{8})T(\d{6})Z$/.exec(String(headers['x-amz-date'])) ?? [];
    const text = `${date?.replace(/(....)(..)(..)/, '$1-$2-$3')}T${time?.replace(/(..)(..)(..)/, '$1:$2:$3')}Z`;
    const theirs = Date.now() + hourMs;
    if (Math.abs(Date.parse(text) - theirs) <= 300_000) return pass();
    const body = { __type: 'com.amazon.coral.service#InvalidSignatureException', message: 'Signature is not current' };
    const date_ = { date: new Date(theirs).toUTCString() };
    return { status: 400, headers: date_, body: Buffer.from(JSON.stringify(body)) };
  };

  test("that is wrong follows AWS's at the first refusal, and stays so", async () => {
    proxy.always = strict;
    const client = clientOf();
    expect(await read(client)).toEqual({});
    expect(proxy.arrived).toHaveLength(2);
    expect(await read(client)).toEqual({});
    expect(proxy.arrived).toHaveLength(3);
    // It is set right: the next refusal shifts it back.
    proxy.always = 'none';
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + hourMs);
    proxy.faults.push(refuseUntimely);
    expect(await read(client)).toEqual({});
    expect(proxy.arrived).toHaveLength(5);
  });
  const refuseUntimely: Fault = () => ({
    status: 403,
    headers: { date: new Date(Date.now()).toUTCString() },
    body: Buffer.from('{"__type":"x#RequestExpired"}'),
  });

  test('that is right is not to blame: a wrong signature is tried once', async () => {
    proxy.always = (_arrived) => ({
      status: 400,
      headers: { date: new Date().toUTCString() },
      body: Buffer.from('{"__type":"x#InvalidSignatureException","message":"does not match"}'),
    });
    const error = await failed(read(clientOf({ maxAttempts: 3 })));
    expect(error).toMatchObject({ name: 'InvalidSignatureException', $metadata: { attempts: 1 } });
    expect(proxy.arrived).toHaveLength(1);
  });
});

describe.each(['direct', 'sdk'] as const)('what refuses a write, by the %s client', (kind) => {
  const options = () => ({ endpoint: proxy.endpoint, requestTimeoutMs: 20_000 });
  const made = () => (kind === 'direct' ? createDocumentClient(options()) : createSdkClient(options()));
  const places = new Set([new Uint8Array([1, 2, 255]), new Uint8Array([0])]);

  test('is shown whole, where a write asks for it', async () => {
    const client = made();
    clients.push(client);
    const Item = { ...newKey(), used: 3, places, nested: { list: [null, true, 'x', 1.5] } };
    await client.send(new PutCommand({ TableName: tableName, Item }));
    const condition = { TableName: tableName, Item, ConditionExpression: 'attribute_not_exists(pk)' };
    const asking = { ...condition, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const };
    expect(await refusable(() => client.send(new PutCommand(asking)))).toEqual(new Refused(Item));
    expect(await refusable(() => client.send(new PutCommand(condition)))).toEqual(new Refused(undefined));
    const other = { Put: { TableName: tableName, Item: newKey() } };
    const table = { client, tableName };
    const items = new Map([[1, Item]]);
    expect(await transact(table, [other, { Put: asking }])).toEqual({ kind: 'refused', at: [1], items });
    expect(await transact(table, [other, { Put: condition }])).toEqual({ kind: 'refused', at: [1], items: new Map() });
  });

  test('and only met another is measured as a conflict, and means that it was not answered', async () => {
    const measure = vi.fn();
    const client = (kind === 'direct' ? createDocumentClient : createSdkClient)({ ...options(), measure });
    clients.push(client);
    const CancellationReasons = [{ Code: 'None' }, { Code: 'TransactionConflict' }];
    proxy.faults.push(refuse(500, 'x'), refuse(400, 'TransactionCanceledException', { CancellationReasons }));
    const TransactItems = [{ Put: { TableName: tableName, Item: newKey() } }];
    const error = await failed(answering(() => client.send(new TransactWriteCommand({ TransactItems }))));
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(measure.mock.calls).toEqual([[{ Retries: 1 }], [{ Conflicts: 1 }]]);
  });
});

test('an error holds nothing of credentials and of what was sent', async () => {
  proxy.always = refuse(400, 'AccessDeniedException');
  const environment = { AWS_ENDPOINT_URL_DYNAMODB: proxy.endpoint };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const secrets = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'the-secret', sessionToken: 'the-session' };
  const client = createDocumentClient({
    region: 'eu-west-1',
    requestTimeoutMs: 20_000,
    credentials: async () => secrets,
  });
  clients.push(client);
  const Item = { ...newKey(), password: 'the-password' };
  const denied = inspect(await failed(client.send(new PutCommand({ TableName: tableName, Item }))), { depth: 9 });
  proxy.always = reset('before');
  const cut = inspect(await failed(client.send(new PutCommand({ TableName: tableName, Item }))), { depth: 9 });
  vi.unstubAllEnvs();
  expect(denied).toContain('AccessDeniedException');
  for (const text of [denied, cut]) for (const one of ['the-', 'AKID', 'Signature']) expect(text).not.toContain(one);
});

test("a request is signed as the SDK signs it, with the session's token", async () => {
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'session/token+=' };
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', proxy.endpoint);
  const client = createDocumentClient({
    region: 'eu-west-1',
    requestTimeoutMs: 20_000,
    credentials: async () => credentials,
  });
  clients.push(client);
  const Item = { ...newKey(), text: 'ü & 日本 \u{1f600}' };
  await client.send(new PutCommand({ TableName: tableName, Item }));
  vi.unstubAllEnvs();
  const [{ headers, body } = { headers: {}, body: '' }] = proxy.arrived;
  const { authorization = '', 'x-amz-date': at = '' } = headers as Record<string, string>;
  const names = /SignedHeaders=([^,]+),/.exec(authorization)?.[1]?.split(';') ?? [];
  expect(names).toEqual(['content-type', 'host', 'x-amz-date', 'x-amz-security-token', 'x-amz-target']);
  const sdk = new DynamoDBClient({ region: 'eu-west-1', credentials });
  clients.push(sdk);
  const scheme = { name: 'sigv4', signingName: 'dynamodb', signingRegion: 'eu-west-1', properties: {} };
  const signer = await (
    sdk.config.signer as unknown as (scheme: object) => Promise<{ sign: Sign; applyChecksum: boolean }>
  )(scheme);
  // It would add a header of the body's digest, which DynamoDB does not ask for.
  signer.applyChecksum = false;
  const url = new URL(proxy.endpoint);
  const given = Object.fromEntries(names.map((name) => [name, String(headers[name])]));
  delete given['x-amz-date'];
  delete given['x-amz-security-token'];
  const request = {
    method: 'POST',
    protocol: 'http:',
    hostname: url.hostname,
    path: '/',
    query: {},
    headers: given,
    body,
  };
  const signingDate = new Date(at.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'));
  expect((await signer.sign(request, { signingDate })).headers.authorization).toBe(authorization);
});
type Sign = (
  request: object,
  options: { readonly signingDate: Date },
) => Promise<{ readonly headers: Readonly<Record<string, string>> }>;
