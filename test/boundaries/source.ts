// Reads one source file for the boundary check: what it imports, and which globals it reaches for. It works on the
// syntax tree, so that a comment, a string or a property of the same name is no finding, and `import type` is one.

import { parseAst } from 'vitest/node';

export interface Import {
  /** Undefined where it is no literal. */
  readonly specifier: string | undefined;
  /** `import type`, which leaves no trace at run time. */
  readonly typesOnly: boolean;
}

export interface Source {
  /** Of import, export-from, `import()` and `import('…')` types. */
  readonly imports: readonly Import[];
  /** Globals and members that bring in time, chance, the environment or I/O, as `Date.now` or `setTimeout`. */
  readonly impurities: readonly string[];
}

export type Node = Readonly<Record<string, unknown>> & { readonly type: string };

const impureGlobals = new Set([
  'process',
  'globalThis',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'performance',
  'crypto',
  'fetch',
  'console',
]);
const impureMembers = new Set(['Date.now', 'Math.random']);

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function nameOf(value: unknown): string | undefined {
  return isNode(value) && value.type === 'Identifier' && typeof value.name === 'string' ? value.name : undefined;
}

/** The name of a member, written `a.b` or `a['b']`. */
function memberOf(node: Node): string | undefined {
  const property = node.property;
  if (node.computed !== true) return nameOf(property);
  return isNode(property) && typeof property.value === 'string' ? property.value : undefined;
}

function importOf(node: Node): Import | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
    case 'ImportExpression':
    case 'TSImportType': {
      const source = node.source;
      if (source === null || source === undefined) return undefined;
      return {
        specifier: isNode(source) && typeof source.value === 'string' ? source.value : undefined,
        typesOnly: node.importKind === 'type' || node.type === 'TSImportType',
      };
    }
    default:
      return undefined;
  }
}

function impurityOf(node: Node): string | undefined {
  if (node.type === 'NewExpression' || node.type === 'CallExpression') {
    // `new Date(at)` only formats a time it was given; without one it reads the clock, and so does `Date()` always.
    const readsClock = node.type === 'CallExpression' || (Array.isArray(node.arguments) && node.arguments.length === 0);
    if (nameOf(node.callee) === 'Date' && readsClock) return node.type === 'NewExpression' ? 'new Date()' : 'Date()';
  }
  if (node.type === 'MemberExpression') {
    const path = `${nameOf(node.object)}.${memberOf(node)}`;
    return impureMembers.has(path) ? path : undefined;
  }
  const name = nameOf(node);
  return name !== undefined && impureGlobals.has(name) ? name : undefined;
}

/** A name that only labels something (`log.console`, `{ fetch: 1 }`) is no use of the global. */
function isLabel(parent: Node, field: string): boolean {
  if (parent.computed === true) return false;
  if (parent.type === 'MemberExpression' || parent.type === 'TSQualifiedName')
    return field === 'property' || field === 'right';
  return field === 'key' && parent.shorthand !== true;
}

/** The names that a pattern binds: `a`, `{ a, b: [c = 1] }`, `...rest`. */
function namesIn(pattern: unknown): readonly string[] {
  if (Array.isArray(pattern)) return pattern.flatMap(namesIn);
  if (!isNode(pattern)) return [];
  const name = nameOf(pattern);
  if (name !== undefined) return [name];
  const parts = [pattern.properties, pattern.elements, pattern.argument, pattern.left, pattern.parameter];
  return [...parts, pattern.type === 'Property' ? pattern.value : undefined].flatMap(namesIn);
}

const childrenOf = (node: Node): readonly Node[] => Object.values(node).flat().filter(isNode);

/** The names that are declared in a scope, functions inside it left out. */
function namesDeclaredIn(node: Node): readonly string[] {
  return childrenOf(node).flatMap((child) => {
    const own = child.type.startsWith('Import') ? namesIn(child.local) : namesIn(child.id);
    return [...own, ...(Array.isArray(child.params) ? [] : namesDeclaredIn(child))];
  });
}

export function parseProgram(path: string, text: string): Node {
  const program: unknown = parseAst(text, { lang: path.endsWith('x') ? 'tsx' : 'ts' }, path);
  if (!isNode(program)) throw new Error(`no syntax tree for ${path}`);
  return program;
}

export function readSource(path: string, text: string): Source {
  const imports: Import[] = [];
  const impurities: string[] = [];

  function visit(node: Node, outer: ReadonlySet<string>): void {
    // A parameter or a constant called `crypto` is not the global of that name.
    const isScope = node.type === 'Program' || Array.isArray(node.params);
    const declared = isScope ? new Set([...outer, ...namesIn(node.params), ...namesDeclaredIn(node)]) : outer;
    const found = importOf(node);
    if (found !== undefined) imports.push(found);
    const impurity = impurityOf(node);
    if (impurity !== undefined && !declared.has(impurity)) impurities.push(impurity);
    for (const [field, value] of Object.entries(node)) {
      if (isLabel(node, field)) continue;
      for (const child of [value].flat()) if (isNode(child)) visit(child, declared);
    }
  }

  visit(parseProgram(path, text), new Set());
  return { imports, impurities };
}
