// YAML as it was written. A reader of YAML takes `007` for 7, `1e3` for 1000, `~` and `yes` for no text at all, and which of
// them it takes depends on its version. Here a scalar is its own text or a fault, for names and values alike.

import { isUtf8 } from 'node:buffer';
import {
  Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type ParsedNode,
  Parser,
  parseDocument,
} from 'yaml';
import { quoted, shortened } from './shown-text.ts';

export interface FileFault {
  readonly line: number;
  readonly problem: string;
}

export type Written =
  | { readonly kind: 'scalar'; readonly line: number; readonly text: string; readonly style: Style }
  | { readonly kind: 'map'; readonly line: number; readonly fields: ReadonlyMap<string, Field> }
  | { readonly kind: 'list'; readonly line: number; readonly items: readonly Written[] }
  | { readonly kind: 'nothing'; readonly line: number };

/** `ambiguous`: without quotes, and some version of YAML takes it for a number, a date, true, false or nothing. */
type Style = 'quoted' | 'plain' | 'ambiguous';

export interface Field {
  readonly line: number;
  readonly value: Written;
}

const versions = [new Document(null, { version: '1.1', schema: 'yaml-1.1' }), new Document(null, { schema: 'core' })];
const tags = versions.flatMap(({ schema }) => schema.tags);

const isAmbiguous = (text: string): boolean =>
  tags.some((tag) => tag.default && 'test' in tag && tag.test?.test(text) === true);

/** The deepest text of a file that says something has three lists or maps around it. */
const depthMax = 16;
const nesting: ReadonlySet<string> = new Set(['block-map', 'block-seq', 'flow-collection']);

export const ambiguity = (text: string): string =>
  `${shortened(text)} is not plain text in every version of YAML: write ${quoted(text)}`;

/** Undefined as contents: the file is empty, or has faults. */
export function readYaml(bytes: Uint8Array): { readonly contents: Written | undefined; readonly faults: FileFault[] } {
  const faults: FileFault[] = [];
  const decoded = decode(bytes);
  if (typeof decoded !== 'string') return { contents: undefined, faults: [decoded] };
  const source: string = decoded;
  const deep = lineTooDeep(source);
  if (deep !== undefined)
    return { contents: undefined, faults: [{ line: deep, problem: `nested more than ${depthMax} levels deep` }] };
  const lines = new LineCounter();
  // Of this schema every scalar is text. Duplicates are looked for below, in time that grows with the file only.
  const document = parseDocument(source, { lineCounter: lines, schema: 'failsafe', uniqueKeys: false });
  for (const { linePos, message } of [...document.errors, ...document.warnings])
    faults.push({
      line: linePos?.[0].line ?? 1,
      problem: (message.split('\n')[0] ?? message).replace(/ at line .*/, ''),
    });
  for (const [place, line] of source.split('\n').entries())
    if (line.startsWith('%')) faults.push({ line: place + 1, problem: 'a directive of YAML is not read here' });
  if (faults.length > 0) return { contents: undefined, faults };

  const lineOf = (node: { readonly range?: readonly number[] | null | undefined }): number =>
    lines.linePos(node.range?.[0] ?? 0).line;
  const fault = (line: number, problem: string): void => {
    faults.push({ line, problem });
  };

  function read(node: ParsedNode | null, lineAbove: number): Written {
    if (node === null) return { kind: 'nothing', line: lineAbove };
    const line = lineOf(node);
    if (isAlias(node) || node.anchor !== undefined) fault(line, 'anchors and aliases are not read here: write it out');
    else if (node.tag !== undefined) fault(line, `the tag ${shortened(node.tag)} is not read here: leave it out`);
    if (isMap(node)) return { kind: 'map', line, fields: readFields(node.items as readonly PairOfNodes[], line) };
    if (isSeq(node)) return { kind: 'list', line, items: node.items.map((item) => read(item as ParsedNode, line)) };
    if (!isScalar(node)) return { kind: 'nothing', line };
    const [from, to] = node.range;
    if (source.slice(from, to).includes('\n') || node.type?.startsWith('BLOCK') === true)
      fault(line, 'a text is written in one line here');
    const text = String(node.value);
    if (node.type !== 'PLAIN') return { kind: 'scalar', line, text, style: 'quoted' };
    if (text === '') return { kind: 'nothing', line: lineAbove };
    return { kind: 'scalar', line, text, style: isAmbiguous(text) ? 'ambiguous' : 'plain' };
  }

  function readFields(pairs: readonly PairOfNodes[], lineOfMap: number): ReadonlyMap<string, Field> {
    const fields = new Map<string, Field>();
    for (const pair of pairs) {
      const key = read(pair.key, lineOfMap);
      const value = read(pair.value, key.line);
      if (key.kind !== 'scalar') {
        fault(key.line, 'a name must be one text');
        continue;
      }
      const { text, line } = key;
      if (key.style === 'ambiguous') fault(line, ambiguity(text));
      const first = fields.get(text);
      if (first === undefined) fields.set(text, { line, value });
      else fault(line, `${quoted(text)} is here twice: the first is in line ${first.line}`);
    }
    return fields;
  }

  return { contents: document.contents === null ? undefined : read(document.contents as ParsedNode, 1), faults };
}

/**
 * Where lists and maps are nested too deep, if they are. The parser keeps what is open in a list, and composes by recursion:
 * its own stack would end first.
 */
function lineTooDeep(source: string): number | undefined {
  const lines = new LineCounter();
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  for (const lexeme of new Lexer().lex(source)) {
    for (const _ of parser.next(lexeme));
    if (parser.stack.filter(({ type }) => nesting.has(type)).length > depthMax)
      return lines.linePos(parser.offset).line;
  }
  return undefined;
}

interface PairOfNodes {
  readonly key: ParsedNode | null;
  readonly value: ParsedNode | null;
}

/** A byte that is no UTF-8 would be read as U+FFFD, which is another text. */
function decode(bytes: Uint8Array): string | FileFault {
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  try {
    return utf8.decode(bytes);
  } catch {
    const lines = Buffer.from(bytes).toString('latin1').split('\n');
    const line = lines.findIndex((text) => !isUtf8(Buffer.from(text, 'latin1')));
    return { line: line + 1, problem: 'the file must be UTF-8' };
  }
}
