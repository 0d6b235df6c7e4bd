// DynamoDB is asked where the SDK's client would ask it, and in the name of the same region.

import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterEach, expect, test, vi } from 'vitest';
import { findEndpoint } from '../../shared/adapters/dynamodb/common/endpoint.ts';

const variables = [
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_DYNAMODB',
  'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS',
  'AWS_REGION',
  'AWS_USE_DUALSTACK_ENDPOINT',
  'AWS_USE_FIPS_ENDPOINT',
];
afterEach(() => vi.unstubAllEnvs());

interface Sent {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Where the SDK sends, and the region that it signs for. */
async function askSdk(options: { readonly endpoint?: string; readonly region?: string }): Promise<readonly unknown[]> {
  const sent: Sent[] = [];
  const handle = (request: Sent) => {
    sent.push(request);
    return Promise.reject(new Error('nothing is sent'));
  };
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
  const client = new DynamoDBClient({ ...options, credentials, maxAttempts: 1, requestHandler: { handle } as never });
  await client.send(new DescribeTableCommand({ TableName: 'table' })).catch(() => undefined);
  const [{ protocol, hostname, port, headers } = { protocol: '', hostname: '', headers: {} }] = sent;
  const region = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(headers.authorization ?? '')?.[1];
  return [new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`).href, region];
}

test.each<[string, { readonly endpoint?: string; readonly region?: string }, Readonly<Record<string, string>>]>([
  ['a region', {}, { AWS_REGION: 'eu-central-1' }],
  ['a region that is given', { region: 'us-east-1' }, { AWS_REGION: 'eu-central-1' }],
  ['a region in China', {}, { AWS_REGION: 'cn-north-1' }],
  ['a region of a government', {}, { AWS_REGION: 'us-gov-west-1' }],
  ['an endpoint that is given', { endpoint: 'http://127.0.0.1:8000', region: 'local' }, { AWS_REGION: 'eu-west-1' }],
  ['an endpoint for all', {}, { AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL: 'http://127.0.0.1:1234' }],
  [
    'an endpoint of its own before that for all',
    {},
    {
      AWS_REGION: 'eu-west-1',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:1234',
      AWS_ENDPOINT_URL_DYNAMODB: 'https://vpce-1.dynamodb.eu-west-1.vpce.amazonaws.com',
    },
  ],
  [
    'an endpoint that is to be ignored',
    {},
    {
      AWS_REGION: 'eu-west-1',
      AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:1234',
      AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true',
    },
  ],
  ['FIPS', {}, { AWS_REGION: 'us-east-1', AWS_USE_FIPS_ENDPOINT: 'true' }],
  ['dual stack', {}, { AWS_REGION: 'eu-west-1', AWS_USE_DUALSTACK_ENDPOINT: 'true' }],
])('%s', async (_what, options, environment) => {
  for (const name of variables) vi.stubEnv(name, environment[name]);
  const { url, region } = findEndpoint(options);
  expect([url.href, region]).toEqual(await askSdk(options));
});

test('without a region nothing is asked, and a region cannot lead elsewhere', () => {
  expect(() => findEndpoint({}, {})).toThrow('AWS_REGION');
  expect(() => findEndpoint({}, { AWS_REGION: 'x.example.com/' })).toThrow('AWS_REGION');
});
