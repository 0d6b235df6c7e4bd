// A choice that was deployed is not dropped without a word: the function that compares, as it would be deployed, with
// events as CloudFormation sends them.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { answerChoices } from '../../functions/choices/handler.ts';
import { readInstallation } from '../../infra/installation.ts';
import { asFile, RecordedChoices } from '../../infra/recorded-choices.ts';
import { addStacks } from '../../infra/stacks.ts';
import { type RunningFunction, run } from './deployed/functions.ts';
import { grantsOfRole, propertiesOf } from './grants.ts';
import { buildApp, withFrontDoor } from './synth.ts';

const path = '/operators/headcount.json';
const installationOf = (choices: Readonly<Record<string, unknown>>) =>
  readInstallation(new App().node, { path, choices });

/** What CloudFormation would send of the custom resource, for a file with these choices. */
function propertiesFor(choices: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { recorded, dropped } = installationOf(choices);
  return { ServiceToken: 'arn', Choices: JSON.stringify(recorded), Dropped: JSON.stringify(dropped) };
}

describe('the function', () => {
  const folder = mkdtempSync(join(tmpdir(), 'headcount-recorded-'));
  let running: RunningFunction;
  let endpoint: string;
  let close: () => void;
  let asked: string[];
  let answers: Readonly<Record<string, unknown>>[];
  /** What CloudFormation says the stack does; undefined: it fails to say. */
  let status: string | undefined;

  beforeAll(async () => {
    const app = new App({ outdir: folder, context: { 'aws:cdk:enable-asset-metadata': true } });
    new RecordedChoices(new Stack(app, 'State'), 'Choices', installationOf({}));
    app.synth();
    const { Resources }: { Resources: Record<string, { Type: string; Metadata?: Record<string, string> }> } =
      JSON.parse(readFileSync(join(folder, 'State.template.json'), 'utf8'));
    const [found] = Object.values(Resources).filter(({ Type }) => Type === 'AWS::Lambda::Function');
    const bundle = join(folder, found?.Metadata?.['aws:asset:path'] ?? '', 'index.mjs');
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        if (request.method === 'PUT') {
          answers.push(JSON.parse(body));
          response.end();
          return;
        }
        asked.push(`${request.headers.authorization?.split('/').slice(2, 5).join('/').split(',')[0]} ${body}`);
        response.writeHead(status === undefined ? 400 : 200);
        response.end(`<Stacks><member><StackStatus>${status}</StackStatus></member></Stacks>`);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    close = () => {
      server.closeAllConnections();
      server.close();
    };
    running = await run({ bundle, variables: [] }, endpoint, {});
  }, 60_000);
  afterAll(async () => {
    await running?.stop();
    close?.();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    asked = [];
    answers = [];
    status = 'UPDATE_IN_PROGRESS';
  });

  const stackId = 'arn:aws:cloudformation:eu-central-1:111111111111:stack/HeadcountState/1';

  type Fields = Readonly<Record<string, unknown>>;
  const eventOf = (fields: Fields): Fields => ({
    StackId: stackId,
    RequestId: 'r',
    LogicalResourceId: 'Record',
    PhysicalResourceId: 'known',
    ResponseURL: `${endpoint}/answer`,
    ...fields,
  });
  const updateOf = (from: Fields, to: Fields): Fields => ({
    RequestType: 'Update',
    ResourceProperties: propertiesFor(to),
    OldResourceProperties: propertiesFor(from),
  });

  async function send(fields: Fields): Promise<Fields> {
    await running.invoke(eventOf(fields));
    expect(answers).toHaveLength(1);
    return answers[0] ?? {};
  }
  const update = (from: Fields, to: Fields): Promise<Fields> => send(updateOf(from, to));

  const chosen = { noticeBus: 'default', machineClients: { ci: ['usage:read'], b: ['usage:read'] } };

  test('takes what is chosen first, and asks nothing', async () => {
    const answer = await send({ RequestType: 'Create', ResourceProperties: propertiesFor(chosen) });
    expect(answer.Status).toBe('SUCCESS');
    expect(asked).toEqual([]);
  });

  test.each([{}, { restoredTableStreamArn: 'arn' }])(
    'takes an update of a release that recorded the stream of a restored table, with the file %j more',
    async (more) => {
      const before = { restoredTable: 'restored', restoredTableStreamArn: 'arn' };
      const answer = await send({
        ...updateOf({}, { restoredTable: 'restored', ...more }),
        OldResourceProperties: { ServiceToken: 'arn', Choices: JSON.stringify(before), Dropped: '[]' },
      });
      expect(answer).toMatchObject({ Status: 'SUCCESS' });
    },
  );

  test.each([
    ['nothing changes', chosen],
    ['values change', { noticeBus: 'alerts', machineClients: 'ci:settings:read,b:usage:read' }],
    ['a choice is added', { ...chosen, console: false }],
    ['each is dropped on purpose', { noticeBus: null, machineClients: { ci: null, b: null } }],
    ['all machines are dropped on purpose', { noticeBus: 'default', machineClients: null }],
  ])('takes an update where %s', async (_, to) => {
    expect(await update(chosen, to)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'known' });
    expect(asked).toEqual([]);
  });

  test('refuses an update that drops choices without a word, and names each of them', async () => {
    const answer = await update(chosen, { machineClients: { b: ['usage:read'] } });
    expect(answer).toMatchObject({ Status: 'FAILED', PhysicalResourceId: 'known' });
    expect(answer.Reason).toContain('noticeBus (was "default"), machineClients.ci (was ["usage:read"])');
    expect(answer.Reason).toContain('{"noticeBus":null}');
    // It asked about its own stack, and signed for that.
    expect(asked).toEqual([
      `eu-central-1/cloudformation/aws4_request Action=DescribeStacks&Version=2010-05-15&StackName=${encodeURIComponent(stackId)}`,
    ]);
  });

  test.each(['UPDATE_ROLLBACK_IN_PROGRESS', 'IMPORT_ROLLBACK_IN_PROGRESS'])(
    'takes back what a failed deployment had added, in %s',
    async (rollingBack) => {
      status = rollingBack;
      expect(await update(chosen, {})).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'known' });
    },
  );

  test('takes the rollback of an update that it refused, whether CloudFormation sends it or not', async () => {
    const other = { console: false };
    expect(await update(chosen, other)).toMatchObject({ Status: 'FAILED' });
    answers = [];
    status = 'UPDATE_ROLLBACK_IN_PROGRESS';
    expect(await update(other, chosen)).toMatchObject({ Status: 'SUCCESS' });
    // The record is what it was, so the same deployment is refused again.
    answers = [];
    status = 'UPDATE_IN_PROGRESS';
    expect(await update(chosen, other)).toMatchObject({ Status: 'FAILED' });
  });

  test('asks again what the stack does, and keeps the choices where there is no answer', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(name, 'of-the-test');
    vi.stubEnv('AWS_ENDPOINT_URL', endpoint);
    const pauses: number[] = [];
    const logged: string[] = [];
    const note = (message: string): void => void logged.push(message);
    const log = { info: note, warn: note, error: note };
    const ask = async (answersAt: number): Promise<unknown> => {
      status = undefined;
      const pause = async (milliseconds: number): Promise<void> => {
        pauses.push(milliseconds);
        if (pauses.length === answersAt) status = 'UPDATE_ROLLBACK_IN_PROGRESS';
      };
      await answerChoices(eventOf(updateOf(chosen, {})) as unknown as CloudFormationCustomResourceEvent, pause, log);
      return answers.at(-1)?.Status;
    };
    expect(await ask(3)).toBe('SUCCESS');
    expect(logged).toEqual([]);
    pauses.length = 0;
    expect(await ask(9)).toBe('FAILED');
    expect(pauses).toEqual([1_000, 2_000, 3_000]);
    expect(logged).toContain('the state of the stack is unknown');
    vi.unstubAllEnvs();
  });

  test('answers also what it cannot read, and a Delete always succeeds', async () => {
    const broken = { ServiceToken: 'arn', Choices: '{' };
    const change = { RequestType: 'Update', ResourceProperties: broken, OldResourceProperties: broken };
    expect(await send(change)).toMatchObject({ Status: 'FAILED' });
    answers = [];
    expect(await send({ RequestType: 'Delete', ResourceProperties: broken })).toMatchObject({ Status: 'SUCCESS' });
  });
});

