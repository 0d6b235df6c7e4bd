// Measures what limits.ts bounds. A function does not count the lines of functions with a name of their own inside it:
// each of those is measured by itself, so a factory of closures is measured like a class.

import { folderLimits, type Kind, limitOf } from './limits.ts';
import { isNode, type Node, parseProgram } from './source.ts';

export interface Measured {
  readonly kind: Kind;
  /** `path` of a file or folder; `path name` of what lies in one. */
  readonly name: string;
  readonly size: number;
}

interface Type {
  readonly file: string;
  readonly body: Node;
  /** Names of the interfaces that an interface extends. */
  readonly bases: readonly string[];
  readonly isInterface: boolean;
}

const functionTypes = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);
const nodesOf = (value: unknown): readonly Node[] => [value].flat().filter(isNode);
const childrenOf = (node: Node): readonly Node[] => Object.values(node).flatMap(nodesOf);

function nameOf(value: unknown): string | undefined {
  return isNode(value) && typeof value.name === 'string' ? value.name : undefined;
}

/** The name that a node gives to itself or to what it holds: `function a`, `const a =`, `a() {}`, `a:`. */
const ownName = (node: Node): string | undefined => nameOf(node.id) ?? nameOf(node.key);

/** How many lines of the text a node takes, the first and the last one included. */
function linesOf(text: string, node: Node): number {
  return text.slice(Number(node.start), Number(node.end)).split('\n').length;
}

function measureFunctions(file: string, text: string, program: Node): readonly Measured[] {
  const found: Measured[] = [];

  /** Returns the lines of named functions at or below `node`, which the function around it does not count. */
  function visit(node: Node, given: string | undefined, around: string): number {
    const isFunction = functionTypes.has(node.type);
    const name = isFunction ? (nameOf(node.id) ?? given) : undefined;
    const inside = childrenOf(node).reduce((sum, child) => sum + visit(child, ownName(node), name ?? around), 0);
    if (!isFunction) return inside;
    const lines = linesOf(text, node);
    found.push({ kind: 'function', name: `${file} ${name ?? `a callback in ${around}`}`, size: lines - inside });
    return name === undefined ? inside : lines;
  }

  visit(program, undefined, 'the module');
  return found;
}

function collectTypes(file: string, node: Node, types: Map<string, Type>): void {
  const name = nameOf(node.id);
  if (name !== undefined && node.type === 'TSInterfaceDeclaration' && isNode(node.body)) {
    const bases = nodesOf(node.extends).flatMap((base) => nameOf(base.expression) ?? []);
    types.set(name, { file, body: node.body, bases, isInterface: true });
  }
  if (name !== undefined && node.type === 'TSTypeAliasDeclaration' && isNode(node.typeAnnotation))
    types.set(name, { file, body: node.typeAnnotation, bases: [], isInterface: false });
  for (const child of childrenOf(node)) collectTypes(file, child, types);
}

/** The members of a type, once for each case of a union. References are followed as far as `types` has them. */
function casesOf(body: Node, bases: readonly string[], types: ReadonlyMap<string, Type>): readonly (readonly Node[])[] {
  const ofName = (name: string | undefined): readonly (readonly Node[])[] => {
    const type = name === undefined ? undefined : types.get(name);
    return type === undefined ? [[]] : casesOf(type.body, type.bases, types);
  };
  const joined = (all: readonly (readonly (readonly Node[])[])[]): readonly (readonly Node[])[] =>
    all.reduce((before, cases) => before.flatMap((one) => cases.map((other) => [...one, ...other])), [[]]);
  switch (body.type) {
    case 'TSInterfaceBody':
      return joined([[nodesOf(body.body)], ...bases.map(ofName)]);
    case 'TSTypeLiteral':
      return [nodesOf(body.members)];
    case 'TSUnionType':
      return nodesOf(body.types).flatMap((type) => casesOf(type, [], types));
    case 'TSIntersectionType':
      return joined(nodesOf(body.types).map((type) => casesOf(type, [], types)));
    case 'TSParenthesizedType':
      return nodesOf(body.typeAnnotation).flatMap((type) => casesOf(type, [], types));
    case 'TSTypeReference':
      return ofName(nameOf(body.typeName));
    default:
      return [[]];
  }
}

function isMethod(member: Node): boolean {
  const [annotation] = nodesOf(member.typeAnnotation);
  return member.type === 'TSMethodSignature' || nodesOf(annotation?.typeAnnotation)[0]?.type === 'TSFunctionType';
}

/** The most that one case of a type has, each name once. */
function mostOf(type: Type, types: ReadonlyMap<string, Type>, counts: (member: Node) => boolean): number {
  const cases = casesOf(type.body, type.bases, types);
  return Math.max(...cases.map((members) => new Set(members.filter(counts).map(ownName)).size));
}

const typesIn = (folder: string, programs: ReadonlyMap<string, Node>): ReadonlyMap<string, Type> => {
  const types = new Map<string, Type>();
  for (const [file, program] of programs) if (file.startsWith(`${folder}/`)) collectTypes(file, program, types);
  return types;
};

const wholeOf = (text: string): number => text.replace(/\n$/, '').split('\n').length;

/** Every folder that is bounded. */
export function measureFolders(sources: ReadonlyMap<string, string>): readonly Measured[] {
  return Object.keys(folderLimits).map((name) => {
    const files = [...sources].filter(([file]) => file.startsWith(`${name}/`));
    return { kind: 'folder', name, size: files.reduce((sum, [, text]) => sum + wholeOf(text), 0) };
  });
}

/** Every file and function, the ports, and the session record, of sources by their path. */
export function measure(sources: ReadonlyMap<string, string>): readonly Measured[] {
  const programs = new Map([...sources].map(([file, text]) => [file, parseProgram(file, text)]));
  const found: Measured[] = [];
  for (const [file, text] of sources) {
    found.push({ kind: 'file', name: file, size: wholeOf(text) });
    const program = programs.get(file);
    if (program !== undefined) found.push(...measureFunctions(file, text, program));
  }
  const ports = typesIn('shared/ports', programs);
  for (const [name, type] of ports)
    if (type.isInterface)
      found.push({ kind: 'port', name: `${type.file} ${name}`, size: mostOf(type, ports, isMethod) });
  const domain = typesIn('shared/domain', programs);
  const record = domain.get('Session');
  if (record !== undefined)
    found.push({ kind: 'record', name: `${record.file} Session`, size: mostOf(record, domain, () => true) });
  return found;
}

/** One line for each size above its limit and its ceiling, and for each exception that nothing needs. */
export function breachesOfLimits(
  measured: readonly Measured[],
  exceptions: Readonly<Record<string, number>>,
): readonly string[] {
  const sizes = new Map<string, { readonly size: number; readonly limit: number }>();
  const breaches: string[] = [];
  for (const { kind, name, size } of measured) {
    const key = `${kind} ${name}`;
    sizes.set(key, { size: Math.max(size, sizes.get(key)?.size ?? 0), limit: limitOf(kind, name) });
  }
  for (const [key, { size, limit }] of sizes) {
    const ceiling = exceptions[key] ?? limit;
    if (size > ceiling) breaches.push(`${key} is ${size}, and may be ${ceiling}`);
    else if (key in exceptions && size <= limit) breaches.push(`${key} needs no exception any more`);
  }
  for (const key of Object.keys(exceptions)) if (!sizes.has(key)) breaches.push(`${key} is not there any more`);
  return breaches;
}
