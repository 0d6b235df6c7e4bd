// A route as OpenAPI 3.1 has it: what it reads, what it answers, and each problem that it may answer with.

import type { RouteConfig } from '@hono/zod-openapi';
import { z } from '@hono/zod-openapi';
import { type ProblemCode, problemKinds } from './problems.ts';
import type { Common } from './route.ts';
import { problemSchema } from './schemas.ts';

const parameters: Readonly<Record<string, string>> = {
  deploymentId: 'The id of the deployment',
  username: 'Percent-encoded, or `~` and the base64url of its UTF-8 bytes',
  clientId: 'Percent-encoded, or `~` and the base64url of its UTF-8 bytes; without the prefix of the deployment',
  operationId: 'The id of the operation',
};

function codesOf<P, Q, B>(route: Common<P, Q, B>): readonly ProblemCode[] {
  return [
    'request.invalid',
    'unauthorized',
    'requests.too_many',
    'forbidden',
    ...(route.path.includes('{deploymentId}') ? (['deployment.not_found'] as const) : []),
    ...(route.body === undefined ? [] : (['body.malformed', 'body.too_large', 'body.unsupported_type'] as const)),
    ...(route.honours === 'if-match' ? (['precondition.failed'] as const) : []),
    ...(route.starts === undefined ? [] : (['operations.too_many'] as const)),
    ...(route.path.includes('{deploymentId}') && route.method !== 'get' && route.whileDeleting !== true
      ? (['deployment.deleting'] as const)
      : []),
    ...(route.problems ?? []),
    'internal',
    'store.unavailable',
  ];
}

function problemResponses(codes: readonly ProblemCode[]): RouteConfig['responses'] {
  const statuses = [...new Set(codes.map((code) => problemKinds[code].status))];
  return Object.fromEntries(
    statuses.map((status) => {
      const own = codes.filter((code) => problemKinds[code].status === status);
      const schema = problemSchema.extend({ code: z.enum(own) });
      return [status, { description: own.join(', '), content: { 'application/problem+json': { schema } } }];
    }),
  );
}

const preconditions = z.object({
  'if-match': z.string().optional().openapi({ description: 'Only if the version is one of these: ETags, or *' }),
  'if-none-match': z
    .string()
    .optional()
    .openapi({ description: 'Only if the version is none of these: ETags, or * for any' }),
});

const idempotencyKey = z.object({
  'idempotency-key': z.string().min(1).max(255).optional().openapi({
    description: 'The same key answers what the first request made, for a day: visible ASCII characters',
  }),
});

const headersOf = { 'if-match': preconditions, 'idempotency-key': idempotencyKey } as const;

export function describeRoute<P, Q, B>(route: Common<P, Q, B>): RouteConfig {
  const names = [...route.path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1] ?? '');
  const params = names.map((name) => [name, z.string().openapi({ description: parameters[name] ?? name })]);
  const scopes = [route.scope, ...(route.orScope === undefined ? [] : [route.orScope])];
  return {
    method: route.method,
    path: route.path,
    operationId: `${route.method}${route.path.replace('/v1', '').replaceAll(/[^A-Za-z]+([A-Za-z]?)/g, (_, first: string) => first.toUpperCase())}`,
    summary: route.summary,
    description: scopes.map((scope) => `Scope: \`${scope}\``).join(', or for what one may start: '),
    security: scopes.map((scope) => ({ bearer: [scope] })),
    request: {
      ...(names.length === 0 ? {} : { params: z.object(Object.fromEntries(params)) }),
      ...(route.query instanceof z.ZodObject ? { query: route.query } : {}),
      ...(route.honours === undefined ? {} : { headers: headersOf[route.honours] }),
      ...(route.body === undefined
        ? {}
        : { body: { required: true, content: { 'application/json': { schema: route.body.schema } } } }),
    },
    responses: { ...route.responses, ...problemResponses(codesOf(route)) },
  };
}
