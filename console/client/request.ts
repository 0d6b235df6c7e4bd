// One request to the API: where, with which token, and what its answer is.

import { ApiProblem, parseProblem, unreachable } from './problem.ts';
import { type PageRequest, type Scope, scopes, type Versioned } from './types.ts';

export interface ClientOptions {
  /** Where `/v1` is; empty for the page's own origin. */
  readonly baseUrl: string;
  /** Asked before each request, as tokens are renewed. Undefined: none is sent. */
  readonly token: () => Promise<string | undefined>;
  readonly fetch?: typeof fetch;
  /** Told of each problem before it is thrown, as an expired sign-in or a missing scope. */
  readonly onProblem?: (problem: ApiProblem) => void;
  /** Told with each answer that lists them: what the API lets this caller do. */
  readonly onScopes?: (granted: readonly Scope[]) => void;
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From `/v1`. */
  readonly path: string;
  /** What the route asks of a token. */
  readonly scope: Scope;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: object;
  readonly ifMatch?: string | undefined;
  /** Only where there is nothing yet. */
  readonly mustBeNew?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export type Send = <T>(call: Call) => Promise<Versioned<T>>;

export function pageQuery({ limit, cursor }: PageRequest): { limit: number | undefined; cursor: string | undefined } {
  return { limit, cursor };
}

function urlOf(baseUrl: string, { path, query = {} }: Call): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const search = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]));
  return `${baseUrl}/v1${path}${given.length === 0 ? '' : `?${search}`}`;
}

export function createSend(options: ClientOptions): Send {
  const ask = options.fetch ?? ((...given: Parameters<typeof fetch>) => fetch(...given));

  async function attempt(call: Call): Promise<Response> {
    const token = await options.token();
    const { method, body, ifMatch, mustBeNew, signal, scope } = call;
    try {
      return await ask(urlOf(options.baseUrl, call), {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
          ...(mustBeNew === true ? { 'if-none-match': '*' } : {}),
        },
        // The token is all that says who asks: a cookie must never.
        credentials: 'omit',
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (cause) {
      if (signal?.aborted === true) throw cause;
      throw unreachable(scope, cause);
    }
  }

  return async <T>(call: Call): Promise<Versioned<T>> => {
    try {
      const answer = await attempt(call);
      const listed = answer.headers.get('x-scopes')?.split(' ');
      if (listed !== undefined) options.onScopes?.(scopes.filter((scope) => listed.includes(scope)));
      if (!answer.ok) throw await parseProblem(answer, call.scope);
      // What the API answers is what its schemas say; the types are inferred from those.
      const value = (answer.status === 204 ? undefined : await answer.json()) as T;
      return { value, etag: answer.headers.get('etag') ?? undefined };
    } catch (error) {
      if (error instanceof ApiProblem) options.onProblem?.(error);
      throw error;
    }
  };
}
