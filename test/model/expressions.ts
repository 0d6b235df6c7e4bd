// DynamoDB's expressions, as far as the core writes them: conditions joined by AND, alternatives in brackets, SET, ADD,
// DELETE and REMOVE. What it cannot read it refuses, so that nothing is judged wrongly in silence.

import type { Item } from '../../shared/adapters/dynamodb/session-item.ts';

type Values = Readonly<Record<string, unknown>>;

/** Whether a condition holds for an item; nothing is compared with an attribute that is not there. */
export function holds(expression: string, item: Item | undefined, values: Values): boolean {
  return expression.split(' AND ').every((term) => holdsTerm(term.trim(), item ?? {}, values));
}

function holdsTerm(term: string, item: Item, values: Values): boolean {
  const [, alternatives] = /^\((.+ OR .+)\)$/.exec(term) ?? [];
  if (alternatives !== undefined) return alternatives.split(' OR ').some((one) => holdsTerm(one, item, values));
  const call = /^(NOT )?(attribute_not_exists|contains)\((\w+)(?:, (:\w+))?\)$/.exec(term);
  if (call !== null) {
    const [, not, name, attribute = '', value = ''] = call;
    const yes = name === 'contains' ? includes(item[attribute], values[value]) : item[attribute] === undefined;
    return not === undefined ? yes : !yes;
  }
  const comparison = /^(\w+) (=|<|<=|>|>=) (:?\w+)$/.exec(term);
  if (comparison === null) throw new Error(`cannot read the condition ${term}`);
  const [, attribute = '', operator = '', other = ''] = comparison;
  return compares(item[attribute], operator, other.startsWith(':') ? values[other] : item[other]);
}

function compares(a: unknown, operator: string, b: unknown): boolean {
  if (typeof a !== typeof b || (typeof a !== 'number' && typeof a !== 'string')) return false;
  if (operator === '=') return a === b;
  if (operator === '<') return a < (b as typeof a);
  if (operator === '<=') return a <= (b as typeof a);
  return operator === '>' ? a > (b as typeof a) : a >= (b as typeof a);
}

function members(set: unknown): Uint8Array[] {
  return set instanceof Set ? [...(set as Set<Uint8Array>)] : [];
}

function includes(set: unknown, value: unknown): boolean {
  return value instanceof Uint8Array && members(set).some((member) => Buffer.compare(member, value) === 0);
}

/** A set that has lost its last member is no attribute any more. */
export function applyUpdate(expression: string, item: Item, values: Values): Item {
  const next: Item = { ...item };
  for (const [, verb = '', clauses = ''] of expression.matchAll(
    /(SET|ADD|DELETE|REMOVE) (.*?)(?= SET | ADD | DELETE | REMOVE |$)/g,
  )) {
    for (const clause of clauses.split(/, (?![^(]*\))/)) applyClause(verb, clause.trim(), next, values);
  }
  return next;
}

function applyClause(verb: string, clause: string, item: Item, values: Values): void {
  if (verb === 'SET') {
    assign(clause, item, values);
    return;
  }
  if (verb === 'REMOVE') {
    delete item[clause];
    return;
  }
  const [attribute = '', name = ''] = clause.split(' ');
  const value = values[name];
  if (typeof value === 'number') {
    item[attribute] = Number(item[attribute] ?? 0) + value;
    return;
  }
  const kept = members(item[attribute]).filter((member) => !includes(value, member));
  const result = verb === 'ADD' ? [...kept, ...members(value)] : kept;
  if (result.length === 0) delete item[attribute];
  else item[attribute] = new Set(result);
}

function assign(clause: string, item: Item, values: Values): void {
  const match = /^(\w+) = (?:if_not_exists\((\w+), (:\w+)\)|(:\w+)|(\w+) ([+-]) (:\w+))$/.exec(clause);
  if (match === null) throw new Error(`cannot read the update ${clause}`);
  const [, attribute = '', present = '', fallback = '', plain, base = '', sign, length = ''] = match;
  if (plain !== undefined) item[attribute] = values[plain];
  else if (sign !== undefined) item[attribute] = Number(item[base]) + (sign === '+' ? 1 : -1) * Number(values[length]);
  else item[attribute] = item[present] ?? values[fallback];
}
