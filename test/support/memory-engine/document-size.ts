// How large DynamoDB says an item is, read from the item as the code holds it.
// [AWS: CapacityUnitCalculations, "item sizes and formats"]

import { isMap } from './operands.ts';

const containerBytes = 3;
const elementBytes = 1;
const sizes = new WeakMap<object, number>();

/** An item never changes once it is stored, so it is measured once. */
export function documentBytes(item: Readonly<Record<string, unknown>>): number {
  const known = sizes.get(item);
  if (known !== undefined) return known;
  let bytes = 0;
  for (const [name, value] of Object.entries(item)) bytes += attributeBytes(name, value);
  sizes.set(item, bytes);
  return bytes;
}

function valueBytes(value: unknown): number {
  if (typeof value === 'string') return text(value);
  if (typeof value === 'number' || typeof value === 'bigint') return numberBytes(value);
  if (typeof value === 'boolean' || value === null) return 1;
  if (value instanceof Uint8Array) return value.byteLength;
  if (value instanceof Set || Array.isArray(value)) return containerOf(value);
  if (!isMap(value)) throw new Error('an attribute value of no known type');
  let bytes = containerBytes;
  for (const [name, each] of Object.entries(value))
    if (each !== undefined) bytes += attributeBytes(name, each) + elementBytes;
  return bytes;
}

/** The client leaves out what has no value. */
function attributeBytes(name: string, value: unknown): number {
  return value === undefined ? 0 : text(name) + valueBytes(value);
}

function containerOf(values: Iterable<unknown>): number {
  let bytes = containerBytes;
  for (const each of values) bytes += valueBytes(each) + elementBytes;
  return bytes;
}

function numberBytes(value: number | bigint): number {
  const [mantissa = ''] = String(value).split('e');
  const digits = mantissa.replace(/[-+.]/g, '').replace(/^0+|0+$/g, '');
  return Math.ceil(digits.length / 2) + 1;
}

function text(value: string): number {
  return Buffer.byteLength(value, 'utf8');
}
