// Who may do what. The lists are whole: a grant that is added shows here.

import { describe, expect, test } from 'vitest';
import { environmentOf, environmentVariables } from '../../shared/config/env.ts';
import { tableDefinition } from '../../shared/config/table.ts';
import { grantsOfRole, propertiesOf, render } from './grants.ts';
import { synthTemplates } from './synth.ts';

const { stateful, stateless } = synthTemplates();

const items = ['BatchGetItem', 'DeleteItem', 'GetItem', 'PutItem', 'UpdateItem'];
const onTable = (actions: readonly string[]): string[] => actions.map((action) => `dynamodb:${action} Table.Arn`);
const query = (index: string): string => `dynamodb:Query Table.Arn/index/${index}`;
const writeLog = (log: string): string[] => [`logs:CreateLogStream ${log}.Arn`, `logs:PutLogEvents ${log}.Arn`];
const anyClient = 'arn:AWS::Partition:iot:AWS::Region:AWS::AccountId:client/*';
const kick = [`iot:DeleteConnection ${anyClient}`, `iot:GetConnection ${anyClient}`];
const consume = ['ChangeMessageVisibility', 'DeleteMessage', 'GetQueueAttributes', 'GetQueueUrl', 'ReceiveMessage'];

const functions = {
  Authorizer: {
    name: 'authorizer',
    grants: [
      ...onTable(items),
      query('due'),
      'secretsmanager:GetSecretValue TicketSecret',
      'sqs:SendMessage PresenceQueue.Arn',
    ],
  },
  PresenceFunction: {
    name: 'presence',
    grants: [
      ...onTable(items),
      query('due'),
      ...[...consume, 'SendMessage'].map((action) => `sqs:${action} PresenceQueue.Arn`),
      `iot:GetConnection ${anyClient}`,
    ],
  },
  Sweeper: {
    name: 'sweeper',
    grants: [
      ...onTable([...items, 'Query']),
      query('due'),
      query('wake'),
      `iot:DeleteConnection ${anyClient}`,
      `iot:GetConnection ${anyClient}`,
    ],
  },
  TokenKeys: {
    name: 'token-keys',
    grants: onTable(['GetItem', 'Query', 'UpdateItem']),
  },
  OperationsWorker: {
    name: 'operations',
    grants: [
      ...onTable([...items, 'BatchWriteItem', 'ConditionCheckItem', 'Query', 'Scan']),
      query('due'),
      query('wake'),
      ...[...consume, 'SendMessage'].map((action) => `sqs:${action} OperationsQueue.Arn`),
      ...kick,
    ],
  },
  Api: {
    name: 'api',
    grants: [
      ...onTable([...items, 'BatchWriteItem', 'ConditionCheckItem', 'Query']),
      query('due'),
      query('wake'),
      query('rank'),
      'sqs:SendMessage PresenceQueue.Arn',
      'sqs:SendMessage OperationsQueue.Arn',
      ...kick,
    ],
  },
} as const;

describe.each(Object.entries(functions))('%s', (id, { name, grants }) => {
  const properties = propertiesOf(stateless, 'AWS::Lambda::Function', id);

  test('may do what it needs and nothing else', () => {
    expect(grantsOfRole(stateless, `${id}Role`)).toEqual([...grants, ...writeLog(`${id}Log`)].sort());
  });

  test('has a role of its own without managed policies', () => {
    expect(render(properties.Role)).toBe(`${id}Role.Arn`);
    expect(propertiesOf(stateless, 'AWS::IAM::Role', `${id}Role`)).not.toHaveProperty('ManagedPolicyArns');
  });

  test('is given the environment variables that are listed for it', () => {
    const { Variables } = properties.Environment as { readonly Variables: Readonly<Record<string, unknown>> };
    const known: readonly string[] = Object.values(environmentVariables);
    expect(
      Object.keys(Variables)
        .filter((variable) => known.includes(variable))
        .sort(),
    ).toEqual([...environmentOf[name]].sort());
    expect(render(Variables.TABLE_NAME)).toBe('Table');
  });

  test('runs on Node 24 and logs to a group that forgets', () => {
    expect(properties.Runtime).toBe('nodejs24.x');
    expect(properties.LoggingConfig).toEqual({ LogGroup: expect.anything() });
    expect(propertiesOf(stateless, 'AWS::Logs::LogGroup', `${id}Log`)).toEqual({ RetentionInDays: 90 });
  });
});

describe('in all stacks', () => {
  test('no function is missing from these lists', () => {
    stateless.resourceCountIs('AWS::Lambda::Function', Object.keys(functions).length);
    stateful.resourceCountIs('AWS::Lambda::Function', 0);
  });

  test('only who removes deployments may Scan, nobody has an action by wildcard, nobody may touch the table itself', () => {
    const policies = [stateful, stateless].flatMap((template) =>
      Object.values(template.findResources('AWS::IAM::Policy')),
    );
    expect(policies.length).toBeGreaterThanOrEqual(Object.keys(functions).length);
    const text = JSON.stringify(policies);
    expect(text.match(/dynamodb:Scan/g)).toHaveLength(1);
    expect(text).not.toMatch(/dynamodb:(PartiQL|DeleteTable|UpdateTable|UpdateTimeToLive)/);
    expect(text).not.toMatch(/"[a-z]+:[A-Za-z]*\*"/);
  });

  test('only the authorizer may read the ticket secret, and only it is told where that is', () => {
    const readers = Object.keys(functions).filter((id) =>
      grantsOfRole(stateless, `${id}Role`).some((grant) => grant.startsWith('secretsmanager:')),
    );
    expect(readers).toEqual(['Authorizer']);
    const told = Object.keys(functions).filter((id) =>
      JSON.stringify(propertiesOf(stateless, 'AWS::Lambda::Function', id)).includes('TICKET_SECRET_ARN'),
    );
    expect(told).toEqual(['Authorizer']);
    stateful.resourceCountIs('AWS::SecretsManager::ResourcePolicy', 0);
  });

  test('every index that somebody queries exists', () => {
    const names = tableDefinition.indexes.map((index) => `dynamodb:Query Table.Arn/index/${index.name}`);
    const queried = Object.keys(functions).flatMap((id) =>
      grantsOfRole(stateless, `${id}Role`).filter((grant) => grant.includes('/index/')),
    );
    expect(new Set(queried)).toEqual(new Set(names));
  });

  test('only the topic rule of this account writes to the presence queue from outside', () => {
    const role = propertiesOf(stateless, 'AWS::IAM::Role', 'PresenceRuleRole');
    expect(role.AssumeRolePolicyDocument).toMatchObject({
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'iot.amazonaws.com' },
          Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
        },
      ],
    });
    const lost = 'arn:AWS::Partition:logs:AWS::Region:AWS::AccountId:log-group:PresenceLost';
    const log = ['logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'];
    expect(grantsOfRole(stateless, 'PresenceRuleRole')).toEqual(
      [
        'sqs:SendMessage PresenceQueue.Arn',
        ...log.flatMap((action) => [`${action} PresenceLost.Arn`, `${action} ${lost}`]),
      ].sort(),
    );
  });
});
