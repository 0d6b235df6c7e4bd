// Who may do what. The lists are whole: a grant that is added shows here.

import { describe, expect, test } from 'vitest';
import { hashNames } from '../../shared/adapters/dynamodb/credentials/credential-item.ts';
import { environmentOf, environmentVariables, optionalEnvironmentOf } from '../../shared/config/env.ts';
import { tableDefinition } from '../../shared/config/table.ts';
import { linesOf } from './deployed/recorder.ts';
import { grantsOfRole, propertiesOf, render, usesOfRole } from './grants.ts';
import { synthTemplates, withFrontDoor } from './synth.ts';

const { state, core } = synthTemplates();
/** With everything that an installation may have. */
const choices = synthTemplates(withFrontDoor);

const writeLog = (log: string): string[] => [`logs:CreateLogStream ${log}.Arn`, `logs:PutLogEvents ${log}.Arn`];
const anyClient = 'arn:AWS::Partition:iot:AWS::Region:AWS::AccountId:client/*:*';
const kick = [`iot:DeleteConnection ${anyClient}`, `iot:GetConnection ${anyClient}`];
const consume = ['ChangeMessageVisibility', 'DeleteMessage', 'GetQueueAttributes', 'GetQueueUrl', 'ReceiveMessage'];

/** What a function may do besides its log and the table. What it may do with the table, deployed.test.ts proves. */
const functions = {
  Authorizer: {
    name: 'authorizer',
    grants: [
      'secretsmanager:GetSecretValue PasswordKeysSecret',
      'secretsmanager:GetSecretValue TicketSecret',
      'sqs:SendMessage PresenceQueue.Arn',
      `iot:DeleteConnection ${anyClient}`,
    ],
  },
  PresenceFunction: {
    name: 'presence',
    grants: [...[...consume, 'SendMessage'].map((action) => `sqs:${action} PresenceQueue.Arn`), ...kick],
  },
  Sweeper: { name: 'sweeper', grants: [`iot:GetConnection ${anyClient}`] },
  Reconciler: { name: 'reconciler', grants: [`iot:GetConnection ${anyClient}`] },
  TokenKeys: { name: 'token-keys', grants: ['sqs:SendMessage OperationsQueue.Arn'] },
  OperationsWorker: {
    name: 'operations',
    grants: [...[...consume, 'SendMessage'].map((action) => `sqs:${action} OperationsQueue.Arn`), ...kick],
  },
  Api: {
    name: 'api',
    grants: [
      'secretsmanager:GetSecretValue PasswordKeysSecret',
      'sqs:SendMessage PresenceQueue.Arn',
      'sqs:SendMessage OperationsQueue.Arn',
      ...kick,
    ],
  },
} as const;

const itemOrIndex =
  /^dynamodb:(\w+ Table\.Arn ([A-Z]|=[a-z-]+)|Query Table\.Arn P only [\w+]+|UpdateItem Table\.Arn P returning NONE|Query Table\.Arn\/index\/\w+|transaction [\w+]+ ([A-Z+]|=[a-z-]+)+)$/;
/** Who may do more than touch items and indexes. */
const mayTouch: Readonly<Record<string, RegExp>> = {
  Reconciler: new RegExp(`${itemOrIndex.source}|^dynamodb:Scan Table\\.Arn only [\\w+]+$`),
  OperationsWorker: new RegExp(`${itemOrIndex.source}|^dynamodb:Scan Table\\.Arn only [\\w+]+$`),
};

const ofTable = (id: string): readonly string[] =>
  grantsOfRole(core, `${id}Role`).filter((grant) => grant.startsWith('dynamodb:'));

describe.each(Object.entries(functions))('%s', (id, { name, grants }) => {
  const properties = propertiesOf(core, 'AWS::Lambda::Function', id);

  test('may do what it needs and nothing else', () => {
    const others = grantsOfRole(core, `${id}Role`).filter((grant) => !grant.startsWith('dynamodb:'));
    expect(others).toEqual([...grants, ...writeLog(`${id}Log`)].sort());
  });

  test('may touch the table item by item only: each grant names the items it is for, or an index', () => {
    expect(ofTable(id).length).toBeGreaterThan(0);
    for (const grant of ofTable(id)) expect(grant).toMatch(mayTouch[id] ?? itemOrIndex);
  });

  test('has a role of its own without managed policies', () => {
    expect(render(properties.Role)).toBe(`${id}Role.Arn`);
    expect(propertiesOf(core, 'AWS::IAM::Role', `${id}Role`)).not.toHaveProperty('ManagedPolicyArns');
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
    const withOptional = propertiesOf(choices.core, 'AWS::Lambda::Function', id).Environment as typeof properties;
    const more = Object.keys(withOptional.Variables as object).filter((variable) => !(variable in Variables));
    expect(more).toEqual(optionalEnvironmentOf[name] ?? []);
  });

  test('runs on Node 24 and logs to a group that forgets', () => {
    expect(properties.Runtime).toBe('nodejs24.x');
    expect(properties.LoggingConfig).toEqual({ LogGroup: expect.anything() });
    expect(propertiesOf(core, 'AWS::Logs::LogGroup', `${id}Log`)).toEqual({ RetentionInDays: 90 });
  });
});

