import { describe, expect, it } from 'vitest';
import type { Item } from '../../shared/adapters/dynamodb/presence/session-item.ts';
import { readUnits, writeUnits } from '../support/memory-engine/charges.ts';
import { documentBytes } from '../support/memory-engine/document-size.ts';
import { Table } from '../support/memory-engine/table.ts';

/** An item of exactly so many bytes: `pk` and `sk` with one byte each, the rest filling. */
function itemOf(bytes: number): Item {
  const bare = { pk: 'p', sk: 's' };
  return { ...bare, x: 'x'.repeat(bytes - documentBytes(bare) - 1) };
}

describe('the size of an item, by AWS: CapacityUnitCalculations', () => {
  const cases: readonly (readonly [string, unknown, number])[] = [
    ['a string is its UTF-8 bytes', 'é€😀', 2 + 3 + 4],
    ['a number is one byte for two digits and one more', 1_234, 3],
    ['an odd number of digits rounds up', 12_345, 4],
    ['zeros at its end are trimmed', 120_000, 2],
    ['zeros between digits are not', 1_001, 3],
    ['a fraction counts its digits only', -0.0025, 2],
    ['zero is one byte', 0, 1],
    ['epoch milliseconds', 1_790_000_000_123, 8],
    ['binary is its raw length, not its base64', new Uint8Array(9), 9],
    ['a boolean is one byte', false, 1],
    ['null is one byte', null, 1],
    ['an empty list is 3 bytes', [], 3],
    ['an empty map is 3 bytes', {}, 3],
    ['an element of a list carries one byte', ['ab', true], 3 + 3 + 2],
    ['an element of a map carries its name and one byte', { ab: 'cd' }, 3 + 2 + 2 + 1],
    ['lists in maps add up', { a: ['b'] }, 3 + 1 + 1 + (3 + 1 + 1)],
    ['a set is charged like a list', new Set(['ab', 'cd']), 3 + 3 + 3],
    ['a place in a roster is 9 bytes', new Set([Buffer.alloc(8), Buffer.alloc(8)]), 3 + 9 + 9],
  ];

  it.each(cases)('%s', (_, value, bytes) => {
    expect(documentBytes({ name: value })).toBe(4 + bytes);
  });

  it('counts the names of attributes as UTF-8, and what has no value not at all', () => {
    expect(documentBytes({ é: '' })).toBe(2);
    expect(documentBytes({ name: undefined })).toBe(0);
  });
});

describe('write units of the table', () => {
  const cases: readonly (readonly [string, Item | undefined, Item | undefined, number])[] = [
    ['a new item of 1 KB', undefined, itemOf(1_024), 1],
    ['a byte more is a second unit', undefined, itemOf(1_025), 2],
    ['AWS: 1.5 KB is 2 units', undefined, itemOf(1_536), 2],
    ['a replacement costs the larger of the two', itemOf(3_000), itemOf(100), 3],
    ['growing too', itemOf(100), itemOf(3_000), 3],
    ['a delete costs what stood there', itemOf(3_000), undefined, 3],
    ['a delete of nothing is 1', undefined, undefined, 1],
  ];
  it.each(cases)('%s', (_, before, after, units) => {
    expect(writeUnits(before, after)).toBe(units);
  });
});

describe('write units of an index, by AWS: GSI.ThroughputConsiderations.Writes', () => {
  const table = new Table();
  /** In the index `due`, which holds keys only. */
  const due = (at: number, more: Item = {}): Item => ({ pk: 'p', sk: 's', duePk: 'd', dueAt: at, ...more });
  const outside: Item = { pk: 'p', sk: 's', duePk: 'd' };
  /** In the index `rank`, which holds some more. */
  const rank = (text: string, more: Item = {}): Item => ({ pk: 'p', sk: 's', rankPk: 'r', rank: text, ...more });
  const large = { lastClientId: 'x'.repeat(2_000) };

  const cases: readonly (readonly [string, Item | undefined, Item | undefined, number])[] = [
    ['an entry that comes with its item', undefined, due(1), 1],
    ['an entry that comes with its key', outside, due(1), 1],
    ['an entry that goes with its key', due(1), outside, 1],
    ['an entry that goes with its item', due(1), undefined, 1],
    ['a key that changes: one delete, one put', due(1), due(2), 2],
    ['a partition that changes: one delete, one put', due(1), due(1, { duePk: 'other' }), 2],
    ['no entry before or after', outside, { ...outside, note: 'x' }, 0],
    ['nothing that the index holds changes', due(1, { note: 'a' }), due(1, { note: 'b' }), 0],
    ['a projected attribute changes', rank('1', { rejections: 1 }), rank('1', { rejections: 2 }), 1],
    ['a projected attribute is written as it was', rank('1', { own: { max: 1 } }), rank('1', { own: { max: 1 } }), 0],
    ['an attribute that is not projected changes', rank('1', { other: 'a' }), rank('1'), 0],
    ['a large entry costs its size', undefined, rank('1', large), 2],
    ['keys only leave the large part out', undefined, due(1, { note: 'x'.repeat(2_000) }), 1],
    ['an entry that shrinks in its place costs what it was', rank('1', large), rank('1'), 2],
    ['both sides of a move cost their size', rank('1', large), rank('2', large), 4],
  ];
  it.each(cases)('%s', (_, before, after, units) => {
    expect(table.indexCharges(before, after).reduce((sum, charge) => sum + charge.units, 0)).toBe(units);
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
