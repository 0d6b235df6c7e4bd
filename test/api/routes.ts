// Every route that the API has, from its own reference: nobody can add one that the tests which walk them do not meet.

import type { Rig } from './rig.ts';

export interface WalkedRoute {
  readonly method: string;
  readonly path: string;
  readonly scope: string;
  /** Good for some of it, in place of `scope`. */
  readonly orScope: string | undefined;
  readonly query: readonly string[];
  readonly hasBody: boolean;
  /** Codes by status, of the problems that it may answer. */
  readonly problems: Readonly<Record<string, readonly string[]>>;
  readonly statuses: readonly number[];
}

interface Operation {
  readonly security?: readonly { readonly bearer?: readonly string[] }[];
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: unknown;
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}

export async function readRoutes(rig: Rig): Promise<readonly WalkedRoute[]> {
  const { json } = await rig.request('GET', '/openapi.json', { token: '' });
  const { paths } = json as { paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security, parameters = [], requestBody, responses }]) => {
      const scopes = security?.flatMap((one) => one.bearer ?? []) ?? [];
      const [scope, orScope] = scopes;
      if (scope === undefined || scopes.length > 2)
        throw new Error(`${method} ${path} must name the scope it needs, and at most one that may stand for it`);
      const answers = Object.entries(responses);
      return {
        method: method.toUpperCase(),
        path,
        scope,
        orScope,
        query: parameters.filter((parameter) => parameter.in === 'query').map((parameter) => parameter.name),
        hasBody: requestBody !== undefined,
        statuses: answers.map(([status]) => Number(status)),
        problems: Object.fromEntries(
          answers
            .filter(([status]) => Number(status) >= 400)
            .map(([status, { description }]) => [status, description.split(', ')]),
        ),
      };
    }),
  );
}

/** Names that stand in paths: one of the caller's tenant, one of another tenant, one that nobody has. */
export interface Names {
  readonly mine: string;
  readonly theirs: string;
  readonly missing: string;
}

/** What identifies an object of a tenant. A route whose path names anything else has to be added here to be walked. */
export const owners: Readonly<Record<string, Names>> = {
  deploymentId: { mine: 'demo', theirs: 'theirs', missing: 'nowhere' },
  operationId: { mine: 'operation-of-local', theirs: 'operation-of-foreign', missing: 'nowhere' },
};

/** Names inside an object of a tenant. */
export const inside: Readonly<Record<string, string>> = { username: 'bob', clientId: 'c1' };

/** Whose: of the objects that belong to a tenant. */
export function fillPath(path: string, whose: keyof Names): string {
  return path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => {
    const filled = owners[name]?.[whose] ?? inside[name];
    if (filled === undefined) throw new Error(`${path}: say in test/api/routes.ts what {${name}} may be`);
    return filled;
  });
}

export function isOwned(path: string): boolean {
  return Object.keys(owners).some((name) => path.includes(`{${name}}`));
}
