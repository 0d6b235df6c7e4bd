import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { itemBytes, type StoredItem } from '../../bench/meter/size.ts';
import {
  baseWriteUnits,
  indexWriteUnits,
  type MeteredIndex,
  type MeteredTable,
  readUnits,
} from '../../bench/meter/units.ts';

/** An item of exactly so many bytes: `pk` and `sk` with one byte each, the rest filling. */
function itemOf(bytes: number, more: StoredItem = {}): StoredItem {
  const bare = { pk: { S: 'p' }, sk: { S: 's' }, ...more };
  return { ...bare, x: { S: 'x'.repeat(bytes - itemBytes(bare) - 1) } };
}

describe('the size of an item, by AWS: CapacityUnitCalculations', () => {
  const cases: readonly (readonly [string, AttributeValue, number])[] = [
    ['a string is its UTF-8 bytes', { S: 'é€😀' }, 2 + 3 + 4],
    ['a number is one byte for two digits and one more', { N: '1234' }, 3],
    ['an odd number of digits rounds up', { N: '12345' }, 4],
    ['leading and trailing zeros are trimmed', { N: '00120000' }, 2],
    ['zeros between digits are not', { N: '1001' }, 3],
    ['a fraction counts its digits only', { N: '-0.0025' }, 2],
    ['zero is one byte', { N: '0' }, 1],
    ['epoch milliseconds', { N: '1790000000123' }, 8],
    ['binary is its raw length, not its base64', { B: new Uint8Array(9) }, 9],
    ['a boolean is one byte', { BOOL: false }, 1],
    ['null is one byte', { NULL: true }, 1],
    ['an empty list is 3 bytes', { L: [] }, 3],
    ['an empty map is 3 bytes', { M: {} }, 3],
    ['an element of a list carries one byte', { L: [{ S: 'ab' }, { BOOL: true }] }, 3 + 3 + 2],
    ['an element of a map carries its name and one byte', { M: { ab: { S: 'cd' } } }, 3 + 2 + 2 + 1],
    ['lists in maps add up', { M: { a: { L: [{ S: 'b' }] } } }, 3 + 1 + 1 + (3 + 1 + 1)],
    ['a set is charged like a list', { SS: ['ab', 'cd'] }, 3 + 3 + 3],
    ['a place in a roster is 9 bytes', { BS: [new Uint8Array(8), new Uint8Array(8)] }, 3 + 9 + 9],
  ];

  it.each(cases)('%s', (_, value, bytes) => {
    expect(itemBytes({ name: value })).toBe(4 + bytes);
  });

  it('counts the names of attributes as UTF-8', () => {
    expect(itemBytes({ é: { S: '' } })).toBe(2);
  });
});

describe('write units of the table', () => {
  const cases: readonly (readonly [string, StoredItem | undefined, StoredItem | undefined, number])[] = [
    ['a new item of 1 KB', undefined, itemOf(1_024), 1],
    ['a byte more is a second unit', undefined, itemOf(1_025), 2],
    ['AWS: 1.5 KB is 2 units', undefined, itemOf(1_536), 2],
    ['a replacement costs the larger of the two', itemOf(3_000), itemOf(100), 3],
    ['growing too', itemOf(100), itemOf(3_000), 3],
    ['a delete costs what stood there', itemOf(3_000), undefined, 3],
    ['a delete of nothing is 1', undefined, undefined, 1],
  ];
  it.each(cases)('%s', (_, before, after, units) => {
    expect(baseWriteUnits(before, after)).toBe(units);
  });
});

describe('write units of an index, by AWS: GSI.ThroughputConsiderations.Writes', () => {
  const keysOnly: MeteredIndex = { name: 'due', partitionKey: 'duePk', sortKey: 'dueAt' };
  const table: MeteredTable = { partitionKey: 'pk', sortKey: 'sk', indexes: [keysOnly] };
  const at = (due: string, more: StoredItem = {}): StoredItem => ({
    pk: { S: 'p' },
    sk: { S: 's' },
    duePk: { S: 'd' },
    dueAt: { N: due },
    ...more,
  });
  const outside: StoredItem = { pk: { S: 'p' }, sk: { S: 's' }, duePk: { S: 'd' } };
  const note = (text: string): StoredItem => ({ note: { S: text } });
  const withNote: MeteredIndex = { ...keysOnly, projects: ['note'] };
  const withAll: MeteredIndex = { ...keysOnly, projects: 'all' };
  const wide: StoredItem = { duePk: { S: 'd'.repeat(1_100) } };

  const cases: readonly (readonly [string, MeteredIndex, StoredItem | undefined, StoredItem | undefined, number])[] = [
    ['an entry that comes with its item', keysOnly, undefined, at('1'), 1],
    ['an entry that comes with its key', keysOnly, outside, at('1'), 1],
    ['an entry that goes with its key', keysOnly, at('1'), outside, 1],
    ['an entry that goes with its item', keysOnly, at('1'), undefined, 1],
    ['a key that changes: one delete, one put', keysOnly, at('1'), at('2'), 2],
    ['no entry before or after', keysOnly, outside, { ...outside, ...note('x') }, 0],
    ['nothing that the index holds changes', keysOnly, at('1', note('a')), at('1', note('b')), 0],
    ['a projected attribute changes', withNote, at('1', note('a')), at('1', note('b')), 1],
    ['an attribute that is not projected changes', withNote, at('1', { other: { S: 'a' } }), at('1'), 0],
    ['all attributes are projected', withAll, at('1', { other: { S: 'a' } }), at('1'), 1],
    ['a large entry costs its size', withAll, undefined, at('1', note('x'.repeat(2_000))), 2],
    ['keys only leaves the large part out', keysOnly, undefined, at('1', note('x'.repeat(2_000))), 1],
    ['both sides of a move cost their size', keysOnly, at('1', wide), at('2', wide), 4],
  ];
  it.each(cases)('%s', (_, index, before, after, units) => {
    expect(indexWriteUnits(table, index, before, after)).toBe(units);
  });
});

describe('read units, by AWS: read-write-operations', () => {
  it.each([
    ['up to 4 KB, consistent', 4_096, 'consistent', 1],
    ['up to 4 KB, eventually consistent', 4_096, 'eventual', 0.5],
    ['up to 4 KB, transactional', 4_096, 'transactional', 2],
    ['3,500 bytes cost as 4 KB', 3_500, 'consistent', 1],
    ['8 KB, consistent', 8_192, 'consistent', 2],
    ['8 KB, eventually consistent', 8_192, 'eventual', 1],
    ['8 KB, transactional', 8_192, 'transactional', 4],
    ['a query of 40.8 KB rounds up to 44 KB once', 40.8 * 1_024, 'consistent', 11],
    ['1,500 items of 64 bytes are 96 KB', 1_500 * 64, 'consistent', 24],
    ['8 entries of 2,000 bytes in an index', 16_000, 'eventual', 2],
    ['nothing found', 0, 'eventual', 0.5],
  ] as const)('%s', (_, bytes, consistency, units) => {
    expect(readUnits(bytes, consistency)).toBe(units);
  });
});
