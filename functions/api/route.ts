// One route: who may call it, what it reads, what it answers. Everything that all routes have in common happens here,
// in one order: token (401), the tenant's share (429), deployment (404), scope (403), then every fault of path, query,
// header and body at once (400). A stranger to a deployment gets no further than its 404 (S19). Without a valid token
// nothing is read of the body, and nothing of the table.

import type { OpenAPIHono, RouteConfig } from '@hono/zod-openapi';
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Checked } from '../../shared/app/common/fault.ts';
import type { Caller, Expected } from '../../shared/app/settings/expected.ts';
import { runningOperationsMax } from '../../shared/config/constants.ts';
import { type DeploymentId, type Parsed, parseDeploymentId, type TenantId } from '../../shared/domain/ids.ts';
import type { OperationStore } from '../../shared/ports/operations/operations.ts';
import type { DeploymentStore, IdempotencyKey, StoredDeployment } from '../../shared/ports/settings/settings.ts';
import {
  type Answer,
  deploymentDeleting,
  deploymentNotFound,
  forbidden,
  invalid,
  problem,
  type RequestFault,
  render,
} from './answer.ts';
import { readJson, receive, type Sent } from './body.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { describeRoute } from './describe-route.ts';
import { parseIdempotencyKey } from './idempotency-key.ts';
import { decodeSegment } from './path-segment.ts';
import { parsePrecondition } from './precondition.ts';
import type { Authenticate, Principal, Scope } from './principal.ts';
import type { ProblemCode } from './problems.ts';
import { createShare, shareBounds, type Weight } from './shares.ts';

export interface Call<P, Q, B> {
  readonly principal: Principal;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** For changes: who asks, and what it expects to find. */
  readonly caller: Caller;
  /** Of a route that honours it. */
  readonly idempotencyKey: IdempotencyKey | undefined;
  /** The last name of the page before, from the cursor. */
  readonly after: string | undefined;
  /** `{items, nextCursor?}`; `last` is the name that the next page comes after. */
  readonly page: (items: readonly unknown[], last: string | undefined) => Answer;
}

export type DeploymentCall<P, Q, B> = Call<P, Q, B> & { readonly deployment: StoredDeployment };

/** On a route without a deployment there is no `id`, and parsers take none. */
export type ParamParser<T> = (raw: string, id: DeploymentId) => Parsed<T>;

export interface Common<P, Q, B> {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** In the notation of OpenAPI. */
  readonly path: string;
  readonly scope: Scope;
  /** Good for some of it, in place of `scope`; what, the route decides. */
  readonly orScope?: Scope;
  readonly summary: string;
  readonly params?: { readonly [K in keyof P]: ParamParser<P[K]> };
  /** A strict object: a parameter that it does not know is a fault. */
  readonly query?: z.ZodType<Q>;
  readonly body?: {
    readonly parse: (raw: unknown) => Checked<B>;
    readonly maxBytes: number;
    /** What the reference says of it. */
    readonly schema: z.ZodType;
  };
  readonly honours?: 'if-match' | 'idempotency-key';
  /** Which share of the tenant it is work of; `ordinary` unless told. */
  readonly weight?: Weight;
  /** Whether it starts an operation: of those a tenant may have so many. */
  readonly starts?: (body: B) => boolean;
  /** The 404 of an object that is not the tenant's, where the path names one that is no deployment. */
  readonly absent?: (tenantId: TenantId, segments: Readonly<Record<string, string>>) => Promise<Answer | undefined>;
  /** A change that is taken also while the deployment is being deleted; others would outlive it. */
  readonly whileDeleting?: true;
  readonly responses: RouteConfig['responses'];
  /** What else it may answer than every route of its kind. */
  readonly problems?: readonly ProblemCode[];
}

export interface DeploymentRoute<P, Q, B> extends Common<P, Q, B> {
  readonly handle: (call: DeploymentCall<P, Q, B>) => Promise<Answer>;
}

export interface TenantRoute<P, Q, B> extends Common<P, Q, B> {
  readonly params?: { readonly [K in keyof P]: (raw: string) => Parsed<P[K]> };
  readonly handle: (call: Call<P, Q, B>) => Promise<Answer>;
}

export interface RouterPorts {
  readonly settings: Pick<DeploymentStore, 'getDeployment'>;
  readonly authenticate: Authenticate;
  readonly starts: { readonly operations: Pick<OperationStore, 'countRunning'> };
}

type Handle<P, Q, B> = (call: Call<P, Q, B>, deployment: StoredDeployment | undefined) => Promise<Answer>;

const noQuery = z.strictObject({});

/** Lists the caller's scopes: a token alone does not tell them, since the role of a person may allow fewer. */
const scopesHeader = 'x-scopes';

export const unauthorized = problem(401, 'unauthorized', 'A valid bearer token is needed.', {
  headers: { 'www-authenticate': 'Bearer' },
});

