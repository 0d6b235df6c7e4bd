// A deployment on paper: each installation that may be chosen, as CloudFormation would see it.
//
// The templates fit AWS's own record of resource types (@aws-cdk/aws-service-spec), so that no deployment fails half-way on a
// property. Patterns, lengths and bounds are not in it; CDK's validator has them. What neither knows: whether the values fit
// together, and what an account allows. And a release replaces nothing that holds state or is named outside
// (test/infra/kept.ts): every installation that was deployed from the list gets from these templates what it has.

import { readFileSync } from 'node:fs';
import { type App, CfnResource, Stack } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { compareKept, type KeptList, listKept } from './kept.ts';
import { checkTemplates } from './spec-check.ts';
import { buildApp } from './synth.ts';
import type { Template, TemplateResource, Templates } from './template.ts';
import { synthesizeApp, synthesizeVariant, type VariantName, variantNames } from './variants.ts';

describe.each(variantNames)('%s', (name) => {
  test('fits the record of resource types', () => {
    const { templates } = synthesizeVariant(name);
    expect(templates.size).toBeGreaterThanOrEqual(3);
    expect(checkTemplates(templates)).toEqual([]);
  });

  test("passes CDK's validator, with no warning", () => {
    expect(synthesizeVariant(name).findings).toEqual([]);
  });
});

describe("what CDK's validator finds, fails", () => {
  const appWith = (...resources: readonly (readonly [type: string, properties: Record<string, unknown>])[]): App => {
    const app = buildApp();
    const stack = new Stack(app, 'Planted');
    for (const [index, [type, properties]] of resources.entries())
      new CfnResource(stack, `One${index}`, { type, properties });
    return app;
  };

  test('a pattern, a length and a bound', () => {
    const app = appWith(
      ['AWS::IoT::DomainConfiguration', { DomainConfigurationName: 'a name' }],
      ['AWS::IoT::DomainConfiguration', { DomainName: 'x'.repeat(254) }],
      ['AWS::SQS::Queue', { VisibilityTimeout: 43_201 }],
    );
    const synthesize = () => synthesizeApp(app);
    expect(synthesize).toThrow("DomainConfigurationName: 'a name' does not match pattern");
    expect(synthesize).toThrow('DomainName: length 254 exceeds maximum 253');
    expect(synthesize).toThrow('VisibilityTimeout: 43201 is greater than the maximum of 43200');
  });

  test('a value that only warrants a warning', () => {
    const { findings } = synthesizeApp(appWith(['AWS::IoT::DomainConfiguration', { ServiceType: 'DATUM' }]));
    expect(findings).toEqual([expect.stringContaining("'DATUM' is not one of")]);
  });
});

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
