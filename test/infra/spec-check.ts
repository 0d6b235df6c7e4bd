// Holds templates against AWS's record of resource types: names, types, required properties, and enumerated values. What it
// returns is a list of problems, each with its place.
//
// An intrinsic function is held to what it gives: text, a list, or an attribute's type. What cannot be known passes.

import type { PropertyType, ResourceProperties } from '@aws-cdk/service-spec-types';
import { checkReferences } from './reference-check.ts';
import { findResourceType, propertiesOfDefinition } from './spec-database.ts';
import {
  attributeOf,
  intrinsicOf,
  isCustom,
  isObject,
  type Template,
  type TemplateResource,
  type Templates,
} from './template.ts';

export function checkTemplates(templates: Templates): readonly string[] {
  return [...templates].flatMap(([stack, template]) => {
    const resources = Object.entries(template.Resources).flatMap(([id, one]) => checkResource(id, one, template));
    return [...resources, ...checkReferences(template, templates)].map((problem) => `${stack}: ${problem}`);
  });
}

const resourceKeys = [
  'Type',
  'Properties',
  'DependsOn',
  'Condition',
  'Metadata',
  'DeletionPolicy',
  'UpdateReplacePolicy',
  'CreationPolicy',
  'UpdatePolicy',
];

function checkResource(id: string, resource: TemplateResource, template: Template): readonly string[] {
  const keys = Object.keys(resource)
    .filter((key) => !resourceKeys.includes(key))
    .map((key) => `${id} has ${key}, which no resource has`);
  const properties = resource.Properties ?? {};
  if (isCustom(resource)) return 'ServiceToken' in properties ? keys : [...keys, `${id} lacks ServiceToken`];
  const type = findResourceType(resource.Type);
  if (type === undefined) return [...keys, `${id} is of type ${resource.Type}, which does not exist`];
  return [...keys, ...checkObject(properties, type.properties, { at: id, template })];
}

interface Place {
  readonly at: string;
  readonly template: Template;
}

const below = (place: Place, name: string | number): Place => ({ ...place, at: `${place.at}.${name}` });

const isAbsent = (value: unknown): boolean => isObject(value) && value.Ref === 'AWS::NoValue';

function checkObject(
  value: Readonly<Record<string, unknown>>,
  properties: ResourceProperties,
  place: Place,
): readonly string[] {
  const given = Object.entries(value).filter(([, one]) => !isAbsent(one));
  const missing = Object.entries(properties)
    .filter(([name, { required }]) => required === true && !given.some(([own]) => own === name))
    .map(([name]) => `${place.at} lacks ${name}`);
  const wrong = given.flatMap(([name, one]) => {
    const property = properties[name];
    return property === undefined
      ? [`${place.at} has ${name}, which does not exist there`]
      : checkValue(one, property.type, below(place, name));
  });
  return [...missing, ...wrong];
}

function checkValue(value: unknown, type: PropertyType, place: Place): readonly string[] {
  const [name, argument] = intrinsicOf(value) ?? [];
  if (name !== undefined) return checkIntrinsic(name, argument, type, place);
  if (type.type === 'union') {
    const each = alternativesOf(type).map((one) => checkValue(value, one, place));
    return each.some((problems) => problems.length === 0) ? [] : each.flat();
  }
  if (type.type === 'array' && Array.isArray(value))
    return value.flatMap((one, index) => checkValue(one, type.element, below(place, index)));
  if (type.type === 'map' && isObject(value))
    return Object.entries(value).flatMap(([key, one]) => checkValue(one, type.element, below(place, key)));
  if (type.type === 'ref' && isObject(value)) return checkObject(value, propertiesOfDefinition(type), place);
  if (type.type === 'tag' && isObject(value)) return checkObject(value, tagProperties, place);
  return isOf(type, value) ? [] : [`${place.at} must be ${describe(type)}, and is ${JSON.stringify(value)}`];
}

type Union = Extract<PropertyType, { readonly type: 'union' }>;

/** JSON beside an exact shape is how a schema says that an older form passes too; nothing here uses one. */
function alternativesOf({ types }: Union): readonly PropertyType[] {
  const exact = types.filter(({ type }) => type === 'array' || type === 'ref');
  return exact.length > 0 ? exact : types;
}

function isOf(type: PropertyType, value: unknown): boolean {
  switch (type.type) {
    case 'string':
      return typeof value === 'string' && (type.allowedValues?.includes(value) ?? true);
    case 'date-time':
      return typeof value === 'string' && !Number.isNaN(Date.parse(value));
    case 'number':
      return typeof value === 'number';
    case 'integer':
      return Number.isInteger(value) && (type.allowedValues?.includes(Number(value)) ?? true);
    case 'boolean':
      return typeof value === 'boolean';
    case 'json':
      return typeof value === 'object' || typeof value === 'string';
    case 'null':
      return value === null;
    default:
      return false;
  }
}

function checkIntrinsic(name: string, argument: unknown, type: PropertyType, place: Place): readonly string[] {
  if (name === 'Fn::If' && Array.isArray(argument)) {
    const branches = argument.slice(1).filter((branch) => !isAbsent(branch));
    return branches.flatMap((branch) => checkValue(branch, type, place));
  }
  const given = givenBy(name, argument, place.template);
  if (given === undefined || accepts(type, given)) return [];
  const what = `${name} ${JSON.stringify(argument)} gives ${describe(given)}`;
  return [`${place.at} must be ${describe(type)}, and ${what}`];
}

const text: PropertyType = { type: 'string' };
const list: PropertyType = { type: 'array', element: { type: 'json' } };
const tagProperties: ResourceProperties = {
  Key: { type: text, required: true },
  Value: { type: text, required: true },
};

/** What an intrinsic function gives; undefined where nobody can say. */
function givenBy(name: string, argument: unknown, template: Template): PropertyType | undefined {
  switch (name) {
    case 'Fn::Join':
    case 'Fn::Sub':
    case 'Fn::Base64':
      return text;
    case 'Fn::Split':
    case 'Fn::GetAZs':
    case 'Fn::Cidr':
      return list;
    case 'Ref': {
      const parameter = template.Parameters?.[String(argument)];
      return argument === 'AWS::NotificationARNs' || parameter?.Type.includes('List') ? list : text;
    }
    case 'Fn::GetAtt': {
      const [id, attribute] = attributeOf(argument);
      return findResourceType(template.Resources[id]?.Type ?? '')?.attributes[attribute]?.type;
    }
    default:
      return undefined;
  }
}

/** Of text CloudFormation makes a number or a truth by itself. */
const scalars = ['string', 'date-time', 'number', 'integer', 'boolean'];

function accepts(type: PropertyType, given: PropertyType): boolean {
  if (type.type === 'union') return alternativesOf(type).some((one) => accepts(one, given));
  if (given.type === 'union') return given.types.some((one) => accepts(type, one));
  if (type.type === 'json' || given.type === 'json') return true;
  return scalars.includes(type.type) ? scalars.includes(given.type) : type.type === given.type;
}

function describe(type: PropertyType): string {
  if (type.type === 'union') return alternativesOf(type).map(describe).join(' or ');
  if (type.type === 'array') return 'a list';
  if (type.type === 'map' || type.type === 'ref' || type.type === 'tag') return 'an object';
  const allowed = 'allowedValues' in type ? type.allowedValues : undefined;
  return allowed === undefined ? type.type : `one of ${allowed.join(', ')}`;
}
