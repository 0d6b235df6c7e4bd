// The first thing that runs in a front door's container: it fetches the code, makes sure that it is the code that was
// built, and starts it. It stands whole in the task definition, so that a public image of Node is all that a task needs,
// and nobody who deploys has to build one. What it fetches lies where others may be able to write; the digest it is held
// against does not.

import { createHash } from 'node:crypto';
import { signHeaders } from '../shared/adapters/aws/signed-request.ts';

const [url = '', sha256 = ''] = process.argv.slice(1);

async function json(address: string): Promise<Readonly<Record<string, string>>> {
  const answer = await fetch(address, { signal: AbortSignal.timeout(5_000) });
  if (!answer.ok) throw new Error(`the task's credentials cannot be read: ${answer.status}`);
  return (await answer.json()) as Readonly<Record<string, string>>;
}

async function fetchCode(): Promise<Buffer> {
  // Where ECS hands a task its credentials; the other name is how any other place of that kind is given.
  const relative = process.env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI;
  const address =
    relative === undefined ? process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI : `http://169.254.170.2${relative}`;
  const { AccessKeyId = '', SecretAccessKey = '', Token } = await json(address ?? '');
  const credentials = {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    ...(Token === undefined ? {} : { sessionToken: Token }),
  };
  const { host, pathname: path } = new URL(url);
  const scope = { service: 's3', region: process.env.AWS_REGION ?? '', method: 'GET', path } as const;
  const nothing = createHash('sha256').update('').digest('hex');
  const signed = signHeaders(scope, { host, 'x-amz-content-sha256': nothing }, '', credentials, new Date());
  const { host: _sentByFetch, ...headers } = signed;
  const answer = await fetch(url, { headers, redirect: 'error', signal: AbortSignal.timeout(30_000) });
  if (!answer.ok) throw new Error(`the code cannot be fetched: ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

/**
 * What ends the process, on one line. Node would print the address of the code with every line of the stack, and that
 * address is the code.
 */
function end(error: unknown): void {
  const { stack } = error instanceof Error ? error : new Error(String(error));
  const where = stack?.replaceAll(/data:text\/javascript;base64,[\w+/=]+/g, 'main.mjs');
  const entry = { level: 'error', message: 'the front door ended by a failure', error: String(error), stack: where };
  process.stderr.write(`${JSON.stringify(entry)}\n`, () => process.exit(1));
}

process.on('uncaughtException', end);
const code = await fetchCode();
if (createHash('sha256').update(code).digest('hex') !== sha256) throw new Error('this is not the code that was built');
// From memory: the container's file system is read-only.
try {
  await import(`data:text/javascript;base64,${code.toString('base64')}`);
} catch (error) {
  end(error);
}
