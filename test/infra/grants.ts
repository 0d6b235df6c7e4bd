// Reads out of a template what a function may do, as lines of `action resource`.

import { isDeepStrictEqual } from 'node:util';
import type { Template } from 'aws-cdk-lib/assertions';

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

type Properties = Readonly<Record<string, unknown>>;

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** Logical ids end in 8 hexadecimal digits that say nothing. */
const plainId = (id: string): string => id.replace(/[0-9A-F]{8}$/, '');

/** A CloudFormation value in short: `Table.Arn`, `Table.Arn/index/due`, `AWS::Region`. */
export function render(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return String(value);
  if ('Ref' in value && typeof value.Ref === 'string') return plainId(value.Ref);
  if ('Fn::GetAtt' in value) {
    const [id, attribute] = asList(value['Fn::GetAtt']);
    return `${plainId(String(id))}.${String(attribute)}`;
  }
  if ('Fn::GetStackOutput' in value) {
    const { OutputName } = value['Fn::GetStackOutput'] as { readonly OutputName: string };
    const parts = /^PublishOutput(?:FnGetAtt|Ref)(.+?)[0-9A-F]{8}(\w*)[0-9A-F]{8}$/.exec(OutputName);
    return [parts?.[1], parts?.[2]].filter((part) => part !== '').join('.');
  }
  if ('Fn::Join' in value) {
    const [separator, parts] = asList(value['Fn::Join']);
    return asList(parts).map(render).join(String(separator));
  }
  return JSON.stringify(value);
}

/** The only resource of its type whose logical id, less its hash, is `id`. */
export function propertiesOf(template: Template, type: string, id: string): Properties {
  const found = Object.entries(template.findResources(type)).filter(([logicalId]) => plainId(logicalId) === id);
  const [first] = found;
  if (first === undefined || found.length > 1) throw new Error(`${found.length} resources ${type} named ${id}`);
  return first[1].Properties;
}

/** All that the policies of a role allow, sorted. */
export function grantsOfRole(template: Template, role: string): readonly string[] {
  const policies = Object.values(template.findResources('AWS::IAM::Policy'));
  const statements: readonly Statement[] = policies
    .filter((policy) => asList(policy.Properties.Roles).some((attached) => render(attached) === role))
    .flatMap((policy) => policy.Properties.PolicyDocument.Statement);
  return statements
    .flatMap((statement) => {
      const transaction = transactionOf(statement);
      if (transaction !== undefined) return [transaction];
      return asList(statement.Action).flatMap((action) =>
        asList(statement.Resource).flatMap((resource) => {
          const line = `${String(action)} ${render(resource)}`;
          const allowed = statement.Effect === 'Allow' ? line : `${statement.Effect} ${line}`;
          return conditionsOf(statement).map((condition) => `${allowed}${condition}`);
        }),
      );
    })
    .sort();
}

/** In one line, because its items may be written together only. */
export function transactionLine(parts: readonly string[], kinds: readonly string[]): string {
  const joined = (words: readonly string[]): string => [...new Set(words)].sort().join('+');
  return `transaction ${joined(parts)} ${joined(kinds)}`;
}

const inTransaction = { 'dynamodb:EnclosingOperation': 'TransactWriteItems' };

/** Undefined for what is not allowed in a transaction only; a condition that is not understood stays in sight. */
function transactionOf(statement: Statement): string | undefined {
  const { 'ForAnyValue:StringEquals': enclosing, ...Condition } = statement.Condition ?? {};
  if (!isDeepStrictEqual(enclosing, inTransaction) || statement.Effect !== 'Allow') return undefined;
  const parts = asList(statement.Action).map((action) => String(action).replace(/^dynamodb:/, ''));
  const kinds = conditionsOf({ ...statement, Condition }).map((kind) => kind.trim());
  const line = transactionLine(parts, kinds);
  return asList(statement.Resource).map(render).join() === 'Table.Arn' ? `dynamodb:${line}` : JSON.stringify(statement);
}

/** A read of some attributes; what it must name besides keeps it from reading all of them. */
export function partLine(attributes: readonly string[]): string {
  return `only ${[...new Set(attributes)].sort().join('+')}`;
}

const specific = { 'dynamodb:Select': 'SPECIFIC_ATTRIBUTES' };
const nothingBack = { 'dynamodb:ReturnValues': 'NONE' };

/** ` only a+b` or ` returning NONE`, and the other conditions; one that is not understood stays among those. */
function narrowed(Condition: NonNullable<Statement['Condition']>): [string, NonNullable<Statement['Condition']>] {
  const { StringEquals, 'ForAllValues:StringEquals': named, StringEqualsIfExists, ...others } = Condition;
  const attributes = named?.['dynamodb:Attributes'];
  if (isDeepStrictEqual(StringEquals, specific) && attributes !== undefined && StringEqualsIfExists === undefined)
    return [` ${partLine(asList(attributes).map(String))}`, others];
  if (isDeepStrictEqual(StringEqualsIfExists, nothingBack) && (StringEquals ?? named) === undefined)
    return [' returning NONE', others];
  return ['', Condition];
}

/** ` S` for items whose key begins with `S|`; any other condition as it stands; one empty text where there is none. */
function conditionsOf({ Condition: all = {} }: Statement): readonly string[] {
  const [narrow, Condition] = narrowed(all);
  if (Object.keys(Condition).length === 0) return [narrow];
  const keys = Condition['ForAllValues:StringLike']?.['dynamodb:LeadingKeys'];
  if (keys === undefined) return [` if ${JSON.stringify(all)}`];
  const kinds = asList(keys).map((key) => {
    const [, letter, whole] = /^(?:([A-Z])\|\*|([a-z-]+))$/.exec(String(key)) ?? [];
    return letter ?? (whole === undefined ? undefined : `=${whole}`);
  });
  if (Object.keys(Condition).length > 1 || kinds.includes(undefined)) return [` if ${JSON.stringify(all)}`];
  return kinds.map((kind) => ` ${kind}${narrow}`);
}

/** What a role may do, in the words of who records what is done: `dynamodb:GetItem S`, `dynamodb:Query index due`. */
export function usesOfRole(template: Template, role: string): readonly string[] {
  const lines = grantsOfRole(template, role).map((line) => {
    if (line.startsWith('dynamodb:transaction ')) return line.replace('dynamodb:', '');
    const [action = '', resource = '', ...condition] = line.split(' ');
    if (!action.startsWith('dynamodb:')) return action;
    const index = /\/index\/(.+)$/.exec(resource)?.[1];
    if (index !== undefined) return `${action} index ${index}`;
    const ofAll = condition.length === 0 || condition[0] === 'only';
    return [action, ...(ofAll ? ['*'] : []), ...condition].join(' ');
  });
  return [...new Set(lines)].sort();
}