function tooMany({ present, retryAfterSeconds }: (typeof shareBounds)[Weight]): Answer {
  return problem(
    429,
    'requests.too_many',
    `This tenant has ${present} requests of this kind under way, the most that it may have at once.`,
    { headers: { 'retry-after': String(retryAfterSeconds) } },
  );
}

const tooManyOperations = problem(
  429,
  'operations.too_many',
  `This tenant has ${runningOperationsMax} operations running, the most that it may have at once.`,
  { headers: { 'retry-after': '10' } },
);

/** The raw segments that stand where the path names them; Hono's own are decoded already, and leniently. */
function rawSegments(path: string, url: string): Readonly<Record<string, string>> {
  const given = new URL(url).pathname.split('/');
  const named = path.split('/').flatMap((part, place) => {
    const name = /^\{(.+)\}$/.exec(part)?.[1];
    return name === undefined ? [] : [[name, given[place] ?? ''] as const];
  });
  return Object.fromEntries(named);
}

function parseParams<P>(
  parsers: { readonly [K in keyof P]: ParamParser<P[K]> } | undefined,
  segments: Readonly<Record<string, string>>,
  id: DeploymentId | undefined,
  faults: RequestFault[],
): Partial<P> {
  const params: Partial<P> = {};
  if (parsers === undefined) return params;
  for (const name in parsers) {
    const decoded = decodeSegment(segments[name] ?? '');
    const parsed = decoded.ok ? parsers[name](decoded.value, id as DeploymentId) : decoded;
    if (parsed.ok) params[name] = parsed.value;
    else faults.push({ in: 'path', name, detail: parsed.problem });
  }
  return params;
}

/** Names of parameters that are no UTF-8; `URLSearchParams` would read them all the same, as something else. */
function undecodable(search: string): readonly string[] {
  return search
    .slice(1)
    .split('&')
    .filter((pair) => !isDecodable(pair))
    .map((pair) => pair.split('=', 1)[0] ?? '')
    .map((name) => (isDecodable(name) ? decodeURIComponent(name) : name));
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function parseQuery<Q>(schema: z.ZodType<Q>, url: string, faults: RequestFault[]): Q | undefined {
  const { search, searchParams: given } = new URL(url);
  const illegible = new Set(undecodable(search));
  for (const name of illegible) faults.push({ in: 'query', name, detail: 'must be percent-encoded UTF-8' });
  if (illegible.size > 0) return undefined;
  for (const name of new Set(given.keys()))
    if (given.getAll(name).length > 1) faults.push({ in: 'query', name, detail: 'must be given once' });
  const parsed = schema.safeParse(Object.fromEntries(given));
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    if (issue.code === 'unrecognized_keys')
      for (const name of issue.keys) faults.push({ in: 'query', name, detail: 'is not a parameter of this request' });
    else faults.push({ in: 'query', name: issue.path.join('.'), detail: issue.message });
  }
  return undefined;
}

/** Whose list, and its filters, written the same way every time; how long its pages are is none of them. */
export function bindingOf(tenantId: TenantId, path: string, segments: object, query: unknown): string {
  const filters = Object.entries(query ?? {}).filter(([name]) => name !== 'cursor' && name !== 'limit');
  return JSON.stringify([tenantId, path, segments, filters.sort(([a], [b]) => (a < b ? -1 : 1))]);
}

function bearerOf(c: Context): string {
  return /^Bearer +([^ ]+) *$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? '';
}

