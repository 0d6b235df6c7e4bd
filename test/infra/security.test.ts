// What must hold of every resource of its kind, whichever stack it is in: one that is added later is held against it too.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { propertiesOf, render } from './grants.ts';
import { synthTemplates, withFrontDoor } from './synth.ts';

const folder = mkdtempSync(join(tmpdir(), 'headcount-console-'));
writeFileSync(join(folder, 'index.html'), '<!doctype html>');
afterAll(() => rmSync(folder, { recursive: true }));

const { state, core, web, frontDoor, console: site } = synthTemplates({ ...withFrontDoor, consoleFolder: folder });
if (frontDoor === undefined || site === undefined) throw new Error('there is no front door, or no console');
const templates = {
  HeadcountState: state,
  Headcount: core,
  HeadcountWeb: web,
  HeadcountFrontDoor: frontDoor,
  HeadcountConsole: site,
};

interface Resource {
  readonly name: string;
  readonly type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

const everything: readonly Resource[] = Object.entries(templates).flatMap(([stack, template]) =>
  Object.entries(
    template.toJSON().Resources as Readonly<Record<string, Omit<Resource, 'name' | 'type'> & { Type: string }>>,
  ).map(([id, resource]) => ({ ...resource, name: `${stack}/${id.replace(/[0-9A-F]{8}$/, '')}`, type: resource.Type })),
);

/** At least one, or the test would look at nothing. */
function all(type: string, atLeast = 1): readonly Resource[] {
  const found = everything.filter((resource) => resource.type === type);
  expect(found.length, type).toBeGreaterThanOrEqual(atLeast);
  return found;
}

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}

const statementsOf = (resource: Resource): readonly Statement[] =>
  (resource.Properties.PolicyDocument as { readonly Statement: readonly Statement[] }).Statement;

/** Resources of a type that no policy of another type closes to plain HTTP. */
function open(type: string, policyType: string, attached: string): readonly string[] {
  const closed = all(policyType)
    .filter((policy) =>
      statementsOf(policy).some(
        ({ Effect, Condition }) =>
          Effect === 'Deny' && JSON.stringify(Condition) === '{"Bool":{"aws:SecureTransport":"false"}}',
      ),
    )
    .flatMap(({ Properties }) => [Properties[attached]].flat().map(render));
  return all(type)
    .map(({ name }) => name)
    .filter((name) => !closed.includes(name.split('/')[1] ?? ''));
}

describe('in transit', () => {
  test('every queue, bucket and topic refuses plain HTTP', () => {
    expect(open('AWS::SQS::Queue', 'AWS::SQS::QueuePolicy', 'Queues')).toEqual([]);
    expect(open('AWS::S3::Bucket', 'AWS::S3::BucketPolicy', 'Bucket')).toEqual([]);
    expect(open('AWS::SNS::Topic', 'AWS::SNS::TopicPolicy', 'Topics')).toEqual([]);
  });

  test('devices are spoken to in TLS 1.2 at least', () => {
    for (const { Properties } of all('AWS::IoT::DomainConfiguration'))
      expect(Properties.TlsConfig).toEqual({ SecurityPolicy: 'IoTSecurityPolicy_TLS13_1_2_2022_10' });
  });
});

describe('at rest', () => {
  test('every queue and bucket is encrypted, and no bucket is public', () => {
    for (const { name, Properties } of all('AWS::SQS::Queue', 4))
      expect(Properties.SqsManagedSseEnabled, name).toBe(true);
    for (const { name, Properties } of all('AWS::S3::Bucket')) {
      expect(Properties.BucketEncryption, name).toMatchObject({
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      });
      expect(Object.values(Properties.PublicAccessBlockConfiguration as object), name).toEqual([
        true,
        true,
        true,
        true,
      ]);
    }
  });

  test('no log is kept for ever, and every function writes to a log of its own making', () => {
    for (const { name, Properties } of all('AWS::Logs::LogGroup', 10))
      expect([30, 90], name).toContain(Properties.RetentionInDays);
    for (const { name, Properties } of all('AWS::Lambda::Function', 8))
      expect(Properties.LoggingConfig, name).toMatchObject({ LogGroup: expect.anything() });
  });

  test('what cannot be made anew, or must be looked at first, stays when its stack goes', () => {
    const kept = everything.filter(
      ({ type, DeletionPolicy }) => type !== 'AWS::Logs::LogGroup' && DeletionPolicy?.startsWith('Retain'),
    );
    for (const { name, UpdateReplacePolicy } of kept) expect(UpdateReplacePolicy, name).toBe('Retain');
    // Those of the first list also where the creation of their stack fails: each refuses to be deleted just so.
    const namesOf = (policy: string): readonly string[] =>
      kept.flatMap(({ name, DeletionPolicy }) => (DeletionPolicy === policy ? [name] : [])).sort();
    expect(namesOf('Retain')).toEqual(['Headcount/ConnectDomain', 'HeadcountState/SignInPool', 'HeadcountState/Table']);
    expect(namesOf('RetainExceptOnCreate')).toEqual([
      'Headcount/OperationsDeadLetters',
      'Headcount/PresenceDeadLetters',
      'HeadcountConsole/ConsoleFiles',
      'HeadcountState/PasswordKeysSecret',
      'HeadcountState/TicketSecret',
      'HeadcountWeb/Machineoperator',
    ]);
    expect(kept).toHaveLength(9);
  });
});

