// Against the vectors that AWS publishes with Signature Version 4 (its test suite: get-vanilla, post-vanilla, and
// post-sts-header-after), and against what the SDK itself signs.

import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { signedHeaders } from '../../shared/adapters/aws/signature.ts';

const credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};
const scope = { region: 'us-east-1', service: 'service' };
const at = new Date('2015-08-30T12:36:00Z');
const url = new URL('https://example.amazonaws.com/');

test.each([
  ['GET', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
  ['POST', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
] as const)('%s / is signed as in the published vector', (method, signature) => {
  const headers = signedHeaders({ method, url, headers: {}, body: '' }, scope, credentials, at);
  expect(headers['x-amz-date']).toBe('20150830T123600Z');
  expect(headers.authorization).toBe(
    `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signature}`,
  );
});

interface Sent {
  readonly headers: Readonly<Record<string, string>>;
  readonly hostname: string;
  readonly body: string;
}

test('a request with a body, headers and a session token is signed as the SDK signs it', async () => {
  const sessionToken = 'a-session-token';
  let sent: Sent | undefined;
  const client = new DynamoDBClient({
    region: 'eu-central-1',
    credentials: { ...credentials, sessionToken },
    requestHandler: {
      handle: (request: Sent) => {
        sent = request;
        return Promise.reject(new Error('nothing is sent'));
      },
    },
    maxAttempts: 1,
  });
  await expect(client.send(new ListTablesCommand({}))).rejects.toThrow('nothing is sent');
  if (sent === undefined) throw new Error('the SDK sent nothing');
  const { headers, hostname, body } = sent;
  const names = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1]?.split(';') ?? [];
  const own = Object.fromEntries(names.map((name) => [name, headers[name] ?? '']));
  const date = (headers['x-amz-date'] ?? '').replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z');
  const { 'x-amz-date': _date, 'x-amz-security-token': _token, host: _host, ...rest } = own;
  expect(names).toContain('x-amz-target');
  const signed = signedHeaders(
    { method: 'POST', url: new URL(`https://${hostname}/`), headers: rest, body },
    { region: 'eu-central-1', service: 'dynamodb' },
    { ...credentials, sessionToken },
    new Date(date),
  );
  expect(signed.authorization).toBe(headers.authorization);
});