export function createRouter(app: OpenAPIHono, ports: RouterPorts) {
  const methods = new Map<string, Set<string>>();
  const shares = {
    ordinary: createShare(shareBounds.ordinary),
    heavy: createShare(shareBounds.heavy),
    outside: createShare(shareBounds.outside),
  };

  async function serve<P, Q, B>(c: Context, route: Common<P, Q, B>, handle: Handle<P, Q, B>): Promise<Answer> {
    const token = bearerOf(c);
    const principal = token === '' ? undefined : await ports.authenticate(token, c.env);
    if (principal === undefined) return unauthorized;
    const weight = route.weight ?? 'ordinary';
    const part = shares[weight].enter(principal.tenantId);
    if (part === undefined) return tooMany(shareBounds[weight]);
    try {
      // Before its turn: a tenant that sends slowly holds up no other one.
      const sent = route.body === undefined ? undefined : await receive(c.req.raw, route.body.maxBytes);
      const answered = await part.inTurn(() => answer(c, route, handle, principal, sent), c.req.raw.signal);
      // The client has left, and reads no answer.
      return answered ?? tooMany(shareBounds[weight]);
    } finally {
      part.leave();
    }
  }

  async function answer<P, Q, B>(
    c: Context,
    route: Common<P, Q, B>,
    handle: Handle<P, Q, B>,
    principal: Principal,
    sent: Sent | undefined,
  ): Promise<Answer> {
    const segments = rawSegments(route.path, c.req.url);
    let deployment: StoredDeployment | undefined;
    if (segments.deploymentId !== undefined) {
      const id = parseDeploymentId(segments.deploymentId);
      deployment = id.ok ? await ports.settings.getDeployment(id.value) : undefined;
      if (deployment?.tenantId !== principal.tenantId) return deploymentNotFound;
    }
    const absent = await route.absent?.(principal.tenantId, segments);
    if (absent !== undefined) return absent;
    if (!principal.scopes.has(route.scope) && !(route.orScope && principal.scopes.has(route.orScope)))
      return forbidden(route.scope);

    if (deployment?.status === 'deleting' && route.method !== 'get' && route.whileDeleting !== true)
      return deploymentDeleting;

    const faults: RequestFault[] = [];
    const params = parseParams(route.params, segments, deployment?.deploymentId, faults);
    const query = parseQuery((route.query ?? noQuery) as z.ZodType<Q>, c.req.url, faults);
    const binding = bindingOf(principal.tenantId, route.path, segments, query);
    const cursor = query === undefined ? undefined : cursorIn(query);
    const after = cursor === undefined ? undefined : decodeCursor(binding, cursor);
    if (cursor !== undefined && after === undefined)
      faults.push({ in: 'query', name: 'cursor', detail: 'is not a cursor of this list with these filters' });
    const expected = expectedBy(c, route, faults);
    const idempotencyKey = idempotencyKeyIn(c, route, faults);
    let body: B | undefined;
    if (route.body !== undefined && sent !== undefined) {
      const read = await readJson(sent);
      if (!read.ok) return read.answer;
      const checked = route.body.parse(read.value);
      if (checked.ok) body = checked.value;
      else faults.push(...checked.faults.map(({ name, problem: detail }) => ({ in: 'body' as const, name, detail })));
    }
    if (faults.length > 0) return invalid(faults);
    if (
      route.starts?.(body as B) === true &&
      (await ports.starts.operations.countRunning(principal.tenantId, runningOperationsMax)) >= runningOperationsMax
    )
      return tooManyOperations;

    const answered = await handle(
      {
        principal,
        // Without a fault, all of them are there.
        params: params as P,
        query: query as Q,
        body: body as B,
        caller: { actor: principal.actor, tenantId: principal.tenantId, expected },
        idempotencyKey,
        after,
        page: (items, last) => ({
          status: 200,
          body: { items, ...(last === undefined ? {} : { nextCursor: encodeCursor(binding, last) }) },
        }),
      },
      deployment,
    );
    return { ...answered, headers: { ...answered.headers, [scopesHeader]: [...principal.scopes].join(' ') } };
  }

  function add<P, Q, B>(route: Common<P, Q, B>, handle: Handle<P, Q, B>): void {
    const pattern = route.path.replaceAll(/\{([^}]+)\}/g, ':$1');
    methods.set(pattern, (methods.get(pattern) ?? new Set()).add(route.method));
    app.on(route.method.toUpperCase(), pattern, async (c) => render(await serve(c, route, handle)));
    app.openAPIRegistry.registerPath(describeRoute(route));
  }

  return {
    tenantRoute<P, Q, B>(route: TenantRoute<P, Q, B>): void {
      add<P, Q, B>(route, (call) => route.handle(call));
    },
    deploymentRoute<P, Q, B>(route: DeploymentRoute<P, Q, B>): void {
      add(route, async (call, deployment) =>
        deployment === undefined ? deploymentNotFound : route.handle({ ...call, deployment }),
      );
    },
    /** To be called once, after the last route: what is left at a known path is a wrong method. */
    refuseOtherMethods(): void {
      for (const [pattern, known] of methods) {
        const allowed = [...known, ...(known.has('get') ? ['head'] : [])].map((method) => method.toUpperCase()).sort();
        app.all(pattern, () =>
          render(
            problem(405, 'method.not_allowed', `Allowed here: ${allowed.join(', ')}.`, {
              headers: { allow: allowed.join(', ') },
            }),
          ),
        );
      }
    },
  };
}

export type Router = ReturnType<typeof createRouter>;

function cursorIn(query: unknown): string | undefined {
  if (typeof query !== 'object' || query === null || !('cursor' in query)) return undefined;
  return typeof query.cursor === 'string' ? query.cursor : undefined;
}

function expectedBy<P, Q, B>(c: Context, route: Common<P, Q, B>, faults: RequestFault[]): Expected | undefined {
  if (route.honours !== 'if-match') return undefined;
  const parsed = parsePrecondition(c.req.header('if-match'), c.req.header('if-none-match'));
  if (parsed.ok) return parsed.expected;
  faults.push({ in: 'header', name: parsed.name, detail: parsed.problem });
  return undefined;
}

function idempotencyKeyIn<P, Q, B>(
  c: Context,
  route: Common<P, Q, B>,
  faults: RequestFault[],
): IdempotencyKey | undefined {
  if (route.honours !== 'idempotency-key') return undefined;
  const parsed = parseIdempotencyKey(c.req.header('idempotency-key'));
  if (parsed.ok) return parsed.value;
  faults.push({ in: 'header', name: 'idempotency-key', detail: parsed.problem });
  return undefined;
}
