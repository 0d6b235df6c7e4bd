// What a route answers, apart from how it is sent. Errors are problem documents [RFC 9457] with a stable code.

import { STATUS_CODES } from 'node:http';
import type { Scope } from './principal.ts';
import type { ProblemCode, problemKinds } from './problems.ts';

/** One fault of a request. */
export interface RequestFault {
  readonly in: 'path' | 'query' | 'header' | 'body';
  readonly name: string;
  readonly detail: string;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export function ok(body: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status: 200, body, headers };
}

export const noContent: Answer = { status: 204 };

/** The status goes with the code: one that differs from the catalogue is not compiled. */
export function problem<Code extends ProblemCode>(
  status: (typeof problemKinds)[Code]['status'],
  code: Code,
  detail: string,
  more: { readonly errors?: readonly RequestFault[]; readonly headers?: Readonly<Record<string, string>> } = {},
): Answer {
  return {
    status,
    body: {
      type: `urn:headcount:problem:${code}`,
      title: STATUS_CODES[status] ?? 'Error',
      status,
      detail,
      code,
      ...(more.errors === undefined ? {} : { errors: more.errors }),
    },
    headers: { ...more.headers, 'content-type': 'application/problem+json' },
  };
}

export function invalid(errors: readonly RequestFault[]): Answer {
  const named = [...new Set(errors.map((fault) => fault.name).filter((name) => name !== ''))].slice(0, 10);
  const detail = named.length === 0 ? 'The request is not valid.' : `The request is not valid: ${named.join(', ')}.`;
  return problem(400, 'request.invalid', detail, { errors });
}

// The same bytes whether a deployment never existed, is another tenant's, or has an id that none can have (S19).
export const deploymentNotFound = problem(404, 'deployment.not_found', 'There is no such deployment.');

export const forbidden = (scope: Scope): Answer => problem(403, 'forbidden', `This needs the scope ${scope}.`);

export const deploymentDeleting = problem(409, 'deployment.deleting', 'This deployment is being deleted.');

/** Where to read how far the operation is that a change has started. */
export function startedBy(operationId: string | undefined): Readonly<Record<string, string>> {
  return operationId === undefined ? {} : { location: `/v1/operations/${operationId}` };
}

/** It goes on in the background; `Location` says where to read how far it is. */
export function accepted(operationId: string): Answer {
  return { status: 202, body: { operationId }, headers: startedBy(operationId) };
}

export const clientNotFound = problem(404, 'client.not_found', 'There is no live session of this client id.');

export const storeUnavailable = problem(503, 'store.unavailable', 'The database did not answer in time. Try again.', {
  headers: { 'retry-after': '1' },
});

export const internalError = problem(500, 'internal', 'Something went wrong here. It has been logged.');

export function render(answer: Answer): Response {
  const body = answer.body === undefined ? null : JSON.stringify(answer.body);
  const type: Record<string, string> = body === null ? {} : { 'content-type': 'application/json' };
  return new Response(body, { status: answer.status, headers: { ...type, ...answer.headers } });
}
