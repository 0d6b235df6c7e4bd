// What a task starts with: the script as the template has it, against a bucket and credentials that a test plays.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { frontDoorCode } from '../../infra/code.ts';

const run = promisify(execFile);
const { loader } = frontDoorCode();
const code = 'process.stdout.write("started in " + process.env.AWS_REGION);';
const digest = createHash('sha256').update(code).digest('hex');
const asked: { readonly path: string; readonly headers: IncomingHttpHeaders }[] = [];

const server = createServer((request, response) => {
  asked.push({ path: request.url ?? '', headers: request.headers });
  const credentials = { AccessKeyId: 'AKIDEXAMPLE', SecretAccessKey: 'of the task', Token: 'for a while' };
  response.end(request.url === '/credentials' ? JSON.stringify(credentials) : code);
});
let base = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  base = `http://127.0.0.1:${address.port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const start = (sha256: string) =>
  run(process.execPath, ['--input-type=module', '-e', loader, `${base}/bucket/code.mjs`, sha256], {
    env: {
      PATH: process.env.PATH,
      AWS_REGION: 'eu-central-1',
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${base}/credentials`,
    },
  });

test("the code that was built is fetched with the task's own credentials, and runs", async () => {
  const { stdout } = await start(digest);
  expect(stdout).toBe('started in eu-central-1');
  const fetched = asked.find(({ path }) => path === '/bucket/code.mjs');
  expect(fetched?.headers.authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/s3\/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=[0-9a-f]{64}$/,
  );
  expect(fetched?.headers['x-amz-security-token']).toBe('for a while');
}, 60_000);

test('code that is not the one that was built does not run', async () => {
  const other = createHash('sha256').update(`${code}\n`).digest('hex');
  const failed = await start(other).catch((error: { stdout: string; stderr: string; code: number }) => error);
  expect(failed).toMatchObject({ code: 1, stdout: '' });
  expect(failed.stderr).toContain('this is not the code that was built');
}, 60_000);
