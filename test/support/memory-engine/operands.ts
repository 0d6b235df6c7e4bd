// What a condition or an update speaks of: an attribute, however deep, or a value that came with the request.

import type { Item } from '../../../shared/adapters/dynamodb/presence/session-item.ts';
import type { Arguments, Tokens } from './tokens.ts';

export type Operand = (item: Item, given: Arguments) => unknown;
/** The attribute's name, and the names inside it. */
export type Path = (given: Arguments) => readonly string[];

export function readPath(tokens: Tokens): Path {
  const parts = [readName(tokens)];
  while (tokens.take('.')) parts.push(readName(tokens));
  const [only] = parts;
  if (parts.length === 1 && only !== undefined && !only.startsWith('#')) return () => [only];
  return (given) => parts.map((part) => (part.startsWith('#') ? nameOf(part, given) : part));
}

function readName(tokens: Tokens): string {
  const name = tokens.next();
  if (!/^#?[A-Za-z_]/.test(name)) tokens.refuse();
  return name;
}

function nameOf(placeholder: string, { names }: Arguments): string {
  const name = names?.[placeholder];
  if (name === undefined) throw new Error(`nothing is called ${placeholder}`);
  return name;
}

export function readOperand(tokens: Tokens): Operand {
  const word = tokens.peek() ?? tokens.refuse();
  if (word.startsWith(':')) {
    tokens.next();
    return (_, { values }) => {
      const value = values?.[word];
      if (value === undefined) throw new Error(`no value came for ${word}`);
      return value;
    };
  }
  const path = readPath(tokens);
  if (word !== 'size' || !tokens.take('(')) return (item, given) => valueAt(item, path(given));
  const inside = readPath(tokens);
  tokens.expect(')');
  return (item, given) => sizeOf(valueAt(item, inside(given)));
}

/** Members of a set, a list or a map; bytes of anything else that has a size. */
function sizeOf(value: unknown): number | undefined {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (value instanceof Uint8Array || Array.isArray(value)) return value.length;
  if (value instanceof Set) return value.size;
  return isMap(value) ? Object.keys(value).length : undefined;
}

export function valueAt(item: Item, path: readonly string[]): unknown {
  let value: unknown = item;
  for (const name of path) value = isMap(value) ? value[name] : undefined;
  return value;
}

export function isMap(value: unknown): value is Item {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array || value instanceof Set);
}

/** The item with another value there, undefined for none; the item that was given stays as it is. */
export function withValue(item: Item, [name = '', ...inside]: readonly string[], value: unknown): Item {
  const next = { ...item };
  if (inside.length > 0) {
    const held = item[name];
    if (!isMap(held)) throw new Error(`the path in the update is invalid: ${name} is no map`);
    next[name] = withValue(held, inside, value);
  } else if (value === undefined) delete next[name];
  else next[name] = value;
  return next;
}
