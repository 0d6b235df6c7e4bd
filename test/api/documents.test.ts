// What is said of the API, held to the API: the reference, the page, the catalogue of errors.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeProblems, problemKinds } from '../../functions/api/problems.ts';
import { type Rig, startRig } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.stop());

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security: readonly Record<string, readonly string[]>[];
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

async function readDocument(): Promise<Document> {
  return (await rig.request('GET', '/openapi.json', { token: '' })).json as Document;
}

const operationsOf = (document: Document) => Object.values(document.paths).flatMap((methods) => Object.values(methods));

test('docs/errors.md says of every code what causes it and what cures it (vitest run test/api/documents.test.ts -u writes it)', async () => {
  await expect(describeProblems()).toMatchFileSnapshot('../../docs/errors.md');
});

test('every problem that a route may answer is in the catalogue, with its status', async () => {
  const operations = operationsOf(await readDocument());
  expect(operations.length).toBeGreaterThan(20);
  for (const { responses } of operations)
    for (const [status, { description }] of Object.entries(responses))
      if (Number(status) >= 400)
        for (const code of description.split(', '))
          expect({ code, status: Object.entries(problemKinds).find(([known]) => known === code)?.[1].status }).toEqual({
            code,
            status: Number(status),
          });
});

test('the reference is OpenAPI 3.1, and names each operation once', async () => {
  const document = await readDocument();
  expect(document.openapi).toBe('3.1.0');
  const names = operationsOf(document).map((operation) => operation.operationId);
  expect(new Set(names).size).toBe(names.length);
  // Patterns of JSON Schema have no flags; one with flags would match nothing.
  expect(JSON.stringify(document)).not.toMatch(/"pattern":"[^"]*\/[a-z]+"/);
  // Every schema that is referred to is there.
  const text = JSON.stringify(document);
  const schemas = (document as unknown as { components: { schemas: object } }).components.schemas;
  for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
    expect(Object.keys(schemas)).toContain(name);
});

test('the page tells of every route, every field of a schema and every error, without a token', async () => {
  const page = await rig.request('GET', '/docs', { token: '', json: false });
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  const { paths } = await readDocument();
  for (const [path, methods] of Object.entries(paths))
    for (const method of Object.keys(methods))
      expect(page.text).toContain(`<span class="method">${method.toUpperCase()}</span> <code>${path}</code>`);
  for (const code of Object.keys(problemKinds)) expect(page.text).toContain(`id="error-${code}"`);
  for (const field of ['usernamesOverLimit', 'lastRejectedAt', 'clientIdTakeover'])
    expect(page.text).toContain(`<code>${field}</code>`);
  // Every link inside the page leads somewhere.
  for (const [, anchor] of page.text.matchAll(/href="#([^"]+)"/g)) expect(page.text).toContain(`id="${anchor}"`);
});

test('the page has no script, loads nothing, and its policy says so', async () => {
  const page = await rig.request('GET', '/docs', { token: '', json: false });
  const policy = page.headers.get('content-security-policy') ?? '';
  expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; /);
  expect(policy).not.toContain('unsafe');
  expect(page.text).not.toMatch(/<script|<link|<img|<iframe|\son[a-z]+=|style=|https?:\/\//i);
  const style = /<style>(.*?)<\/style>/s.exec(page.text)?.[1] ?? '';
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style));
  expect(policy).toContain(`'sha256-${Buffer.from(digest).toString('base64')}'`);
});
