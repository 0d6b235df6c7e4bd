// The real thing: the pinned CLI, cdk.json and the bundler, without an account and without a network.

import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { demoDeployment } from '../../local/seed.ts';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credentials/credential-store.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import type { Username } from '../../shared/domain/ids.ts';
import { ms } from '../../shared/domain/time.ts';
import { createTestTable, startTestEngine } from '../support/engine.ts';
import { hashOf } from '../support/passwords.ts';
import { passwordKeysArn, startRecorder } from './deployed/recorder.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const password = 'a-secret';
const nowhere = 'http://127.0.0.1:9';

const machine = 'of-the-choices-file';

const choicesFile = (home: string): string => join(home, 'choices.json');

/** No credentials, no region, a proxy that answers nobody, and no choices of whoever runs this. */
function bareEnvironment(home: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(AWS_|CDK_|.*_proxy$)/i.test(name));
  return {
    ...Object.fromEntries(kept),
    HOME: home,
    HTTP_PROXY: nowhere,
    HTTPS_PROXY: nowhere,
    CI: 'true',
    HEADCOUNT_CHOICES: choicesFile(home),
  };
}

interface FunctionResource {
  readonly Type: string;
  readonly Properties: { readonly Description: string };
  readonly Metadata: { readonly 'aws:asset:path': string };
}

const functions = ['Authorizer', 'PresenceFunction', 'Sweeper', 'Reconciler', 'TokenKeys', 'OperationsWorker', 'Api'];

describe('cdk synth', () => {
  let home = '';
  const bundles = new Map<string, string>();

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'headcount-synth-'));
    const output = join(home, 'cdk.out');
    writeFileSync(choicesFile(home), JSON.stringify({ machineClients: { [machine]: ['usage:read'] } }));
    const cli = join(root, 'node_modules/aws-cdk/bin/cdk');
    await run(process.execPath, [cli, 'synth', '--quiet', '--strict', '--output', output], {
      cwd: root,
      env: bareEnvironment(home),
    });
    const template: { Resources: Record<string, FunctionResource> } = JSON.parse(
      readFileSync(join(output, 'Headcount.template.json'), 'utf8'),
    );
    for (const [id, resource] of Object.entries(template.Resources))
      if (resource.Type === 'AWS::Lambda::Function')
        bundles.set(id.replace(/[0-9A-F]{8}$/, ''), join(output, resource.Metadata['aws:asset:path'], 'index.mjs'));
  }, 120_000);

  afterAll(() => rmSync(home, { recursive: true, force: true }));

  test('needs neither an account nor a network', () => {
    expect(readdirSync(join(home, 'cdk.out'))).toEqual(
      expect.arrayContaining(['Headcount.template.json', 'HeadcountState.template.json']),
    );
    expect([...bundles.keys()].sort()).toEqual([...functions].sort());
  });

  test("takes the operator's choices from the file that the environment names", () => {
    const template = readFileSync(join(home, 'cdk.out/HeadcountWeb.template.json'), 'utf8');
    expect(template).toContain(`"ClientName": "${machine}"`);
  });

  test.each(functions)('%s loads as one file with a handler', async (id) => {
    const bundle = pathToFileURL(bundles.get(id) ?? '').href;
    const script = `const { handler } = await import(${JSON.stringify(bundle)}); process.stdout.write(typeof handler, () => process.exit());`;
    // Nothing of this repository is in reach from there: what is not in the bundle fails to load. And no AWS is.
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
      cwd: home,
      env: {
        ...bareEnvironment(home),
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'none',
        AWS_SECRET_ACCESS_KEY: 'none',
        AWS_ENDPOINT_URL: nowhere,
        TABLE_NAME: 'table',
        PASSWORD_KEYS_SECRET_ARN: passwordKeysArn,
        TICKET_SECRET_ARN: 'arn:aws:secretsmanager:us-east-1:111111111111:secret:ticket',
        PRESENCE_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/111111111111/presence',
        OPERATIONS_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/111111111111/operations',
        NOTICE_BUS: 'none',
      },
    });
    expect(stdout.trim()).toBe('function');
  });

  test('makes an authorizer that answers a CONNECT with what is in its bundle and its environment alone', async () => {
    const engine = await startTestEngine();
    const { client, tableName } = await createTestTable(engine.endpoint);
    const createdAt = ms(Date.now());
    const recorder = await startRecorder(engine.endpoint);
    const hash = await hashOf(password);
    const demo = demoDeployment(createdAt);
    const credential = { username: 'a' as Username, hash, createdAt };
    await createCredentialStore(client, tableName).putCredential(demo.deploymentId, credential);
    await createSettingsStore(client, tableName).createDeployment(demo);
    const mqtt = (sent: string) => ({
      username: 'a?deployment=demo',
      password: Buffer.from(sent).toString('base64'),
      clientId: 'demo:c1',
    });
    const events = [mqtt(password), mqtt('guess')].map((one) => ({ protocolData: { mqtt: one } }));
    const script = `const { handler } = await import(${JSON.stringify(pathToFileURL(bundles.get('Authorizer') ?? '').href)});
      const context = { invokedFunctionArn: 'arn:aws:lambda:us-east-1:111111111111:function:authorizer' };
      const answers = [];
      for (const event of ${JSON.stringify(events)}) answers.push((await handler(event, context)).isAuthenticated);
      process.stdout.write(JSON.stringify(answers), () => process.exit());`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
      cwd: home,
      env: {
        ...bareEnvironment(home),
        NO_PROXY: '127.0.0.1',
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'none',
        AWS_SECRET_ACCESS_KEY: 'none',
        AWS_SESSION_TOKEN: 'none',
        AWS_ENDPOINT_URL: recorder.endpoint,
        PASSWORD_KEYS_SECRET_ARN: passwordKeysArn,
        TABLE_NAME: tableName,
        TICKET_SECRET_ARN: 'arn:aws:secretsmanager:us-east-1:111111111111:secret:ticket',
        PRESENCE_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/111111111111/presence',
      },
    });
    await recorder.close();
    await engine.stop();
    // Before it, what the function measured.
    expect(stdout.split('\n').at(-1)).toBe('[true,false]');
  }, 60_000);

  test('makes an authorizer of at most 400 KB', () => {
    expect(statSync(bundles.get('Authorizer') ?? '').size).toBeLessThanOrEqual(400 * 1024);
  });
});
