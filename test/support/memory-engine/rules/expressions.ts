// What DynamoDB refuses of an expression before it looks at any item. What an expression means is read elsewhere
// (../conditions.ts, ../updates.ts); here its words are enough, so that each is looked through once.
// [AWS: Expressions in DynamoDB; Service quotas, "Expression parameters"]

import { Tokens } from '../tokens.ts';
import { invalid, require } from './invalid.ts';
import { isReserved } from './reserved-words.ts';
import { checkValue, definedEntries, isFields } from './values.ts';

const expressionBytesMax = 4_096;
const operatorsMax = 300;
/** Names and values together, of one expression's. */
const valuesBytesMax = 2 * 2 ** 20;
const placeholderBytesMax = 255;

const operators: ReadonlySet<string> = new Set(
  '= < <= > >= + - AND OR NOT BETWEEN IN SET REMOVE ADD DELETE'.split(' '),
);
const keywords: ReadonlySet<string> = new Set('AND OR NOT BETWEEN IN SET REMOVE ADD DELETE'.split(' '));
const clauseWords: ReadonlySet<string> = new Set('SET REMOVE ADD DELETE'.split(' '));

/** A path as it stands in the expression, its names not looked up yet. */
type Path = readonly string[];

interface Read {
  readonly names: ReadonlySet<string>;
  readonly values: ReadonlySet<string>;
  /** Of an update: what it changes. Of a projection: what it shows. */
  readonly targets: readonly { readonly path: Path; readonly verb: string; readonly operand: string | undefined }[];
  /** Every path that it names. */
  readonly paths: readonly Path[];
}

const known = new Map<string, Read>();

/** Throws what DynamoDB would; remembers expressions that are sound by themselves. */
export function readExpression(what: string, expression: unknown): Read {
  require(typeof expression === 'string', `Invalid ${what}: it is no string`);
  const before = known.get(`${what} ${expression}`);
  if (before !== undefined) return before;
  require(expression.trim() !== '', `Invalid ${what}: The expression can not be empty;`);
  require(Buffer.byteLength(expression) <= expressionBytesMax, `Invalid ${what}: Expression size has exceeded 4 KB`);
  const words = wordsOf(expression);
  const counted = words.filter((word, at) => operators.has(word.toUpperCase()) || words[at + 1] === '(').length;
  require(counted <= operatorsMax, `Invalid ${what}: it contains more than ${operatorsMax} operators`);
  const read = {
    names: new Set(words.filter((word) => word.startsWith('#'))),
    values: new Set(words.filter((word) => word.startsWith(':'))),
    paths: pathsOf(what, words),
    targets: targetsOf(what, words),
  };
  known.set(`${what} ${expression}`, read);
  return read;
}

function wordsOf(expression: string): readonly string[] {
  const tokens = new Tokens(expression);
  const words: string[] = [];
  while (tokens.peek() !== undefined) words.push(tokens.next());
  return words;
}

const isName = (word: string | undefined): word is string =>
  word !== undefined && /^#?[A-Za-z_]/.test(word) && !keywords.has(word.toUpperCase());

function pathsOf(what: string, words: readonly string[]): readonly Path[] {
  const paths: string[][] = [];
  for (const [at, word] of words.entries()) {
    // A function, or the continuation of a path.
    if (!isName(word) || words[at + 1] === '(') continue;
    if (!word.startsWith('#') && isReserved(word))
      invalid(`Invalid ${what}: Attribute name is a reserved keyword; reserved keyword: ${word}`);
    const last = paths.at(-1);
    if (words[at - 1] === '.' && last !== undefined) last.push(word);
    else paths.push([word]);
  }
  return paths;
}

/** Each clause at most once; in it, what stands before `=`, a comma or a value. */
function targetsOf(what: string, words: readonly string[]): Read['targets'] {
  const targets: { path: string[]; verb: string; operand: string | undefined }[] = [];
  if (what !== 'UpdateExpression' && what !== 'ProjectionExpression') return targets;
  const verbs = new Set<string>();
  let verb = what === 'ProjectionExpression' ? 'SHOW' : '';
  let depth = 0;
  for (const [at, word] of words.entries()) {
    const upper = word.toUpperCase();
    const begins = verb === 'SHOW' ? at === 0 : clauseWords.has(upper);
    if (begins && verb !== 'SHOW') {
      require(!verbs.has(
        upper,
      ), `Invalid ${what}: The "${upper}" section can only be used once in an update expression`);
      verbs.add(upper);
      verb = upper;
    }
    require(verb !== '', `Invalid ${what}: Syntax error; token: ${word}`);
    if (word === '(') depth++;
    if (word === ')') depth--;
    if (!begins && !(word === ',' && depth === 0)) continue;
    let from = verb === 'SHOW' && at === 0 ? 0 : at + 1;
    const path: string[] = [];
    for (let part = words[from]; isName(part); part = words[from]) {
      path.push(part);
      if (words[++from] !== '.') break;
      from++;
    }
    require(path.length > 0, `Invalid ${what}: Syntax error; near: ${words.slice(at, at + 3).join(' ')}`);
    targets.push({ path, verb, operand: words[from] });
  }
  return targets;
}

interface Given extends Readonly<Record<string, unknown>> {
  readonly ExpressionAttributeNames?: unknown;
  readonly ExpressionAttributeValues?: unknown;
  /** Of a query: what its filter may not name. */
  readonly keyNames?: readonly string[];
}

/** What needs no value to be found sound: requests of one shape come by the thousand, and differ in their values only. */
const soundShapes = new Map<string, Read['targets']>();