describe('functions', () => {
  interface Bounds {
    readonly Timeout: number;
    readonly ReservedConcurrentExecutions?: number;
  }
  const bounds: Readonly<Record<string, Bounds>> = {
    // IoT Core waits no longer.
    Authorizer: { Timeout: 5, ReservedConcurrentExecutions: 500 },
    PresenceFunction: { Timeout: 30 },
    Sweeper: { Timeout: 55, ReservedConcurrentExecutions: 1 },
    Reconciler: { Timeout: 55, ReservedConcurrentExecutions: 1 },
    TokenKeys: { Timeout: 300, ReservedConcurrentExecutions: 1 },
    OperationsWorker: { Timeout: 60 },
    // Less than the gateway waits.
    Api: { Timeout: 20, ReservedConcurrentExecutions: 100 },
  };

  test('each has its time-out, and what must not crowd out CONNECTs its bound', () => {
    const found = Object.entries(core.findResources('AWS::Lambda::Function')).map(([id, { Properties }]) => {
      const { Timeout, ReservedConcurrentExecutions } = Properties as Bounds;
      return [id.replace(/[0-9A-F]{8}$/, ''), { Timeout, ReservedConcurrentExecutions }] as const;
    });
    expect(Object.fromEntries(found)).toEqual(bounds);
    const [integration] = all('AWS::ApiGatewayV2::Integration');
    expect(Number(integration?.Properties.TimeoutInMillis)).toBeGreaterThan((bounds.Api?.Timeout ?? 0) * 1_000);
  });

  test('those that read queues are as many at once as IoT Core answers questions for', () => {
    const scaling = Object.values(core.findResources('AWS::Lambda::EventSourceMapping')).map(
      ({ Properties }) => [render(Properties.FunctionName), Properties.ScalingConfig?.MaximumConcurrency] as const,
    );
    expect(Object.fromEntries(scaling)).toEqual({ PresenceFunction: 20, OperationsWorker: 2 });
  });

  test('everyone that reads a queue answers message by message', () => {
    for (const { name, Properties } of all('AWS::Lambda::EventSourceMapping', 2))
      expect(Properties.FunctionResponseTypes, name).toEqual(['ReportBatchItemFailures']);
  });

  test('what is kept for functions leaves the rest of an account of 1,000 more than Lambda wants unreserved', () => {
    const kept = Object.values(bounds).map(({ ReservedConcurrentExecutions: own = 0 }) => own);
    // docs/deploy.md says so.
    expect(kept.reduce((sum, own) => sum + own, 0) + 100).toBe(703);
  });

  test('the authorizer has as many places of its own as an installation says', () => {
    const own = synthTemplates({ authorizerConcurrency: '400' }).core;
    expect(propertiesOf(own, 'AWS::Lambda::Function', 'Authorizer').ReservedConcurrentExecutions).toBe(400);
  });

  test('for an account that is too small for it nothing is reserved', () => {
    const small = synthTemplates({ reserve: 'false' }).core;
    for (const { Properties } of Object.values(small.findResources('AWS::Lambda::Function')))
      expect(Properties).not.toHaveProperty('ReservedConcurrentExecutions');
  });

  test('every schedule gives up what it missed, as the next run makes up for it', () => {
    for (const { name, Properties } of all('AWS::Events::Rule', 4))
      for (const { RetryPolicy } of Properties.Targets as readonly { readonly RetryPolicy: object }[])
        expect(RetryPolicy, name).toMatchObject({ MaximumRetryAttempts: 0 });
    for (const { name, Properties } of all('AWS::Lambda::EventInvokeConfig', 4))
      expect(Properties, name).toMatchObject({ MaximumRetryAttempts: 0 });
  });

  test('none sends traces, which would cost the most where the least happens', () => {
    for (const { name, Properties } of all('AWS::Lambda::Function', 8))
      expect(Properties.TracingConfig, name).toBeUndefined();
  });
});

describe('permissions', () => {
  test('whoever may invoke a function from outside is named with the resource it does so for', () => {
    for (const { name, Properties } of all('AWS::Lambda::Permission', 8)) {
      expect(Properties.Principal, name).toMatch(/^(iot|events|apigateway)\.amazonaws\.com$/);
      expect(Properties.SourceArn, name).toBeDefined();
    }
  });

  test('no policy of ours lets everybody in, or names an action by wildcard', () => {
    const policies = everything.filter(({ Properties }) => Properties?.PolicyDocument !== undefined);
    expect(policies.length).toBeGreaterThan(15);
    const anybody = policies.filter((policy) =>
      statementsOf(policy).some(
        ({ Effect, Principal }) => Effect === 'Allow' && JSON.stringify(Principal)?.includes('"*"'),
      ),
    );
    expect(anybody.map(({ name }) => name)).toEqual([]);
    // CDK's own copier apart, of which nag.test.ts says each finding.
    const wild = policies
      .filter(({ name }) => !name.startsWith('HeadcountConsole/CustomCDKBucketDeployment'))
      .flatMap((policy) => statementsOf(policy).flatMap(({ Effect, Action }) => (Effect === 'Allow' ? Action : [])))
      .filter((action) => action.includes('*'));
    expect(wild).toEqual([]);
  });

  test('no secret stands in a template', () => {
    for (const [stack, template] of Object.entries(templates))
      expect(JSON.stringify(template.toJSON()), stack).not.toMatch(
        /BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16}|"SecretString"/,
      );
  });
});
