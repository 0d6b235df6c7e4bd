// A JSON Schema in words a person reads: one row for each field.

import { type Html, html, prose } from './html.ts';

/** What a document may hold where a schema stands; only what is used is named. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

export type Schemas = Readonly<Record<string, Schema>>;

const nameOf = (ref: string): string => ref.slice(ref.lastIndexOf('/') + 1);

function range(from: number | undefined, to: number | undefined, unit: string): string {
  if (from === undefined && to === undefined) return '';
  if (to === undefined) return ` ≥ ${from}${unit}`;
  return from === undefined ? ` ≤ ${to}${unit}` : ` ${from} to ${to}${unit}`;
}

/** In a few words: a type, its values, its bounds. */
export function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return nameOf(schema.$ref);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' | ');
  if (schema.allOf !== undefined) return schema.allOf.map(typeOf).join(' & ');
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? ['anything']);
  if (types.includes('array'))
    return `list of ${typeOf(schema.items ?? {})}${range(undefined, schema.maxItems, ' entries')}`;
  const bounds = range(schema.minimum, schema.maximum, '') + range(schema.minLength, schema.maxLength, ' characters');
  return `${schema.format ?? types.join(' | ')}${bounds}`;
}

export function fieldRow(name: string, schema: Schema, required: boolean, note?: string): Html {
  const described = note ?? schema.description;
  const standard = schema.default === undefined ? '' : ` Default: \`${JSON.stringify(schema.default)}\`.`;
  return html`<tr><th scope="row"><code>${name}</code>${required ? '' : html` <span class="optional">optional</span>`}</th><td>${typeOf(schema)}</td><td>${prose(`${described ?? ''}${standard}`)}</td></tr>`;
}

export function fieldTable(rows: readonly Html[]): Html | undefined {
  if (rows.length === 0) return undefined;
  return html`<div class="scroll"><table><thead><tr><th scope="col">name</th><th scope="col">type</th><th scope="col">what</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** The fields of an object, those of the schemas that it extends first. */
export function fieldsOf(schema: Schema, schemas: Schemas): readonly Html[] {
  if (schema.$ref !== undefined) return fieldsOf(schemas[nameOf(schema.$ref)] ?? {}, schemas);
  const inherited = (schema.allOf ?? []).flatMap((each) => fieldsOf(each, schemas));
  const own = Object.entries(schema.properties ?? {}).map(([name, field]) =>
    fieldRow(name, field, schema.required?.includes(name) ?? false),
  );
  return [...inherited, ...own];
}
