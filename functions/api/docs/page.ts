// The reference at /docs: one page, made from the OpenAPI document and the catalogue of problems. It has no script and
// loads nothing, so that it may stand under a policy that forbids both.

import { createHash } from 'node:crypto';
import { problemKinds } from '../problems.ts';
import { type Html, html, prose } from './html.ts';
import { fieldRow, fieldsOf, fieldTable, type Schema, type Schemas, typeOf } from './schema-rows.ts';
import { style } from './style.ts';

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: Schema;
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
  readonly description?: string;
}

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Content;
  readonly responses?: Readonly<Record<string, Content>>;
}

/** An OpenAPI document, as far as the page shows it. */
export interface ApiDocument {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Schemas };
}

interface Route {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
  readonly anchor: string;
}

/** What stands in the policy for the page's one style element. */
export const styleHash = `'sha256-${createHash('sha256').update(style).digest('base64')}'`;

const schemaIn = (content: Content | undefined): Schema | undefined => Object.values(content?.content ?? {})[0]?.schema;

function routesOf(document: ApiDocument): readonly Route[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation,
      anchor: operation.operationId ?? `${method}${path}`,
    })),
  );
}

function body(title: string, schema: Schema | undefined, schemas: Schemas): Html | undefined {
  if (schema === undefined) return undefined;
  const fields = fieldTable(fieldsOf(schema, schemas));
  return html`<h4>${title}</h4>${fields ?? html`<p>${typeOf(schema)}</p>`}`;
}

function answer(status: string, response: Content): Html {
  const schema = schemaIn(response);
  if (Number(status) >= 400) {
    const codes = (response.description ?? '').split(', ');
    const links = codes.map((code, n) => html`${n > 0 ? ', ' : ''}<a href="#error-${code}"><code>${code}</code></a>`);
    return html`<tr><th scope="row">${status}</th><td>${links}</td></tr>`;
  }
  const shape = schema === undefined ? '' : `: ${typeOf(schema)}`;
  return html`<tr><th scope="row">${status}</th><td>${prose(response.description ?? '')}${shape}</td></tr>`;
}

function section({ method, path, operation, anchor }: Route, schemas: Schemas): Html {
  const parameters = (operation.parameters ?? []).map((given) =>
    fieldRow(given.name, given.schema ?? {}, given.required === true, given.description),
  );
  const responses = Object.entries(operation.responses ?? {});
  const shown = responses.find(([status, response]) => Number(status) < 300 && schemaIn(response) !== undefined)?.[1];
  return html`<section id="${anchor}"><h3><span class="method">${method}</span> <code>${path}</code></h3>
<p>${prose(operation.summary ?? '')}. ${prose(operation.description ?? '')}</p>
${parameters.length === 0 ? '' : html`<h4>Parameters</h4>${fieldTable(parameters)}`}
${body('Body', schemaIn(operation.requestBody), schemas)}
${body('Answer', schemaIn(shown), schemas)}
<h4>Statuses</h4><div class="scroll"><table><tbody>${responses.map(([status, response]) => answer(status, response))}</tbody></table></div>
</section>`;
}

export function renderReference(document: ApiDocument): string {
  const routes = routesOf(document);
  const schemas = document.components?.schemas ?? {};
  const links = routes.map(
    ({ method, path, anchor }) =>
      html`<li><a href="#${anchor}"><span class="method">${method}</span><code>${path}</code></a></li>`,
  );
  const named = Object.entries(schemas).map(
    ([name, schema]) =>
      html`<section id="schema-${name}"><h3>${name}</h3>${fieldTable(fieldsOf(schema, schemas))}</section>`,
  );
  const problems = Object.entries(problemKinds).map(
    ([code, { status, cause, cure }]) =>
      html`<tr id="error-${code}"><th scope="row"><code>${code}</code></th><td>${status}</td><td>${prose(cause)}</td><td>${prose(cure)}</td></tr>`,
  );
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Headcount: HTTP API</title><style>${{ html: style }}</style></head><body><main>
<h1>Headcount: HTTP API</h1>
<p>JSON over HTTP. Send <code>Authorization: Bearer &lt;token&gt;</code>. Times are RFC 3339 in UTC. Lists hold <code>items</code>, and <code>nextCursor</code> while more follows. A username or client id in a path is percent-encoded, or <code>~</code> and the base64url of its UTF-8 bytes; the second form survives every gateway. The same for machines: <a href="openapi.json">openapi.json</a>.</p>
<nav aria-label="Routes"><ul>${links}</ul></nav>
<h2>Routes</h2>${routes.map((route) => section(route, schemas))}
<h2>Schemas</h2>${named}
<h2>Errors</h2><p>Every error is <code>application/problem+json</code> with a stable <code>code</code>.</p>
<div class="scroll"><table><thead><tr><th scope="col">code</th><th scope="col">status</th><th scope="col">cause</th><th scope="col">cure</th></tr></thead><tbody>${problems}</tbody></table></div>
</main></body></html>
`.html;
}
