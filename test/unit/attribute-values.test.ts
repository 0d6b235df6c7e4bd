// Items are converted as the SDK converts them, whatever they hold.

import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromItem, toItem } from '../../shared/adapters/dynamodb/common/attribute-values.ts';

/** The SDK loses an attribute of this name. */
const names = fc.string().filter((name) => name !== '__proto__');
const bytes = fc.uint8Array({ maxLength: 8 });
const number = fc.oneof(fc.maxSafeInteger(), fc.double({ noNaN: true, min: -1e9, max: 1e9 }));
/** Of any length: a set that is empty has no type. */
const sets = fc.oneof(
  fc.array(fc.string(), { minLength: 1 }),
  fc.array(number, { minLength: 1 }),
  fc.array(fc.bigInt(), { minLength: 1 }),
  fc.array(bytes, { minLength: 1 }),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.string(),
    number,
    fc.boolean(),
    fc.bigInt({ min: -(10n ** 37n), max: 10n ** 37n }),
    fc.constant(null),
    fc.constant(undefined),
    bytes,
    bytes.map((some) => Buffer.from(some)),
    sets.map((members) => new Set<unknown>(members)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(names, tie('value'), { maxKeys: 4 }),
  ),
}));
const items = fc.dictionary(names, value, { maxKeys: 5 });

/** What the SDK's client makes of attribute values on their way: bytes in base64. */
function onTheWire(made: unknown): unknown {
  return JSON.parse(
    JSON.stringify(made, (_key, one: unknown) => {
      const isBytes = typeof one === 'object' && one !== null && 'type' in one && one.type === 'Buffer';
      if (isBytes) return Buffer.from((one as unknown as { data: number[] }).data).toString('base64');
      return one instanceof Uint8Array ? Buffer.from(one).toString('base64') : one;
    }),
  );
}

test('an item is written as the SDK writes it, and read as the SDK reads it', () => {
  fc.assert(
    fc.property(items, (item) => {
      const theirs = marshall(item, { removeUndefinedValues: true });
      const ours = toItem(item);
      expect(JSON.parse(JSON.stringify(ours))).toEqual(onTheWire(theirs));
      // Bytes come as the SDK makes them of an answer, and as they are in it.
      expect(fromItem(ours)).toEqual(asBytes(unmarshall(theirs)));
      expect(fromItem(theirs)).toEqual(unmarshall(theirs));
    }),
  );
});

test('a name from outside becomes no prototype, at any depth', () => {
  const item: Record<string, unknown> = JSON.parse('{"__proto__":"own","map":{"__proto__":{"admin":true}}}');
  const read = fromItem(toItem(item));
  expect(JSON.stringify(read)).toBe(JSON.stringify(item));
  expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
  expect((read.map as Record<string, unknown>).admin).toBeUndefined();
});

/** The SDK answers with Uint8Array where it was given a Buffer. */
function asBytes(read: unknown): unknown {
  if (read instanceof Uint8Array) return new Uint8Array(read);
  if (read instanceof Set) return new Set([...read].map(asBytes));
  if (Array.isArray(read)) return read.map(asBytes);
  if (typeof read !== 'object' || read === null) return read;
  return Object.fromEntries(Object.entries(read).map(([name, one]) => [name, asBytes(one)]));
}

test.each<[string, unknown]>([
  ['an empty set', new Set()],
  ['a set of what no set holds', new Set([{}])],
  ['a number that is none', Number.NaN],
  ['a number without an end', Number.POSITIVE_INFINITY],
  ['a number beyond what is exact', 2 ** 60],
  ['an instance of a class', new (class Some {})()],
  ['a date', new Date(0)],
  ['a symbol', Symbol('s')],
])('%s is refused as the SDK refuses it, before anything is sent', (_what, one) => {
  expect(() => marshall({ one }, { removeUndefinedValues: true })).toThrow();
  expect(() => toItem({ one })).toThrow('DynamoDB has no attribute value');
  expect(() => toItem({ nested: [{ one }] })).toThrow('DynamoDB has no attribute value');
});

test('a number of more digits than JavaScript keeps is read as it was written', () => {
  const N = '12345678901234567890123456789012345678';
  expect(fromItem({ n: { N } })).toEqual(unmarshall({ n: { N } }));
  expect(fromItem({ n: { NS: [N, '1.5'] } })).toEqual(unmarshall({ n: { NS: [N, '1.5'] } }));
});