/** All expressions of one request share names and values: each is valid, is there, and is used. */
export function checkExpressions(input: Given, kinds: readonly string[]): void {
  const values = input.ExpressionAttributeValues;
  const shape = shapeOf(input, kinds);
  let targets = soundShapes.get(shape);
  if (targets === undefined) {
    targets = checkShape(input, kinds);
    soundShapes.set(shape, targets);
  }
  if (!isFields(values)) return;
  for (const name in values) if (values[name] !== undefined) checkValue(values[name]);
  for (const target of targets) checkOperand(target, values);
  require(roughBytes(values) <= valuesBytesMax, 'the values of an expression are larger than 2 MB');
}

function shapeOf(input: Given, kinds: readonly string[]): string {
  const { ExpressionAttributeNames: names, ExpressionAttributeValues: values, keyNames } = input;
  let shape = `${typeof names} ${typeof values} ${String(keyNames)}`;
  for (const kind of kinds) shape += `\n${typeof input[kind]} ${kind} ${String(input[kind])}`;
  if (isFields(names)) shape += JSON.stringify(names);
  if (isFields(values)) for (const name in values) if (values[name] !== undefined) shape += `\n${name}`;
  return shape;
}

/** Answers what an update changes, whose values are still to be looked at. */
function checkShape(input: Given, kinds: readonly string[]): Read['targets'] {
  const reads = kinds.flatMap((kind) =>
    input[kind] === undefined ? [] : [[kind, readExpression(kind, input[kind])] as const],
  );
  const names = placeholders('ExpressionAttributeNames', '#', input.ExpressionAttributeNames, reads.length > 0);
  const values = placeholders('ExpressionAttributeValues', ':', input.ExpressionAttributeValues, reads.length > 0);
  for (const name of names.values())
    require(typeof name === 'string' && name !== '', 'ExpressionAttributeNames must not be empty');
  checkUse(
    'attribute name',
    names,
    reads.map(([, read]) => read.names),
  );
  checkUse(
    'attribute value',
    values,
    reads.map(([, read]) => read.values),
  );
  const resolve = (path: Path): Path => path.map((part) => (part.startsWith('#') ? String(names.get(part)) : part));
  const changed: Read['targets'][number][] = [];
  for (const [kind, read] of reads) {
    const targets = read.targets.map((target) => ({ ...target, path: resolve(target.path) }));
    checkApart(
      kind,
      targets.map(({ path }) => path),
    );
    if (kind === 'FilterExpression') checkNoKey(read.paths.map(resolve), input);
    if (kind !== 'UpdateExpression') continue;
    for (const target of targets) checkTarget(target);
    changed.push(...targets);
  }
  return changed;
}

function placeholders(what: string, sign: string, given: unknown, isWanted: boolean): ReadonlyMap<string, unknown> {
  if (given === undefined) return new Map();
  require(isFields(given), `${what} must be a map`);
  const entries = definedEntries(given);
  require(isWanted, `${what} can only be specified when using expressions`);
  require(entries.length > 0, `${what} must not be empty`);
  for (const [name] of entries) {
    const isSound = name.startsWith(sign) && /^.[A-Za-z0-9_]+$/.test(name) && name.length <= placeholderBytesMax;
    require(isSound, `${what} contains invalid key: ${name}`);
  }
  return new Map(entries);
}

function checkUse(what: string, given: ReadonlyMap<string, unknown>, used: readonly ReadonlySet<string>[]): void {
  for (const name of used.flatMap((some) => [...some]))
    require(given.has(name), `An expression ${what} used in expression is not defined; ${what}: ${name}`);
  for (const name of given.keys())
    require(used.some((some) => some.has(name)), `Value provided unused in expressions: keys: {${name}}`);
}

/** Two paths of one expression: neither may be the other, or lie within it. */
function checkApart(what: string, paths: readonly Path[]): void {
  for (const [n, one] of paths.entries())
    for (const other of paths.slice(0, n)) {
      const shared = Math.min(one.length, other.length);
      const isApart = one.slice(0, shared).some((part, at) => part !== other[at]);
      require(isApart, `Invalid ${what}: Two document paths overlap with each other: ${one.join('.')}, ${other.join('.')}`);
    }
}

function checkTarget({ path: [first = ''], verb, operand = '' }: Read['targets'][number]): void {
  require(first !== 'pk' && first !== 'sk', `Cannot update attribute ${first}. This attribute is part of the key`);
  if (verb === 'SET') require(operand === '=', 'Invalid UpdateExpression: Syntax error; SET takes path = value');
  if (verb !== 'ADD' && verb !== 'DELETE') return;
  require(operand.startsWith(':'), `Invalid UpdateExpression: Syntax error; ${verb} takes a path and a value`);
}

/** ADD takes a number or a set, DELETE a set. */
function checkOperand(
  { verb, operand = '' }: Read['targets'][number],
  values: Readonly<Record<string, unknown>>,
): void {
  if (verb !== 'ADD' && verb !== 'DELETE') return;
  const value = values[operand];
  const fits = value instanceof Set || (verb === 'ADD' && (typeof value === 'number' || typeof value === 'bigint'));
  require(fits, `Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ${verb}`);
}

/** [AWS: Query, "A filter expression cannot contain partition key or sort key attributes"] */
function checkNoKey(paths: readonly Path[], { keyNames = [] }: Given): void {
  for (const [first = ''] of paths)
    require(!keyNames.includes(first), `Filter Expression can only contain non-primary key attributes: ${first}`);
}

function roughBytes(value: unknown): number {
  if (value instanceof Uint8Array) return value.byteLength;
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (value instanceof Set || Array.isArray(value))
    return [...value].reduce<number>((sum, one) => sum + roughBytes(one), 0);
  if (isFields(value)) return Object.values(value).reduce<number>((sum, one) => sum + roughBytes(one), 0);
  return 1;
}
