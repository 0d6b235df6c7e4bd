// Items as DynamoDB's JSON writes them, and back. The results are those of the SDK's own converters with
// `removeUndefinedValues`, which test/unit/attribute-values.test.ts holds, for the types that this product stores.

import type { Fields } from './item-places.ts';

export type AttributeValue = Readonly<Record<string, unknown>>;

/** Leaves out what is undefined. Throws at a value that DynamoDB has no type for, and at an empty set. */
export function toItem(item: Fields): Fields {
  const made: Fields = {};
  for (const name of Object.keys(item)) {
    const value = item[name];
    if (isThere(value)) put(made, name, toValue(value));
  }
  return made;
}

/** A name from outside must not become the prototype of what it is put in. */
function put(made: Fields, name: string, value: unknown): void {
  if (name !== '__proto__') made[name] = value;
  else Object.defineProperty(made, name, { value, configurable: true, enumerable: true, writable: true });
}

const isThere = (value: unknown): boolean => value !== undefined && typeof value !== 'function';

function toValue(value: unknown): AttributeValue {
  switch (typeof value) {
    case 'string':
      return { S: value };
    case 'number':
      return { N: numberText(value) };
    case 'boolean':
      return { BOOL: value };
    case 'bigint':
      return { N: String(value) };
    case 'object':
      return toStructure(value);
    default:
      throw unfit(`a ${typeof value}`);
  }
}

function toStructure(value: object | null): AttributeValue {
  if (value === null) return { NULL: true };
  if (Array.isArray(value)) return { L: value.filter(isThere).map(toValue) };
  if (value instanceof Uint8Array) return { B: toBase64(value) };
  if (value instanceof Set) return toSet([...value].filter((member) => member !== undefined));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return { M: toItem(value as Fields) };
  throw unfit(`a ${value.constructor.name}`);
}

/** Of the type of its first member, as the SDK has it. */
function toSet(members: readonly unknown[]): AttributeValue {
  const [first] = members;
  if (typeof first === 'string') return { SS: members.map(String) };
  if (typeof first === 'number') return { NS: members.map((member) => numberText(Number(member))) };
  if (typeof first === 'bigint') return { NS: members.map(String) };
  if (first instanceof Uint8Array) return { BS: members.map((member) => toBase64(member as Uint8Array)) };
  throw unfit(members.length === 0 ? 'an empty set' : 'a set of neither text, numbers nor bytes');
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) throw unfit('a number that is not finite');
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) throw unfit('a number beyond the safe integers');
  return String(value);
}

const toBase64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

/** Names no value: an item may hold what nobody should read in a log. */
function unfit(what: string): Error {
  return Object.assign(new Error(`DynamoDB has no attribute value for ${what}`), { name: 'SerializationException' });
}

/** Takes bytes in base64, as DynamoDB sends them, and as bytes, as the SDK gives them in an error. */
export function fromItem(item: Fields): Fields {
  const made: Fields = {};
  for (const name of Object.keys(item)) put(made, name, fromValue(item[name] as AttributeValue));
  return made;
}

function fromValue(given: AttributeValue): unknown {
  for (const type of Object.keys(given)) {
    const value = given[type];
    if (value === undefined) continue;
    switch (type) {
      case 'S':
      case 'BOOL':
        return value;
      case 'N':
        return fromNumber(String(value));
      case 'NULL':
        return null;
      case 'B':
        return fromBytes(value);
      case 'M':
        return fromItem(value as Fields);
      case 'L':
        return (value as AttributeValue[]).map(fromValue);
      case 'SS':
        return new Set(value as string[]);
      case 'NS':
        return new Set((value as string[]).map(fromNumber));
      case 'BS':
        return new Set((value as unknown[]).map(fromBytes));
    }
  }
  throw new Error('an attribute value of no known type');
}

function fromNumber(text: string): number | bigint {
  const value = Number(text);
  return Math.abs(value) > Number.MAX_SAFE_INTEGER && Number.isFinite(value) ? BigInt(text) : value;
}

const fromBytes = (value: unknown): Uint8Array =>
  typeof value === 'string' ? new Uint8Array(Buffer.from(value, 'base64')) : (value as Uint8Array);
