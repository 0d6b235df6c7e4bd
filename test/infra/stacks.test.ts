// What is deployed, and how its parts are wired.

import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { parseKeyring } from '../../shared/adapters/node/keyring.ts';
import { type IndexDefinition, tableDefinition } from '../../shared/config/table.ts';
import { grantsOfRole, propertiesOf, render } from './grants.ts';
import { synthTemplates, withFrontDoor } from './synth.ts';

const { state, core, web } = synthTemplates();

interface KeyPart {
  readonly AttributeName: string;
  readonly KeyType: string;
}

const keySchema = (hash: string, range: string): readonly KeyPart[] => [
  { AttributeName: hash, KeyType: 'HASH' },
  { AttributeName: range, KeyType: 'RANGE' },
];

const indexes: readonly IndexDefinition[] = tableDefinition.indexes;

describe('the table', () => {
  const table = propertiesOf(state, 'AWS::DynamoDB::Table', 'Table');

  test('is the one that shared/config/table.ts defines: keys, indexes, projections, TTL', () => {
    expect(table.KeySchema).toEqual(keySchema(tableDefinition.partitionKey, tableDefinition.sortKey));
    expect(table.GlobalSecondaryIndexes).toEqual(
      indexes.map((index) => ({
        IndexName: index.name,
        KeySchema: keySchema(index.partitionKey, index.sortKey),
        Projection:
          index.projects === undefined
            ? { ProjectionType: 'KEYS_ONLY' }
            : { ProjectionType: 'INCLUDE', NonKeyAttributes: index.projects },
      })),
    );
    expect(table.TimeToLiveSpecification).toEqual({ AttributeName: tableDefinition.timeToLive, Enabled: true });
  });

  test('has text keys, and numbers where an index is in order of time', () => {
    const text = [tableDefinition.partitionKey, tableDefinition.sortKey];
    const expected = [
      ...[...text, ...indexes.map((index) => index.partitionKey)].map((name) => [name, 'S']),
      ...indexes.map((index) => [index.sortKey, index.sortKeyType === 'number' ? 'N' : 'S']),
    ];
    const attributes = table.AttributeDefinitions as readonly { AttributeName: string; AttributeType: string }[];
    const defined = attributes.map((attribute) => [attribute.AttributeName, attribute.AttributeType]);
    expect(defined.sort()).toEqual(expected.sort());
  });

  test('is paid by request, can be restored to any second, and survives its stack', () => {
    state.hasResource('AWS::DynamoDB::Table', {
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        DeletionProtectionEnabled: true,
      },
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
    });
  });

  test('keeps a stream of keys, and tells its ARN, that no stack reads: a failed upgrade goes back to reading it', () => {
    expect(table.StreamSpecification).toEqual({ StreamViewType: 'KEYS_ONLY' });
    // The previous release reads the output under this id.
    state.hasOutput('PublishOutputFnGetAttTableCD117FA1StreamArn2ADA1321', {
      Value: { 'Fn::GetAtt': ['TableCD117FA1', 'StreamArn'] },
    });
    for (const template of [core, web]) expect(JSON.stringify(template.toJSON())).not.toContain('StreamArn');
  });
});

