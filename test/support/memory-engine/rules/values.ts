// What DynamoDB takes as a value, a key and an item. [AWS: Service, account, and table quotas in Amazon DynamoDB;
// DynamoDB low-level API, "Data type descriptors"]

import { tableDefinition } from '../../../../shared/config/table.ts';
import { memberKey } from '../compare.ts';
import { documentBytes } from '../document-size.ts';
import { invalid, require } from './invalid.ts';

type Fields = Readonly<Record<string, unknown>>;

const partitionKeyBytesMax = 2_048;
const sortKeyBytesMax = 1_024;
const itemBytesMax = 400 * 1_024;
/** Levels, the value inside them among them. */
const depthMax = 32;
const digitsMax = 38;
const magnitudes = { min: 1e-130, below: 1e126 };

export function isFields(value: unknown): value is Fields {
  return (
    typeof value === 'object' &&
    value !== null &&
    (Object.getPrototypeOf(value) ?? Object.prototype) === Object.prototype
  );
}

/** `undefined` is left out by the client, here as in the product. */
export function definedEntries(fields: Fields): readonly (readonly [string, unknown])[] {
  return Object.entries(fields).filter(([, value]) => value !== undefined);
}

export function checkValue(value: unknown, depth = 0): void {
  require(depth < depthMax, `Nesting Levels have exceeded supported limits: ${depthMax}`);
  if (value === null || typeof value === 'boolean' || typeof value === 'string' || value instanceof Uint8Array) return;
  if (typeof value === 'number' || typeof value === 'bigint') checkNumber(value);
  else if (value instanceof Set) checkSet(value);
  else if (Array.isArray(value)) for (const each of value) checkValue(each, depth + 1);
  else {
    require(isFields(value), 'Supplied AttributeValue is empty, must contain exactly one of the supported datatypes');
    for (const [, each] of definedEntries(value)) checkValue(each, depth + 1);
  }
}

function checkNumber(value: number | bigint): void {
  const digits = String(value)
    .replace(/^-|e.*$/g, '')
    .replace('.', '')
    .replace(/^0+|0+$/g, '');
  require(digits.length <= digitsMax, `Attempting to store more than ${digitsMax} significant digits in a Number`);
  const size = Math.abs(Number(value));
  require(!Number.isNaN(size) && size < magnitudes.below, 'Number overflow');
  require(size === 0 || size >= magnitudes.min, 'Number underflow');
}

function checkSet(set: ReadonlySet<unknown>): void {
  require(set.size > 0, 'One or more parameter values were invalid: A set may not be empty');
  const types = new Set([...set].map(typeOfMember));
  require(types.size === 1, 'a set holds members of one type');
  for (const member of set) checkValue(member);
  // A JavaScript set takes equal bytes for two members.
  const distinct = new Set([...set].map(memberKey));
  require(distinct.size ===
    set.size, 'One or more parameter values were invalid: Input collection contains duplicates');
}

function typeOfMember(member: unknown): 'S' | 'N' | 'B' {
  if (typeof member === 'string') return 'S';
  if (typeof member === 'number' || typeof member === 'bigint') return 'N';
  return member instanceof Uint8Array ? 'B' : invalid('a set holds strings, numbers or bytes');
}

/** Nothing but the key's attributes, in the table's own types. */
export function checkKey(key: unknown): asserts key is Fields {
  require(isFields(key), 'The provided key element does not match the schema');
  const names = definedEntries(key).map(([name]) => name);
  const isWhole = names.length === 2 && names.includes('pk') && names.includes('sk');
  require(isWhole, 'The provided key element does not match the schema');
  checkKeyValue('pk', key.pk, partitionKeyBytesMax);
  checkKeyValue('sk', key.sk, sortKeyBytesMax);
}

function checkKeyValue(name: string, value: unknown, bytesMax: number): void {
  require(typeof value === 'string', `One or more parameter values were invalid: Type mismatch for key ${name}`);
  require(value !== '', `One or more parameter values are not valid: an empty string value for key ${name}`);
  require(Buffer.byteLength(value) <=
    bytesMax, `One or more parameter values were invalid: Size of key ${name} exceeded the maximum of ${bytesMax} bytes`);
}

/** An item as it is to stand in the table. */
export function checkItem(item: unknown): asserts item is Fields {
  require(isFields(item), 'an item is a map of attributes');
  const { pk, sk } = item;
  require(pk !== undefined &&
    sk !== undefined, 'One or more parameter values were invalid: Missing the key in the item');
  checkKey({ pk, sk });
  for (const [, value] of definedEntries(item)) checkValue(value);
  checkStored(item);
}

/** What only the outcome of an update tells: its size, and the types of what indexes are sorted by. */
export function checkStored(item: Fields): void {
  for (const index of tableDefinition.indexes) {
    checkIndexKey(index.name, index.partitionKey, item, 'string', partitionKeyBytesMax);
    checkIndexKey(index.name, index.sortKey, item, index.sortKeyType, sortKeyBytesMax);
  }
  require(documentBytes(item) <= itemBytesMax, 'Item size has exceeded the maximum allowed size');
}

function checkIndexKey(index: string, name: string, item: Fields, type: 'string' | 'number', bytesMax: number): void {
  const value = item[name];
  if (value === undefined) return;
  require(typeof value ===
    type, `One or more parameter values were invalid: Type mismatch for Index Key ${name} of ${index}`);
  if (typeof value === 'string') checkKeyValue(name, value, bytesMax);
}
