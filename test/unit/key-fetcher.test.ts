// Keys of a token issuer are fetched from a real TLS server on this machine, which only these tests are let to reach; and
// from nowhere else.

import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, LookupFunction } from 'node:net';
import { generate } from 'selfsigned';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createKeyFetcher, type KeyFetcherOptions } from '../../shared/adapters/node/key-fetcher.ts';

const host = 'issuer.example';
let certificate: { readonly private: string; readonly cert: string };
let server: Server;
let port: string;
let answer: RequestListener;
/** What reached the server. */
let asked: { readonly path: string | undefined; readonly headers: object }[] = [];

beforeAll(async () => {
  certificate = await generate([{ name: 'commonName', value: host }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: host }] }],
  });
  server = createServer({ key: certificate.private, cert: certificate.cert }, (request, response) => {
    asked.push({ path: request.url, headers: request.headers });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = String((server.address() as AddressInfo).port);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
afterEach(() => {
  asked = [];
});

/** Names that this resolver answers with, one list after the other, and how often it was asked. */
function resolver(...answers: string[][]): LookupFunction & { readonly calls: string[] } {
  const calls: string[] = [];
  const lookup: LookupFunction = (name, _options, done) => {
    calls.push(name);
    const addresses = answers[Math.min(calls.length, answers.length) - 1] ?? [];
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return Object.assign(lookup, { calls });
}

/** Of this machine, the one address of the server is let through. */
const letIn = (options: KeyFetcherOptions = {}) =>
  createKeyFetcher({
    resolve: resolver(['127.0.0.1']),
    isAllowed: (address) => address === '127.0.0.1',
    allowedPorts: [port],
    ca: certificate.cert,
    ...options,
  });
const url = (path = '/jwks') => `https://${host}:${port}${path}`;
const says =
  (status: number, body: string, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) =>
    void response.writeHead(status, headers).end(body);

test('what is there is fetched, by its name, with nothing of ours in the request', async () => {
  answer = says(200, '{"keys":[1]}');
  expect(await letIn().fetchKeys(url('/a?b=c'))).toEqual({ kind: 'fetched', document: { keys: [1] } });
  expect(asked).toEqual([
    {
      path: '/a?b=c',
      headers: {
        host: `${host}:${port}`,
        accept: 'application/jwk-set+json, application/json',
        connection: 'close',
      },
    },
  ]);
});

test('no redirect is followed', async () => {
  for (const status of [301, 302, 307, 308]) {
    answer = says(status, '', { location: url('/other') });
    expect(await letIn().fetchKeys(url())).toMatchObject({
      kind: 'failed',
      problem: expect.stringContaining(`${status}`),
    });
  }
  expect(asked.map((one) => one.path)).toEqual(['/jwks', '/jwks', '/jwks', '/jwks']);
});

test('no more is read than its bound, announced or not', async () => {
  const big = JSON.stringify({ keys: 'x'.repeat(2_000) });
  answer = says(200, big);
  expect(await letIn({ maxBytes: 1_000 }).fetchKeys(url())).toMatchObject({ kind: 'failed' });
  answer = (_request, response) => {
    response.writeHead(200);
    const more = () => void (response.destroyed || response.write('x'.repeat(1_000), () => setImmediate(more)));
    more();
  };
  expect(await letIn({ maxBytes: 1_000 }).fetchKeys(url())).toMatchObject({ kind: 'failed' });
});

test('it waits no longer than its time: for an answer, for its end, for a name', async () => {
  answer = () => undefined;
  expect(await letIn({ timeoutMs: 50 }).fetchKeys(url())).toMatchObject({ kind: 'failed' });
  answer = (_request, response) => void response.writeHead(200).write('{"keys":');
  expect(await letIn({ timeoutMs: 50 }).fetchKeys(url())).toMatchObject({ kind: 'failed' });
  expect(await letIn({ timeoutMs: 50, resolve: () => undefined }).fetchKeys(url())).toMatchObject({ kind: 'failed' });
});

test('errors, what is not JSON, and a certificate of nobody known are failures', async () => {
  answer = says(500, '{"keys":[]}');
  expect(await letIn().fetchKeys(url())).toMatchObject({ kind: 'failed' });
  answer = says(200, '<html>');
  expect(await letIn().fetchKeys(url())).toMatchObject({ kind: 'failed' });
  answer = says(200, '{}');
  const stranger = createKeyFetcher({
    resolve: resolver(['127.0.0.1']),
    isAllowed: () => true,
    allowedPorts: [port],
  });
  expect(await stranger.fetchKeys(url())).toMatchObject({ kind: 'failed' });
});

describe('with the rules that hold outside of tests', () => {
  const real = (...answers: string[][]) =>
    createKeyFetcher({ resolve: resolver(...answers), allowedPorts: ['', port] });

  test.each([
    'http://issuer.example/jwks',
    'ftp://issuer.example/jwks',
    'file:///etc/passwd',
    'data:application/json,{}',
    'https://user:secret@issuer.example/jwks',
    'https://user@issuer.example/jwks',
    'https://issuer.example:22/jwks',
    'https://issuer.example:8443/jwks',
    'https://',
    'issuer.example/jwks',
    '',
    'https://127.0.0.1/jwks',
    'https://127.1/jwks',
    'https://2130706433/jwks',
    'https://0x7f.0.0.1/jwks',
    'https://0177.0.0.1/jwks',
    'https://169.254.169.254/latest/meta-data/',
    'https://[::1]/jwks',
    'https://[::ffff:127.0.0.1]/jwks',
    'https://[::ffff:169.254.169.254]/jwks',
    'https://[fd00:ec2::254]/latest/meta-data/',
    'https://[fe80::1]/jwks',
    'https://[64:ff9b::a9fe:a9fe]/jwks',
    'https://10.0.0.1/jwks',
  ])('%s is refused without asking anybody', async (text) => {
    const resolve = resolver(['8.8.8.8']);
    const fetcher = createKeyFetcher({ resolve });
    expect(await fetcher.fetchKeys(text)).toEqual({ kind: 'refused' });
    expect(resolve.calls).toEqual([]);
  });

  test.each([
    [['127.0.0.1']],
    [['::1']],
    [['::ffff:127.0.0.1']],
    [['169.254.169.254']],
    [['fd00:ec2::254']],
    [['fe80::1']],
    [['10.1.2.3']],
    // One for the check and one to connect to.
    [['8.8.8.8', '127.0.0.1']],
    [['127.0.0.1', '8.8.8.8']],
    [[]],
  ])('a name that points to %j is refused, and nothing is connected to', async (addresses) => {
    answer = says(200, '{"keys":[]}');
    expect(await real(addresses).fetchKeys(url())).toEqual({ kind: 'refused' });
    expect(asked).toEqual([]);
  });

  test('a name that points elsewhere a moment later is asked once, and what was checked is connected to', async () => {
    answer = says(200, '{"keys":[]}');
    const resolve = resolver(['127.0.0.1'], ['127.0.0.2']);
    const seen: string[] = [];
    const isAllowed = (address: string) => {
      seen.push(address);
      return address === '127.0.0.1';
    };
    expect(await letIn({ resolve, isAllowed }).fetchKeys(url())).toMatchObject({ kind: 'fetched' });
    expect(resolve.calls).toEqual([host]);
    expect(seen).toEqual(['127.0.0.1']);
    // The other way round: public when nobody looked, this machine when it counts.
    expect(await real(['127.0.0.1'], ['8.8.8.8']).fetchKeys(url())).toEqual({ kind: 'refused' });
  });

  test('localhost by its name is refused by the resolver of this machine', async () => {
    expect(await createKeyFetcher().fetchKeys('https://localhost/jwks')).toEqual({ kind: 'refused' });
  });
});
