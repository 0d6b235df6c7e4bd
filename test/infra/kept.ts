// What must not be made anew by a release: it holds state, or is named outside (devices, DNS records, subscriptions, tokens).
// CloudFormation replaces a resource where its logical id, its type or a create-only property changes, and deletes the old
// one as its policy says. test/infra/kept.json is the list of them, with those values, as they are deployed.
//
// To change the list is a decision about every installation there is:
//
//   npm run kept
//
// says what would change and what that does to an operator, and writes nothing until each change is named in its arguments.

import { createOnlyProperties, holdsState } from './spec-database.ts';
import type { TemplateResource, Templates } from './template.ts';

export interface Kept {
  readonly type: string;
  readonly deletionPolicy: string;
  readonly updateReplacePolicy: string;
  /** Values of the properties that AWS cannot change, as they stand in the template. */
  readonly createOnly: Readonly<Record<string, unknown>>;
}

/** By `<stack>/<logical id>`, and below it by the variants in which it looks so: `always`, or their names. */
export type KeptList = Readonly<Record<string, Readonly<Record<string, Kept>>>>;

/** Named outside, or empty but for what an operator put into it; and what a new one would do to them. */
const lossByType: Readonly<Record<string, string>> = {
  'AWS::DynamoDB::Table': 'a new, empty table: deployments, limits and sessions are gone from the product',
  'AWS::Cognito::UserPool': 'a new user pool: every person is gone and every token is refused',
  'AWS::Cognito::UserPoolDomain': 'another address of sign-in and token endpoint, or a clash with the old one',
  'AWS::Cognito::UserPoolResourceServer':
    'scopes are deleted and made: clients lose them, and tokens with them are refused',
  'AWS::Cognito::UserPoolClient': 'a new client id and secret: people and machines that have the old one are refused',
  'AWS::SecretsManager::Secret': 'a new secret: no stored password can be checked, or every ticket is refused',
  'AWS::IoT::DomainConfiguration': 'devices find another endpoint name, or none',
  'AWS::SQS::Queue': 'messages that wait in it are lost',
  'AWS::S3::Bucket': 'a new bucket; the files of the old one are not served',
  'AWS::SNS::Topic': 'a new topic: nobody is subscribed to alarms',
  'AWS::ApiGatewayV2::Api': 'another address of the API for every machine that uses it',
  'AWS::CloudFront::Distribution': 'another address of the console, and a DNS record that leads nowhere',
  'AWS::ElasticLoadBalancingV2::LoadBalancer': 'devices find another address, and every connection ends',
  'AWS::SSM::Parameter': 'a parameter of the same name is there: the deployment fails',
};

/** A function writes to the group of a release; the lines of an older one stay readable where they are. */
const letGo = ['AWS::Logs::LogGroup'];

/**
 * Create-only in effect, though AWS's record does not say so. Cognito refuses a change of these
 * [AWS: UpdateUserPool, InvalidParameterException]; Secrets Manager answers a change with a new value.
 */
const alsoCreateOnly: Readonly<Record<string, readonly string[]>> = {
  'AWS::Cognito::UserPool': ['AliasAttributes', 'Schema', 'UsernameAttributes', 'UsernameConfiguration'],
  'AWS::SecretsManager::Secret': ['GenerateSecretString'],
};

const lossOf = (type: string): string => lossByType[type] ?? 'what it holds is gone';

const isKept = (type: string): boolean => type in lossByType || (holdsState(type) && !letGo.includes(type));

function keptOf({ Type: type, Properties = {}, DeletionPolicy, UpdateReplacePolicy }: TemplateResource): Kept {
  const names = [...createOnlyProperties(type), ...(alsoCreateOnly[type] ?? [])].sort();
  return {
    type,
    deletionPolicy: DeletionPolicy ?? 'Delete',
    updateReplacePolicy: UpdateReplacePolicy ?? 'Delete',
    createOnly: Object.fromEntries(names.flatMap((name) => (name in Properties ? [[name, Properties[name]]] : []))),
  };
}

export function listKept(variants: ReadonlyMap<string, Templates>): KeptList {
  const found = new Map<string, Map<string, { readonly kept: Kept; readonly variants: string[] }>>();
  for (const [variant, templates] of variants)
    for (const [stack, { Resources }] of templates)
      for (const [logicalId, resource] of Object.entries(Resources)) {
        if (!isKept(resource.Type)) continue;
        const forms = found.get(`${stack}/${logicalId}`) ?? new Map();
        found.set(`${stack}/${logicalId}`, forms);
        const kept = keptOf(resource);
        const form = forms.get(JSON.stringify(kept)) ?? { kept, variants: [] };
        forms.set(JSON.stringify(kept), form);
        form.variants.push(variant);
      }
  const sorted = [...found].sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(
    sorted.map(([name, forms]) => [
      name,
      Object.fromEntries(
        [...forms.values()].map(({ kept, variants: names }) => [
          names.length === variants.size ? 'always' : names.join(' | '),
          kept,
        ]),
      ),
    ]),
  );
}

export interface Change {
  /** `<stack>/<logical id>` */
  readonly name: string;
  readonly what: string;
}

export function compareKept(before: KeptList, after: KeptList): readonly Change[] {
  const gone = Object.keys(before).filter((name) => !(name in after));
  const come = Object.keys(after).filter((name) => !(name in before));
  const both = Object.keys(before).filter((name) => name in after);
  const typeOf = (list: KeptList, name: string): string => Object.values(list[name] ?? {})[0]?.type ?? '';
  return [
    ...gone.map((name) => {
      const type = typeOf(before, name);
      return { name, what: `${type} is gone or has another id: ${lossOf(type)}` };
    }),
    ...come.map((name) => ({ name, what: `${typeOf(after, name)} is new and not on the list: must it be kept?` })),
    ...both.flatMap((name) => compareForms(name, before[name] ?? {}, after[name] ?? {})),
  ];
}

type Forms = Readonly<Record<string, Kept>>;

function compareForms(name: string, before: Forms, after: Forms): readonly Change[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const variants = Object.keys({ ...before, ...after }).filter(
    (variant) => JSON.stringify(before[variant]) !== JSON.stringify(after[variant]),
  );
  return variants.map((variant) => ({ name, what: `(${variant}) ${differenceOf(before[variant], after[variant])}` }));
}

function differenceOf(before: Kept | undefined, after: Kept | undefined): string {
  if (before === undefined || after === undefined) return 'is there in other variants than before, or looks otherwise';
  if (before.type !== after.type) return `is ${after.type} instead of ${before.type}: ${lossOf(before.type)}`;
  const policies = (['deletionPolicy', 'updateReplacePolicy'] as const)
    .filter((policy) => before[policy] !== after[policy])
    .map((policy) => `${policy} is ${after[policy]} instead of ${before[policy]}`);
  const properties = Object.keys({ ...before.createOnly, ...after.createOnly })
    .filter((property) => JSON.stringify(before.createOnly[property]) !== JSON.stringify(after.createOnly[property]))
    .map((property) => `${property} changes, which AWS does by replacing it: ${lossOf(before.type)}`);
  return [...policies, ...properties].join('; ');
}
