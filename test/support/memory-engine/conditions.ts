// Conditions, of writes and of queries. Each expression is read once.

import type { Item } from '../../../shared/adapters/dynamodb/presence/session-item.ts';
import { hasMember, isEqual, order } from './compare.ts';
import { type Operand, readOperand, readPath, valueAt } from './operands.ts';
import { type Arguments, Tokens } from './tokens.ts';

type Condition = (item: Item, given: Arguments) => boolean;

const read = new Map<string, Condition>();

/** Whether a condition holds for an item, or for one that is not there; nothing is compared with an absent attribute. */
export function holds(expression: string, item: Item | undefined, given: Arguments): boolean {
  let condition = read.get(expression);
  if (condition === undefined) {
    const tokens = new Tokens(expression);
    condition = readAny(tokens);
    tokens.end();
    read.set(expression, condition);
  }
  return condition(item ?? {}, given);
}

function readAny(tokens: Tokens): Condition {
  const terms = [readAll(tokens)];
  while (tokens.take('OR')) terms.push(readAll(tokens));
  const [only] = terms;
  if (terms.length === 1 && only !== undefined) return only;
  return (item, given) => terms.some((term) => term(item, given));
}

function readAll(tokens: Tokens): Condition {
  const terms = [readTerm(tokens)];
  while (tokens.take('AND')) terms.push(readTerm(tokens));
  const [only] = terms;
  if (terms.length === 1 && only !== undefined) return only;
  return (item, given) => terms.every((term) => term(item, given));
}

function readTerm(tokens: Tokens): Condition {
  if (tokens.take('NOT')) {
    const term = readTerm(tokens);
    return (item, given) => !term(item, given);
  }
  if (tokens.take('(')) {
    const inside = readAny(tokens);
    tokens.expect(')');
    return inside;
  }
  for (const [name, readCall] of Object.entries(calls)) {
    if (!tokens.take(name.toUpperCase())) continue;
    tokens.expect('(');
    const call = readCall(tokens);
    tokens.expect(')');
    return call;
  }
  return readComparison(tokens);
}

const calls: Readonly<Record<string, (tokens: Tokens) => Condition>> = {
  attribute_exists: (tokens) => exists(tokens, true),
  attribute_not_exists: (tokens) => exists(tokens, false),
  contains: (tokens) => pair(tokens, contains),
  begins_with: (tokens) => pair(tokens, (a, b) => typeof a === 'string' && typeof b === 'string' && a.startsWith(b)),
};

function exists(tokens: Tokens, wanted: boolean): Condition {
  const path = readPath(tokens);
  return (item, given) => (valueAt(item, path(given)) !== undefined) === wanted;
}

function pair(tokens: Tokens, test: (a: unknown, b: unknown) => boolean): Condition {
  const a = readOperand(tokens);
  tokens.expect(',');
  const b = readOperand(tokens);
  return (item, given) => test(a(item, given), b(item, given));
}

function contains(held: unknown, value: unknown): boolean {
  if (held instanceof Set) return hasMember(held, value);
  if (Array.isArray(held)) return held.some((each) => isEqual(each, value));
  return typeof held === 'string' && typeof value === 'string' && held.includes(value);
}

const tests: Readonly<Record<string, (ordered: number) => boolean>> = {
  '<': (ordered) => ordered < 0,
  '<=': (ordered) => ordered <= 0,
  '>': (ordered) => ordered > 0,
  '>=': (ordered) => ordered >= 0,
};

function readComparison(tokens: Tokens): Condition {
  const a = readOperand(tokens);
  if (tokens.take('BETWEEN')) {
    const low = readOperand(tokens);
    tokens.expect('AND');
    const high = readOperand(tokens);
    const atLeast = compare(a, '>=', low);
    const atMost = compare(a, '<=', high);
    return (item, given) => atLeast(item, given) && atMost(item, given);
  }
  return compare(a, tokens.next(), readOperand(tokens));
}

function compare(a: Operand, operator: string, b: Operand): Condition {
  if (operator === '=') return (item, given) => isEqual(a(item, given), b(item, given));
  if (operator === '<>') return (item, given) => !isEqual(a(item, given), b(item, given));
  const test = tests[operator];
  if (test === undefined) throw new Error(`cannot compare by ${operator}`);
  return (item, given) => {
    const ordered = order(a(item, given), b(item, given));
    return ordered !== undefined && test(ordered);
  };
}