// These properties never change: AWS would generate the secret anew (infra/headcount-state.ts).
test.each([
  ['TicketSecret', { PasswordLength: 43, ExcludePunctuation: true }],
  [
    'PasswordKeysSecret',
    { SecretStringTemplate: '{}', GenerateStringKey: 'current', PasswordLength: 43, ExcludePunctuation: true },
  ],
])('%s is generated, stands in no template and survives its stack', (id, generated) => {
  const [secret] = Object.entries(state.findResources('AWS::SecretsManager::Secret')).flatMap(([name, found]) =>
    name.startsWith(id) ? [found] : [],
  );
  expect(secret).toMatchObject({ DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
  expect(secret?.Properties).toMatchObject({ GenerateSecretString: generated });
  expect(secret?.Properties).not.toHaveProperty('SecretString');
});

test('what is generated as the keys of passwords is a keyring', () => {
  const { GenerateSecretString: how } = propertiesOf(state, 'AWS::SecretsManager::Secret', 'PasswordKeysSecret') as {
    GenerateSecretString: { SecretStringTemplate: string; GenerateStringKey: string; PasswordLength: number };
  };
  const text = { ...JSON.parse(how.SecretStringTemplate), [how.GenerateStringKey]: 'x'.repeat(how.PasswordLength) };
  expect(parseKeyring(JSON.stringify(text), 'the secret').keys.size).toBe(1);
});

describe('the endpoint', () => {
  test('asks the authorizer about every CONNECT, and lets no client choose another', () => {
    expect(propertiesOf(core, 'AWS::IoT::DomainConfiguration', 'ConnectDomain')).toMatchObject({
      AuthenticationType: 'CUSTOM_AUTH',
      ApplicationProtocol: 'SECURE_MQTT',
      DomainConfigurationStatus: 'ENABLED',
      AuthorizerConfig: { AllowAuthorizerOverride: false, DefaultAuthorizerName: expect.anything() },
    });
    const { AuthorizerConfig } = propertiesOf(core, 'AWS::IoT::DomainConfiguration', 'ConnectDomain') as {
      AuthorizerConfig: { DefaultAuthorizerName: unknown };
    };
    expect(render(AuthorizerConfig.DefaultAuthorizerName)).toBe('ConnectAuthorizer');
  });

  test('has an active authorizer that takes user name and password without a signature', () => {
    const authorizer = propertiesOf(core, 'AWS::IoT::Authorizer', 'ConnectAuthorizer');
    expect(authorizer).toMatchObject({ Status: 'ACTIVE', SigningDisabled: true });
    expect(render(authorizer.AuthorizerFunctionArn)).toBe('Authorizer.Arn');
  });

  test('is the only one that may invoke the authorizer', () => {
    const permissions = Object.values(core.findResources('AWS::Lambda::Permission'))
      .map((resource) => resource.Properties)
      .filter((permission) => render(permission.FunctionName) === 'Authorizer.Arn');
    expect(permissions).toHaveLength(1);
    expect(permissions[0]).toMatchObject({ Action: 'lambda:InvokeFunction', Principal: 'iot.amazonaws.com' });
    expect(render(permissions[0]?.SourceArn)).toBe('ConnectAuthorizer.Arn');
    // AWS documents no source account for these calls; a condition on it might refuse them.
    expect(permissions[0]).not.toHaveProperty('SourceAccount');
  });

  const own = synthTemplates({
    connectDomain: 'iot.example.com',
    connectCertificateArn: 'arn:aws:acm:eu-central-1:111111111111:certificate/one',
  }).core;

  test('goes on serving devices under its name when another takes its place, and under the one of AWS without its stack', () => {
    const [managed] = Object.values(core.findResources('AWS::IoT::DomainConfiguration'));
    expect(managed).toMatchObject({ UpdateReplacePolicy: 'Retain', DeletionPolicy: 'Retain' });
    const [named] = Object.values(own.findResources('AWS::IoT::DomainConfiguration'));
    expect(named).toMatchObject({
      Properties: { DomainName: 'iot.example.com' },
      UpdateReplacePolicy: 'Retain',
      DeletionPolicy: 'Delete',
    });
  });

  test('is made after all the rest, so that nothing which fails leaves it behind', () => {
    const { Resources } = core.toJSON() as {
      readonly Resources: Readonly<Record<string, { readonly Type: string; readonly DependsOn?: readonly string[] }>>;
    };
    const [[domain, { DependsOn = [] }] = ['', {}]] = Object.entries(Resources).filter(
      ([, { Type }]) => Type === 'AWS::IoT::DomainConfiguration',
    );
    const itsOwn = /^(ConnectAuthorizer|AuthorizerIotCore)/;
    const others = Object.keys(Resources).filter((id) => id !== domain && !itsOwn.test(id));
    expect(others.filter((id) => !DependsOn.includes(id))).toEqual([]);
  });

  test('gives the authorizer the 5 s that IoT Core waits', () => {
    expect(propertiesOf(core, 'AWS::Lambda::Function', 'Authorizer').Timeout).toBe(5);
  });
});

describe('presence events', () => {
  test('of every client id reach the queue, and what the rule cannot deliver is logged', () => {
    const rule = propertiesOf(core, 'AWS::IoT::TopicRule', 'PresenceRule').TopicRulePayload as {
      Actions: readonly { Sqs: { QueueUrl: unknown } }[];
      ErrorAction: { CloudwatchLogs: { LogGroupName: unknown } };
    };
    expect(rule).toMatchObject({ Sql: "SELECT * FROM '$aws/events/presence/#'", RuleDisabled: false });
    expect(rule.Actions.map((action) => render(action.Sqs.QueueUrl))).toEqual(['PresenceQueue']);
    expect(render(rule.ErrorAction.CloudwatchLogs.LogGroupName)).toBe('PresenceLost');
  });

  test('that cannot be settled end in the dead-letter queue, one by one', () => {
    const queue = propertiesOf(core, 'AWS::SQS::Queue', 'PresenceQueue');
    // A topic rule takes standard queues only.
    expect(queue).not.toHaveProperty('FifoQueue');
    const redrive = queue.RedrivePolicy as { deadLetterTargetArn: unknown; maxReceiveCount: number };
    expect(render(redrive.deadLetterTargetArn)).toBe('PresenceDeadLetters.Arn');
    expect(redrive.maxReceiveCount).toBe(5);
    core.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      BatchSize: 10,
    });
  });

  test('are hidden from others for longer than any batch takes', () => {
    const queue = propertiesOf(core, 'AWS::SQS::Queue', 'PresenceQueue');
    const { Timeout } = propertiesOf(core, 'AWS::Lambda::Function', 'PresenceFunction') as { Timeout: number };
    expect(queue.VisibilityTimeout).toBe(Timeout * 6);
  });

  test.each(['PresenceQueue', 'PresenceDeadLetters'])('%s is encrypted and refuses plain HTTP', (id) => {
    expect(propertiesOf(core, 'AWS::SQS::Queue', id).SqsManagedSseEnabled).toBe(true);
    const policy = propertiesOf(core, 'AWS::SQS::QueuePolicy', `${id}Policy`);
    expect(policy.PolicyDocument).toMatchObject({
      Statement: [{ Effect: 'Deny', Action: 'sqs:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }],
    });
  });
});

test('the sweeper runs every minute, one at a time, and a run that failed is not retried', () => {
  const sweeper = propertiesOf(core, 'AWS::Lambda::Function', 'Sweeper');
  expect(sweeper.ReservedConcurrentExecutions).toBe(1);
  expect(sweeper.Timeout).toBeLessThan(60);
  const rule = propertiesOf(core, 'AWS::Events::Rule', 'EveryMinute') as { Targets: readonly { Arn: unknown }[] };
  expect(rule).toMatchObject({ ScheduleExpression: 'rate(1 minute)', State: 'ENABLED' });
  expect(rule.Targets.map((target) => render(target.Arn))).toEqual(['Sweeper.Arn']);
  const retries = { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 };
  core.hasResourceProperties('AWS::Lambda::EventInvokeConfig', retries);
});

test('what another stack may have to go back to reading stays among the outputs, whatever is chosen', () => {
  const outputsOf = (template: Template): readonly string[] => Object.keys(template.toJSON().Outputs);
  const changed = synthTemplates({
    ...withFrontDoor,
    connectDomain: 'iot.example.org',
    connectCertificateArn: 'arn:aws:acm:eu-central-1:111111111111:certificate/one',
    restoredTable: 'restored',
  });
  const before = synthTemplates(withFrontDoor);
  for (const stack of ['state', 'core', 'web'] as const)
    expect(outputsOf(changed[stack]), stack).toEqual(expect.arrayContaining([...outputsOf(before[stack])]));
});

describe('a table that was restored', () => {
  const restored = synthTemplates({ ...withFrontDoor, restoredTable: 'restored' });

  test('takes the place of the one that was deployed, for every function and the front door, and that one stays', () => {
    const functions = Object.values(restored.core.findResources('AWS::Lambda::Function'));
    expect(functions.length).toBeGreaterThan(5);
    for (const { Properties } of functions) expect(Properties.Environment.Variables.TABLE_NAME).toBe('restored');
    expect(JSON.stringify(restored.frontDoor?.findResources('AWS::ECS::TaskDefinition'))).toContain(
      '{"Name":"TABLE_NAME","Value":"restored"}',
    );
    for (const template of [restored.core, restored.web, restored.frontDoor])
      expect(JSON.stringify(template?.toJSON().Resources)).not.toContain('OutputRefTable');
    restored.state.resourceCountIs('AWS::DynamoDB::Table', 1);
  });

  test('is what they may read and write', () => {
    const mine = 'arn:AWS::Partition:dynamodb:AWS::Region:AWS::AccountId:table/restored';
    const grants = grantsOfRole(restored.core, 'SweeperRole').filter((grant) => grant.startsWith('dynamodb:'));
    expect(grants).toContain(`dynamodb:GetItem ${mine} S`);
    for (const grant of grants) expect(grant).toContain('restored');
  });
});
