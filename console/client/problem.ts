// What can go wrong with a request, as one error type with a stable code. A problem document [RFC 9457] is told apart
// from an answer that is none, and both from no answer at all.

import type { Fault, Scope } from './types.ts';

export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;
  readonly code: string;
  /** One entry per fault of the request, where the API named them. */
  readonly faults: readonly Fault[];
  /** Undefined where nothing answered. */
  readonly requestId: string | undefined;
  /** The scope of the route that was asked. */
  readonly scope: Scope | undefined;

  constructor(about: {
    readonly status: number;
    readonly code: string;
    readonly detail: string;
    readonly faults?: readonly Fault[];
    readonly requestId?: string | undefined;
    readonly scope?: Scope | undefined;
    readonly cause?: unknown;
  }) {
    super(about.detail, { cause: about.cause });
    this.status = about.status;
    this.code = about.code;
    this.faults = about.faults ?? [];
    this.requestId = about.requestId;
    this.scope = about.scope;
  }
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function faultsIn(body: unknown): readonly Fault[] {
  const errors = property(body, 'errors');
  if (!Array.isArray(errors)) return [];
  return errors.flatMap((entry: unknown) => {
    const where = property(entry, 'in');
    const [name, detail] = [textOf(property(entry, 'name')), textOf(property(entry, 'detail'))];
    const known = where === 'path' || where === 'query' || where === 'header' || where === 'body';
    return known && name !== undefined && detail !== undefined ? [{ in: where, name, detail }] : [];
  });
}

/** The problem that an answer of 4xx or 5xx tells of. */
export async function parseProblem(answer: Response, scope: Scope): Promise<ApiProblem> {
  const body: unknown = await answer.json().catch(() => undefined);
  return new ApiProblem({
    status: answer.status,
    code: textOf(property(body, 'code')) ?? 'answer.not_understood',
    detail: textOf(property(body, 'detail')) ?? `The server answered ${answer.status}.`,
    faults: faultsIn(body),
    requestId: answer.headers.get('x-request-id') ?? undefined,
    scope,
  });
}

export function unreachable(scope: Scope, cause: unknown): ApiProblem {
  const detail = 'The server does not answer. Check the connection and try again.';
  return new ApiProblem({ status: 0, code: 'unreachable', detail, scope, cause });
}

/** The server has no such route: it is older than this client. */
export function isNotOffered(problem: ApiProblem): boolean {
  return problem.code === 'route.not_found' || problem.code === 'method.not_allowed';
}
