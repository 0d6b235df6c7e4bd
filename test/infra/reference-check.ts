// All that a template refers to is there: resources, parameters, attributes, conditions, and outputs of other stacks.

import { findResourceType } from './spec-database.ts';
import { attributeOf, intrinsicOf, isCustom, isObject, type Template, type Templates } from './template.ts';

const pseudoParameters = [
  'AWS::AccountId',
  'AWS::NoValue',
  'AWS::NotificationARNs',
  'AWS::Partition',
  'AWS::Region',
  'AWS::StackId',
  'AWS::StackName',
  'AWS::URLSuffix',
];

interface Place {
  readonly template: Template;
  readonly templates: Templates;
  readonly at: string;
}

export function checkReferences(template: Template, templates: Templates): readonly string[] {
  const resources = Object.entries(template.Resources).flatMap(([id, resource]) => [
    ...[resource.DependsOn ?? []].flat().flatMap((other) => checkTarget(other, { template, templates, at: id })),
    ...(resource.Condition === undefined ? [] : checkCondition(resource.Condition, { template, templates, at: id })),
    ...checkValue(resource.Properties, { template, templates, at: id }),
  ]);
  return [...resources, ...checkValue(template.Outputs, { template, templates, at: 'Outputs' })];
}

function checkValue(value: unknown, place: Place): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  const [name, argument] = intrinsicOf(value) ?? [];
  const own = name === undefined ? [] : checkIntrinsic(name, argument, place);
  const inner = Object.entries(value).flatMap(([key, one]) => checkValue(one, { ...place, at: `${place.at}.${key}` }));
  return [...own, ...inner];
}

function checkIntrinsic(name: string, argument: unknown, place: Place): readonly string[] {
  switch (name) {
    case 'Ref':
      return checkTarget(String(argument), place);
    case 'Fn::GetAtt':
      return checkAttribute(...attributeOf(argument), place);
    case 'Fn::Sub':
      return checkSubstitution(argument, place);
    case 'Fn::If':
      return checkCondition(String(Array.isArray(argument) ? argument[0] : argument), place);
    case 'Fn::ImportValue':
      return checkImport(argument, place);
    case 'Fn::GetStackOutput':
      return checkStackOutput(argument, place);
    default:
      return [];
  }
}

function checkTarget(id: string, { template, at }: Place): readonly string[] {
  const known = pseudoParameters.includes(id) || id in template.Resources || id in (template.Parameters ?? {});
  return known ? [] : [`${at} refers to ${id}, which is not there`];
}

function checkAttribute(id: string, attribute: string, place: Place): readonly string[] {
  const resource = place.template.Resources[id];
  if (resource === undefined) return checkTarget(id, place);
  const known = isCustom(resource) || attribute in (findResourceType(resource.Type)?.attributes ?? {});
  return known ? [] : [`${place.at} asks for ${attribute} of ${id}, which ${resource.Type} does not have`];
}

/** `${Table}`, `${Table.Arn}`, or a name that it brings along; `${!Literal}` is text. */
function checkSubstitution(argument: unknown, place: Place): readonly string[] {
  const [pattern, own] = Array.isArray(argument) ? argument : [argument, {}];
  return [...String(pattern).matchAll(/\$\{([^!}][^}]*)\}/g)].flatMap(([, name = '']) => {
    if (name in own) return [];
    return name.includes('.') ? checkAttribute(...attributeOf(name), place) : checkTarget(name, place);
  });
}

function checkCondition(name: string, { template, at }: Place): readonly string[] {
  return name in (template.Conditions ?? {}) ? [] : [`${at} asks for the condition ${name}, which is not there`];
}

function checkImport(name: unknown, { templates, at }: Place): readonly string[] {
  const wanted = JSON.stringify(name);
  const outputs = [...templates.values()].flatMap(({ Outputs = {} }) => Object.values(Outputs));
  const known = outputs.some((output) => JSON.stringify(output.Export?.Name) === wanted);
  return known ? [] : [`${at} imports ${wanted}, which no stack exports`];
}

function checkStackOutput(argument: unknown, { templates, at }: Place): readonly string[] {
  const { StackName: stack, OutputName: output } = isObject(argument) ? argument : {};
  const known = templates.get(String(stack))?.Outputs?.[String(output)] !== undefined;
  return known ? [] : [`${at} reads the output ${String(output)} of ${String(stack)}, which is not there`];
}
