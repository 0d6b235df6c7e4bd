// A release replaces nothing that holds state or is named outside (test/infra/kept.ts): on paper, every installation that
// was deployed from the list gets from these templates the resources that it has.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compareKept, type KeptList, listKept } from './kept.ts';
import type { Template, TemplateResource, Templates } from './template.ts';
import { synthesizeVariant, type VariantName, variantNames } from './variants.ts';

const list: KeptList = JSON.parse(readFileSync(new URL('kept.json', import.meta.url), 'utf8'));
const variants = new Map(variantNames.map((name) => [name, synthesizeVariant(name).templates]));

test('what is deployed keeps its logical id, its create-only properties and its policies; what is new is on the list', () => {
  expect(compareKept(list, listKept(variants))).toEqual([]);
});

test('the list has what holds state and what is named outside', () => {
  const types = Object.values(list).flatMap((forms) => Object.values(forms).map(({ type }) => type));
  expect([...new Set(types)]).toEqual(
    expect.arrayContaining([
      'AWS::ApiGatewayV2::Api',
      'AWS::CloudFront::Distribution',
      'AWS::Cognito::UserPool',
      'AWS::Cognito::UserPoolClient',
      'AWS::Cognito::UserPoolDomain',
      'AWS::Cognito::UserPoolResourceServer',
      'AWS::DynamoDB::Table',
      'AWS::ElasticLoadBalancingV2::LoadBalancer',
      'AWS::IoT::DomainConfiguration',
      'AWS::S3::Bucket',
      'AWS::SNS::Topic',
      'AWS::SQS::Queue',
      'AWS::SecretsManager::Secret',
    ]),
  );
  const table = Object.entries(list).find(([name]) => /^HeadcountState\/Table[0-9A-F]{8}$/.test(name));
  expect(table?.[1].always).toMatchObject({ deletionPolicy: 'Retain', createOnly: { KeySchema: expect.anything() } });
});

type Resources = Record<string, TemplateResource>;

/** Changes of the list, after a change of one variant's state stack or all of them. */
function plant(change: (resources: Resources) => unknown, only?: VariantName): readonly string[] {
  const changed = new Map<string, Templates>();
  for (const [name, templates] of variants) {
    const state = structuredClone(templates.get('HeadcountState')) as Template;
    if (only === undefined || only === name) change(state.Resources as Resources);
    changed.set(name, new Map([...templates, ['HeadcountState', state]]));
  }
  return compareKept(listKept(variants), listKept(changed)).map(({ name, what }) => `${name} ${what}`);
}

function ofType(resources: Resources, type: string): [id: string, resource: TemplateResource] {
  const found = Object.entries(resources).find(([, resource]) => resource.Type === type);
  if (found === undefined) throw new Error(`there is no ${type}`);
  return found;
}

const edit = (type: string, how: (resource: TemplateResource) => TemplateResource) => (resources: Resources) => {
  const [id, resource] = ofType(resources, type);
  resources[id] = how(resource);
};
const set = (type: string, properties: object) =>
  edit(type, (resource) => ({ ...resource, Properties: { ...resource.Properties, ...properties } }));

describe('what would hurt on purpose is found', () => {
  test('another logical id', () => {
    const found = plant((resources) => {
      const [id, table] = ofType(resources, 'AWS::DynamoDB::Table');
      delete resources[id];
      resources.Renamed = table;
    });
    expect(found).toEqual([
      expect.stringMatching(/^HeadcountState\/Table\w+ AWS::DynamoDB::Table is gone .*a new, empty table/),
      expect.stringMatching(/^HeadcountState\/Renamed AWS::DynamoDB::Table is new/),
    ]);
  });

  test.each([
    ["the table's keys", 'AWS::DynamoDB::Table', { KeySchema: [] }, /KeySchema changes, .*empty table/],
    [
      "the pool's user names",
      'AWS::Cognito::UserPool',
      { UsernameAttributes: ['phone_number'] },
      /UsernameAttributes changes/,
    ],
    ["the sign-in's address", 'AWS::Cognito::UserPoolDomain', { Domain: 'other' }, /Domain changes/],
    ["the scopes' name", 'AWS::Cognito::UserPoolResourceServer', { Identifier: 'other' }, /Identifier changes/],
    ["a secret's name", 'AWS::SecretsManager::Secret', { Name: 'other' }, /Name changes/],
    ['how a secret is generated', 'AWS::SecretsManager::Secret', { GenerateSecretString: {} }, /GenerateSecretString/],
  ])('a create-only property: %s', (_what, type, properties, message) => {
    expect(plant(set(type, properties))).toEqual([expect.stringMatching(message)]);
  });

  test.each([
    ['DeletionPolicy', /deletionPolicy is Delete instead of Retain/],
    ['UpdateReplacePolicy', /updateReplacePolicy is Delete instead of Retain/],
  ])('a table without its %s', (policy, message) => {
    const found = plant(edit('AWS::DynamoDB::Table', (table) => ({ ...table, [policy]: 'Delete' })));
    expect(found).toEqual([expect.stringMatching(message)]);
  });

  test.each(['AWS::SQS::Queue', 'AWS::Cognito::UserPoolClient', 'AWS::EFS::FileSystem', 'AWS::KMS::Key'])(
    'a new %s that is not on the list',
    (Type) => {
      const found = plant((resources) => {
        resources.New = { Type };
      });
      expect(found).toEqual([`HeadcountState/New ${Type} is new and not on the list: must it be kept?`]);
    },
  );

  test('a loss in one kind of installation only', () => {
    const found = plant((resources) => {
      delete resources[ofType(resources, 'AWS::Cognito::UserPool')[0]];
    }, variantNames[0]);
    expect(found.length).toBeGreaterThan(0);
    for (const change of found) expect(change).toContain('HeadcountState/SignInPool');
  });

  test('and what AWS changes in place is none of it', () => {
    expect(plant(set('AWS::DynamoDB::Table', { DeletionProtectionEnabled: false }))).toEqual([]);
    expect(plant((resources) => Object.assign(resources, { Group: { Type: 'AWS::Logs::LogGroup' } }))).toEqual([]);
  });
});