describe('in all stacks', () => {
  test('no function is missing from these lists', () => {
    core.resourceCountIs('AWS::Lambda::Function', Object.keys(functions).length);
    // The one that compares choices (recorded-choices.test.ts).
    state.resourceCountIs('AWS::Lambda::Function', 1);
  });

  test('only who walks the whole table may Scan, nobody has an action by wildcard, and nobody may touch the table itself', () => {
    const policies = [state, core].flatMap((template) => Object.values(template.findResources('AWS::IAM::Policy')));
    expect(policies.length).toBeGreaterThanOrEqual(Object.keys(functions).length);
    const text = JSON.stringify(policies);
    expect(text).not.toMatch(/dynamodb:(PartiQL|DeleteTable|UpdateTable|UpdateTimeToLive)/);
    expect(text).not.toMatch(/"[a-z]+:[A-Za-z]*\*"/);
    const scanners = Object.keys(functions).filter((id) => ofTable(id).some((grant) => grant.includes(':Scan ')));
    expect(scanners).toEqual(['Reconciler', 'OperationsWorker']);
  });

  const usesOf = (id: string): readonly string[] => usesOfRole(core, `${id}Role`);

  test('only who checks passwords may read their digests: every other read that meets them names other attributes', () => {
    const readers = Object.keys(functions).filter((id) =>
      usesOf(id).some((use) => /^dynamodb:(((BatchGetItem|GetItem|Query) P)|Scan \*)$/.test(use)),
    );
    expect(readers).toEqual(['Authorizer']);
    const partial = Object.keys(functions).flatMap((id) => usesOf(id).filter((use) => use.includes(' only ')));
    expect(partial).toHaveLength(4);
    for (const use of partial)
      for (const name of hashNames) expect(use.split(' only ')[1]?.split('+')).not.toContain(name);
  });

  test('a request outside of the granted attributes is told from one inside', () => {
    const asked = { Select: 'SPECIFIC_ATTRIBUTES', FilterExpression: 'begins_with(pk, :p) AND deploymentId = :id' };
    const scan = (more: object) => linesOf('Scan', { ...asked, ProjectionExpression: '#pk, sk', ...names, ...more });
    const names = { ExpressionAttributeNames: { '#pk': 'pk' } };
    const allowed = usesOf('OperationsWorker');
    expect(allowed).toEqual(expect.arrayContaining([...scan({})]));
    for (const planted of [
      { ProjectionExpression: undefined },
      { Select: undefined },
      { Select: 'ALL_ATTRIBUTES' },
      { ProjectionExpression: '#pk, sk, digest' },
      { ProjectionExpression: '#pk, #d', ExpressionAttributeNames: { '#pk': 'pk', '#d': 'digest' } },
      { FilterExpression: 'begins_with(digest, :p)' },
    ])
      expect(allowed, JSON.stringify(planted)).not.toContain(scan(planted)[0]);

    const Key = { pk: { S: 'P|demo|1' }, sk: { S: 'alice' } };
    expect(usesOf('PresenceFunction')).toEqual(expect.arrayContaining([...linesOf('UpdateItem', { Key })]));
    const returning = linesOf('UpdateItem', { Key, ReturnValues: 'ALL_OLD' });
    expect(usesOf('PresenceFunction')).not.toContain(returning[0]);
    expect(allowed).not.toContain(linesOf('GetItem', { Key, ProjectionExpression: 'sk' })[0]);
  });

  test.each([
    ['TicketSecret', 'TICKET_SECRET_ARN', ['Authorizer']],
    // The presence function stores new digests and sees neither a password nor a key.
    ['PasswordKeysSecret', 'PASSWORD_KEYS_SECRET_ARN', ['Authorizer', 'Api']],
  ])('%s may be read by those that need it, and only they are told where it is', (secret, variable, needed) => {
    const readers = Object.keys(functions).filter((id) =>
      grantsOfRole(core, `${id}Role`).includes(`secretsmanager:GetSecretValue ${secret}`),
    );
    expect(readers).toEqual(needed);
    const told = Object.keys(functions).filter((id) =>
      JSON.stringify(propertiesOf(core, 'AWS::Lambda::Function', id)).includes(variable),
    );
    expect(told).toEqual(needed);
    state.resourceCountIs('AWS::SecretsManager::ResourcePolicy', 0);
  });

  test('every index that somebody queries exists', () => {
    const names = tableDefinition.indexes.map((index) => `dynamodb:Query Table.Arn/index/${index.name}`);
    const queried = Object.keys(functions).flatMap((id) => ofTable(id).filter((grant) => grant.includes('/index/')));
    expect(new Set(queried)).toEqual(new Set(names));
  });

  test('only the topic rule of this account writes to the presence queue from outside', () => {
    const role = propertiesOf(core, 'AWS::IAM::Role', 'PresenceRuleRole');
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
    expect(grantsOfRole(core, 'PresenceRuleRole')).toEqual(
      [
        'sqs:SendMessage PresenceQueue.Arn',
        ...log.flatMap((action) => [`${action} PresenceLost.Arn`, `${action} ${lost}`]),
      ].sort(),
    );
  });
});
