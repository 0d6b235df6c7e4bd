// How large DynamoDB says an item is. [AWS: CapacityUnitCalculations, "item sizes and formats"]

import type { AttributeValue } from '@aws-sdk/client-dynamodb';

export type StoredItem = Readonly<Record<string, AttributeValue>>;

/** Lists, maps and each of their elements carry these on top of their content. */
const containerBytes = 3;
const elementBytes = 1;

/** Bytes of an item: names and values, names as UTF-8. */
export function itemBytes(item: StoredItem): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + text(name) + valueBytes(value), 0);
}

function valueBytes(value: AttributeValue): number {
  if (value.S !== undefined) return text(value.S);
  if (value.N !== undefined) return numberBytes(value.N);
  if (value.B !== undefined) return value.B.byteLength;
  if (value.BOOL !== undefined || value.NULL !== undefined) return 1;
  if (value.SS !== undefined) return elements(value.SS.map(text));
  if (value.NS !== undefined) return elements(value.NS.map(numberBytes));
  if (value.BS !== undefined) return elements(value.BS.map((each) => each.byteLength));
  if (value.L !== undefined) return elements(value.L.map(valueBytes));
  if (value.M !== undefined)
    return elements(Object.entries(value.M).map(([name, each]) => text(name) + valueBytes(each)));
  throw new Error('an attribute value of no known type');
}

/** AWS gives the overhead for lists and maps and says nothing of sets; sets are charged like them: the safe side. */
function elements(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + size + elementBytes, containerBytes);
}

/** One byte for two significant digits and one more; zeros at either end are not significant. AWS says "approximately". */
function numberBytes(number: string): number {
  const [mantissa = ''] = number.toLowerCase().split('e');
  const digits = mantissa.replace(/[-+.]/g, '').replace(/^0+|0+$/g, '');
  return Math.ceil(digits.length / 2) + 1;
}

function text(value: string): number {
  return Buffer.byteLength(value, 'utf8');
}