describe('the state stack', () => {
  const scopes = ['settings:read', 'settings:write', 'deployments:write', 'credentials:write', 'usage:read'];
  const clients = Array.from({ length: 49 }, (_, index) => [`customer-${index}-ci`, scopes] as const);
  const choices = { ...withFrontDoor, machineClients: Object.fromEntries(clients) };
  const app = buildApp(choices);
  const { state } = addStacks(app);
  const template = Template.fromStack(state);

  test('records what was chosen, and shows it as a choices file that gives the same record', () => {
    const { recorded } = installationOf(choices);
    expect(propertiesOf(template, 'Custom::HeadcountChoices', 'ChoicesRecord')).toMatchObject({
      Choices: JSON.stringify(recorded),
      Dropped: '["restoredTableStreamArn"]',
    });
    // In parts, since AWS names no bound for an output; docs/deploy.md joins them in this order.
    const outputs: Readonly<Record<string, { readonly Value: string }>> = template.toJSON().Outputs;
    const parts = Object.entries(outputs).filter(([id]) => id.startsWith('Choices'));
    expect(parts.length).toBeGreaterThan(1);
    for (const [, { Value }] of parts) expect(Value.length).toBeLessThanOrEqual(4_000);
    const file: Record<string, unknown> = JSON.parse(
      parts
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, { Value }]) => Value)
        .join(''),
    );
    expect(file).toEqual(choices);
    expect(installationOf(file).recorded).toEqual(recorded);
    expect(asFile({})).toEqual({});
  });

  test('lets the function ask what its own stack does, and nothing else but its log', () => {
    expect(grantsOfRole(template, 'ChoicesCompareRole')).toEqual([
      'cloudformation:DescribeStacks AWS::StackId',
      'logs:CreateLogStream ChoicesCompareLog.Arn',
      'logs:PutLogEvents ChoicesCompareLog.Arn',
    ]);
  });

  test('gives the function time to answer, and CloudFormation reason to wait no longer than needed', () => {
    const { Timeout } = propertiesOf(template, 'AWS::Lambda::Function', 'ChoicesCompare') as { Timeout: number };
    const record = propertiesOf(template, 'Custom::HeadcountChoices', 'ChoicesRecord');
    expect(Timeout).toBe(60);
    expect(record.ServiceTimeout).toBe('300');
  });

  test('is deployed before each other stack, so that a refusal comes before any change', () => {
    const chainOf = (stack: Stack): readonly Stack[] => [stack, ...stack.dependencies.flatMap(chainOf)];
    const others = app.node.children.filter((child): child is Stack => Stack.isStack(child) && child !== state);
    expect(others.length).toBeGreaterThanOrEqual(3);
    for (const stack of others) expect(chainOf(stack), stack.stackName).toContain(state);
    expect(chainOf(state)).toEqual([state]);
  });
});
