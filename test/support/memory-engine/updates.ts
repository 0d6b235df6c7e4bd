// Updates: SET, REMOVE, ADD and DELETE. All of it is read from the item as it was before.

import type { Item } from '../../../shared/adapters/dynamodb/presence/session-item.ts';
import { memberKey } from './compare.ts';
import { type Operand, type Path, readOperand, readPath, valueAt, withValue } from './operands.ts';
import { type Arguments, Tokens } from './tokens.ts';

/** `before`: what values are read from; `item`: what has been changed so far. */
type Change = (before: Item, item: Item, given: Arguments) => Item;

const read = new Map<string, readonly Change[]>();

export function applyUpdate(expression: string, item: Item, given: Arguments): Item {
  let changes = read.get(expression);
  if (changes === undefined) {
    changes = readChanges(new Tokens(expression));
    read.set(expression, changes);
  }
  return changes.reduce((next, change) => change(item, next, given), item);
}

function readChanges(tokens: Tokens): readonly Change[] {
  const changes: Change[] = [];
  while (tokens.peek() !== undefined) {
    const readClause = clauses[tokens.next().toUpperCase()] ?? tokens.refuse();
    do changes.push(readClause(tokens));
    while (tokens.take(','));
  }
  return changes;
}

const clauses: Readonly<Record<string, (tokens: Tokens) => Change>> = {
  SET(tokens) {
    const path = readPath(tokens);
    tokens.expect('=');
    const value = readSum(tokens);
    return (before, item, given) => withValue(item, path(given), value(before, given));
  },
  REMOVE(tokens) {
    const path = readPath(tokens);
    return (_, item, given) => withValue(item, path(given), undefined);
  },
  ADD: (tokens) => changeSetOrNumber(readPath(tokens), readOperand(tokens), added),
  DELETE: (tokens) => changeSetOrNumber(readPath(tokens), readOperand(tokens), without),
};

function readSum(tokens: Tokens): Operand {
  const left = readTerm(tokens);
  const sign = tokens.take('+') ? 1 : tokens.take('-') ? -1 : 0;
  if (sign === 0) return left;
  const right = readTerm(tokens);
  return (item, given) => number(left(item, given)) + sign * number(right(item, given));
}

function readTerm(tokens: Tokens): Operand {
  if (!tokens.take('IF_NOT_EXISTS')) return readOperand(tokens);
  tokens.expect('(');
  const path = readPath(tokens);
  tokens.expect(',');
  const otherwise = readOperand(tokens);
  tokens.expect(')');
  return (item, given) => valueAt(item, path(given)) ?? otherwise(item, given);
}

function number(value: unknown): number {
  if (typeof value !== 'number') throw new Error('an operand in the update is no number');
  return value;
}

function changeSetOrNumber(path: Path, operand: Operand, change: (held: unknown, value: unknown) => unknown): Change {
  return (before, item, given) => {
    const at = path(given);
    return withValue(item, at, change(valueAt(before, at), operand(before, given)));
  };
}

function added(held: unknown, value: unknown): unknown {
  if (typeof value === 'number') return value + number(held ?? 0);
  const members = setOf(held);
  const known = new Set([...members].map(memberKey));
  return new Set([...members, ...[...setOf(value)].filter((member) => !known.has(memberKey(member)))]);
}

/** A set that has lost its last member is no attribute any more. */
function without(held: unknown, value: unknown): unknown {
  const gone = new Set([...setOf(value)].map(memberKey));
  const kept = [...setOf(held)].filter((member) => !gone.has(memberKey(member)));
  return kept.length === 0 ? undefined : new Set(kept);
}

function setOf(value: unknown): ReadonlySet<unknown> {
  if (value === undefined) return new Set();
  if (!(value instanceof Set)) throw new Error('an operand in the update is no set');
  return value;
}
