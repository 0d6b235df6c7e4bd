// What the check of templates finds (test/infra/spec-check.ts), on a small installation with one fault at a time.

import { describe, expect, test } from 'vitest';
import { checkTemplates } from './spec-check.ts';
import type { Template, TemplateResource, Templates } from './template.ts';

const substitution = (text: string, name: string): object => ({ 'Fn::Sub': `${text}\${${name}}` });

/** A small installation without a fault: two stacks, one of which reads an output of the other. */
const sound: Readonly<Record<string, Template>> = {
  Other: {
    Resources: { Topic: { Type: 'AWS::SNS::Topic' } },
    Outputs: { TopicArn: { Value: { Ref: 'Topic' }, Export: { Name: 'topic' } } },
  },
  Main: {
    Conditions: { Big: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'us-east-1'] } },
    Resources: {
      Queue: { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: 30, SqsManagedSseEnabled: true } },
      Table: {
        Type: 'AWS::DynamoDB::Table',
        Properties: {
          KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
          AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
          TableName: { Ref: 'AWS::NoValue' },
        },
      },
      Endpoint: {
        Type: 'AWS::IoT::DomainConfiguration',
        Properties: { ServiceType: 'DATA', DomainConfigurationStatus: { 'Fn::If': ['Big', 'ENABLED', 'DISABLED'] } },
      },
      Function: {
        Type: 'AWS::Lambda::Function',
        DependsOn: ['Queue'],
        Properties: {
          Code: { ZipFile: 'x' },
          Role: substitution('arn:', 'AWS::Partition'),
          Environment: {
            Variables: {
              QUEUE: { 'Fn::GetAtt': ['Queue', 'QueueUrl'] },
              TOPIC: { 'Fn::GetStackOutput': { StackName: 'Other', OutputName: 'TopicArn' } },
              SAME: { 'Fn::ImportValue': 'topic' },
            },
          },
        },
      },
      Custom: { Type: 'Custom::Thing', Properties: { ServiceToken: { 'Fn::GetAtt': 'Function.Arn' }, Any: 1 } },
    },
  },
};

function withPlanted(id: string, change: Partial<TemplateResource>): Templates {
  const main = sound.Main as Template;
  const resource = main.Resources[id];
  const planted = {
    Type: 'AWS::SQS::Queue',
    ...resource,
    ...change,
    Properties: { ...resource?.Properties, ...change.Properties },
  };
  return new Map(Object.entries({ ...sound, Main: { ...main, Resources: { ...main.Resources, [id]: planted } } }));
}

describe('what is wrong on purpose is found', () => {
  test('and nothing else is', () => {
    expect(checkTemplates(new Map(Object.entries(sound)))).toEqual([]);
  });

  const queue = (Properties: object): readonly [string, object] => ['Queue', { Properties }];
  const table = (Properties: object): readonly [string, object] => ['Table', { Properties }];
  const endpoint = (Properties: object): readonly [string, object] => ['Endpoint', { Properties }];
  const lambda = (Properties: object): readonly [string, object] => ['Function', { Properties }];
  const key = { AttributeName: 'pk', KeyType: 'HASH' };

  test.each<[string, readonly [string, object], string]>([
    ['a type that does not exist', ['New', { Type: 'AWS::SQS::Queu' }], 'New is of type AWS::SQS::Queu'],
    ['a name that is misspelt', queue({ VisibilityTimeOut: 3 }), 'Queue has VisibilityTimeOut'],
    ['a nested one', table({ KeySchema: [{ ...key, KeyTyp: 'HASH' }] }), 'Table.KeySchema.0 has KeyTyp'],
    ['text for a number', queue({ VisibilityTimeout: '30 s' }), 'Queue.VisibilityTimeout must be integer'],
    ['a fraction for a whole number', queue({ VisibilityTimeout: 1.5 }), 'Queue.VisibilityTimeout must be integer'],
    ['text for a truth', queue({ SqsManagedSseEnabled: 'yes' }), 'Queue.SqsManagedSseEnabled must be boolean'],
    ['a number for text', queue({ QueueName: 7 }), 'Queue.QueueName must be string'],
    ['an object for a list', table({ KeySchema: { AttributeName: 'pk' } }), 'Table.KeySchema must be a list'],
    ['text for an object', lambda({ Code: 'x' }), 'Function.Code must be an object'],
    ['a list in a map of texts', lambda({ Environment: { Variables: { A: ['x'] } } }), 'Variables.A must be string'],
    ['a required property that is missing', ['New', { Type: 'AWS::IAM::Role' }], 'New lacks AssumeRolePolicyDocument'],
    [
      'a nested one that is missing',
      table({ KeySchema: [{ AttributeName: 'pk' }] }),
      'Table.KeySchema.0 lacks KeyType',
    ],
    ['one that AWS::NoValue takes out', table({ KeySchema: { Ref: 'AWS::NoValue' } }), 'Table lacks KeySchema'],
    [
      'a value that is none of those allowed',
      endpoint({ ServiceType: 'DATUM' }),
      'Endpoint.ServiceType must be one of',
    ],
    [
      'one in a branch',
      endpoint({ DomainConfigurationStatus: { 'Fn::If': ['Big', 'ENABLED', 'OFF'] } }),
      'Endpoint.DomainConfigurationStatus must be one of',
    ],
    ['a function that gives text for a list', table({ KeySchema: { Ref: 'Queue' } }), 'Table.KeySchema must be a list'],
    [
      'an attribute of another type',
      table({ KeySchema: { 'Fn::GetAtt': ['Queue', 'Arn'] } }),
      'Table.KeySchema must be a list',
    ],
    ['an attribute that is unknown', lambda({ Role: { 'Fn::GetAtt': ['Queue', 'Urn'] } }), 'asks for Urn of Queue'],
    ['one inside of text', lambda({ Role: substitution('x', 'Queue.Urn') }), 'asks for Urn of Queue'],
    ['a Ref to nothing', lambda({ Role: { Ref: 'Rol' } }), 'Function.Role refers to Rol'],
    ['an attribute of nothing', lambda({ Role: { 'Fn::GetAtt': ['Rol', 'Arn'] } }), 'Function.Role refers to Rol'],
    ['a dependency on nothing', ['Queue', { DependsOn: 'Rol' }], 'Queue refers to Rol'],
    ['a condition that is not there', ['Queue', { Condition: 'Small' }], 'asks for the condition Small'],
    [
      'an output that another stack does not have',
      lambda({ Role: { 'Fn::GetStackOutput': { StackName: 'Other', OutputName: 'RoleArn' } } }),
      'reads the output RoleArn of Other',
    ],
    ['an import that no stack exports', lambda({ Role: { 'Fn::ImportValue': 'role' } }), 'imports "role"'],
    ['a custom resource without its function', ['New', { Type: 'Custom::Other' }], 'New lacks ServiceToken'],
    ['a policy at the wrong place', ['Queue', { DeletePolicy: 'Retain' }], 'Queue has DeletePolicy'],
  ])('%s', (_what, [id, change], problem) => {
    expect(checkTemplates(withPlanted(id, change))).toEqual([expect.stringContaining(problem)]);
  });
});
