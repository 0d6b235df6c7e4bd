// How long a bundle takes to load in a fresh process, the process's own start left out.

import { execFile } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const script = `
const begun = performance.now();
await import(process.argv[1]);
process.stdout.write('\\n' + String(performance.now() - begun), () => process.exit());
`;

/** Every variable that a function may ask for; nothing of it is reached while it loads. */
const environment = {
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'none',
  AWS_SECRET_ACCESS_KEY: 'none',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  TABLE_NAME: 'table',
  PASSWORD_KEYS_SECRET_ARN: 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:password-keys',
  TICKET_SECRET_ARN: 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:ticket',
  PRESENCE_QUEUE_URL: 'https://sqs.eu-central-1.amazonaws.com/111111111111/presence',
  OPERATIONS_QUEUE_URL: 'https://sqs.eu-central-1.amazonaws.com/111111111111/operations',
};

export async function timeImport(file: string): Promise<number> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', script, pathToFileURL(file).href],
    { env: { PATH: process.env.PATH, ...environment } },
  );
  const spentMs = Number(stdout.split('\n').at(-1));
  if (!Number.isFinite(spentMs)) throw new Error(`it said ${stdout}`);
  return spentMs;
}
