import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PutCommand, TransactGetCommand } from '../../shared/adapters/dynamodb/common/commands.ts';
import { holds } from '../support/memory-engine/conditions.ts';
import { MemoryEngine } from '../support/memory-engine/memory-engine.ts';
import { Table } from '../support/memory-engine/table.ts';
import { applyUpdate } from '../support/memory-engine/updates.ts';

const text = fc.string({ minLength: 1, maxLength: 12, unit: 'binary' });

describe('the engine in memory', () => {
  it('reads several items at once in the order in which they were asked for', async () => {
    const engine = new MemoryEngine();
    await engine.send(new PutCommand({ TableName: 't', Item: { pk: 'p', sk: 'b', n: 1 } }));
    const get = (sk: string) => ({ Get: { TableName: 't', Key: { pk: 'p', sk } } });
    const answer = await engine.send(new TransactGetCommand({ TransactItems: [get('a'), get('b')] }));
    expect(answer).toEqual({ Responses: [{ Item: undefined }, { Item: { pk: 'p', sk: 'b', n: 1 } }] });
  });

  it('lists a partition in order of its bytes, however its items came and went, as if they had been sorted at the end', async () => {
    const steps = fc.array(fc.record({ sk: text, there: fc.boolean(), listed: fc.boolean() }), { maxLength: 40 });
    const query = { KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': 'p' } };
    fc.assert(
      fc.property(steps, (all) => {
        const table = new Table();
        const held = new Set<string>();
        for (const { sk, there, listed } of all) {
          table.store({ pk: 'p', sk }, there ? { pk: 'p', sk } : undefined);
          if (there) held.add(sk);
          else held.delete(sk);
          if (listed) table.query(query);
        }
        const sorted = [...held].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(table.query(query).items.map(({ sk }) => sk)).toEqual(sorted);
        expect(table.query({ ...query, ScanIndexForward: false }).items.map(({ sk }) => sk)).toEqual(sorted.reverse());
      }),
    );
  });

  it.each([
    ['a = :one AND NOT b = :one', true],
    ['a = :two OR (a = :one AND c < :two)', true],
    ['a = :two OR a = :one AND c > :two', false],
    ['missing < :one OR missing > :one OR missing = :one', false],
    ['attribute_exists(map.inside) AND attribute_not_exists(map.other)', true],
    ['#a BETWEEN :one AND :two', true],
    ['#a <> :two AND missing <> :one AND NOT a <> :one', true],
    ['contains(places, :mark) AND NOT contains(places, :one)', true],
    ['begins_with(text, :text)', true],
    ['text < :one', false],
    ['size(places) < :two AND size(text) > :two AND NOT size(missing) < :two', true],
  ])('reads the condition %s', (expression, expected) => {
    const item = { a: 1, b: 2, c: 1, map: { inside: 1 }, places: new Set([Buffer.from('m')]), text: 'text and more' };
    const values = { ':one': 1, ':two': 2, ':mark': Buffer.from('m'), ':text': 'text' };
    expect(holds(expression, item, { names: { '#a': 'a' }, values })).toBe(expected);
  });

  it('updates from what was there before, and leaves that as it was', () => {
    const before = { pk: 'p', a: 1, b: 2, places: new Set(['x']), map: { kept: 1 } };
    const values = { ':one': 1, ':set': new Set(['x', 'y']), ':gone': new Set(['x']) };
    const after = applyUpdate(
      'SET a = b + :one, b = a - :one, c = if_not_exists(c, :one), map.#new = :one REMOVE pk ADD places :set, n :one',
      before,
      { names: { '#new': 'new' }, values },
    );
    expect(after).toEqual({ a: 3, b: 0, c: 1, n: 1, places: new Set(['x', 'y']), map: { kept: 1, new: 1 } });
    expect(before).toEqual({ pk: 'p', a: 1, b: 2, places: new Set(['x']), map: { kept: 1 } });
    expect(applyUpdate('DELETE places :gone', before, { values })).not.toHaveProperty('places');
  });

  it.each(['attribute_type(a, :one)', 'a = :one AND', 'a IN (:one)', '(a = :one'])(
    'refuses %s, which it cannot read',
    (expression) => {
      expect(() => holds(expression, {}, { values: { ':one': 1 } })).toThrow(/^cannot/);
    },
  );
});
