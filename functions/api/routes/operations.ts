// What goes on in the background, and how far it is. A token that may kick, and no more, sees what it has kicked.

import { z } from '@hono/zod-openapi';
import { parseOperationId, type TenantId } from '../../../shared/domain/ids.ts';
import { ms } from '../../../shared/domain/time.ts';
import type { Operation, OperationPlace, OperationStore } from '../../../shared/ports/operations/operations.ts';
import { forbidden, ok, problem } from '../answer.ts';
import { badCursor } from '../list.ts';
import type { Principal } from '../principal.ts';
import type { Router } from '../route.ts';
import { answers, listedOperationSchema, listOf, operationSchema, pageQuery } from '../schemas.ts';
import { viewListedOperation, viewOperation } from '../views.ts';

const notFound = problem(404, 'operation.not_found', 'There is no such operation. Operations are kept for a week.');

const scope = 'usage:read';

const maySee = ({ scopes, subject }: Principal, { cause, startedBy }: Operation): boolean =>
  scopes.has(scope) || (cause.kind === 'kick' && startedBy === subject);

const placeText = ({ startedAt, operationId }: OperationPlace): string => `${startedAt}|${operationId}`;

function parsePlace(text: string): OperationPlace | undefined {
  const [, startedAt, id = ''] = /^([0-9]{1,15})\|(.+)$/.exec(text) ?? [];
  const operationId = parseOperationId(id);
  return operationId.ok ? { startedAt: ms(Number(startedAt)), operationId: operationId.value } : undefined;
}

export function addOperationRoutes(
  router: Router,
  operations: Pick<OperationStore, 'listOperations' | 'readOperation'>,
): void {
  async function find(tenantId: TenantId, raw: string | undefined): Promise<Operation | undefined> {
    // An id that none can have is one that is not there.
    const operationId = parseOperationId(raw ?? '');
    if (!operationId.ok) return undefined;
    return (await operations.readOperation({ tenantId, operationId: operationId.value }))?.value;
  }

  router.tenantRoute({
    method: 'get',
    path: '/v1/operations',
    scope,
    orScope: 'sessions:kick',
    summary: 'List operations, newest first',
    query: z.strictObject(pageQuery),
    responses: {
      200: answers(
        listOf(listedOperationSchema),
        'Of the last week. With sessions:kick alone: kicks of this token, and a page may hold fewer than were asked for',
      ),
    },
    async handle({ principal, query: { limit }, after, page }) {
      const place = after === undefined ? undefined : parsePlace(after);
      if (after !== undefined && place === undefined) return badCursor('is not a cursor of this list');
      const from = { limit, ...(place === undefined ? {} : { after: place }) };
      const { items, next } = await operations.listOperations(principal.tenantId, from);
      const seen = items.filter((operation) => maySee(principal, operation));
      return page(seen.map(viewListedOperation), next === undefined ? undefined : placeText(next));
    },
  });

  router.tenantRoute({
    method: 'get',
    path: '/v1/operations/{operationId}',
    scope,
    orScope: 'sessions:kick',
    summary: 'Read how far an operation is',
    params: { operationId: parseOperationId },
    absent: async (tenantId, { operationId }) =>
      (await find(tenantId, operationId)) === undefined ? notFound : undefined,
    responses: { 200: answers(operationSchema, 'The operation; with sessions:kick alone, a kick of this token') },
    problems: ['operation.not_found'],
    async handle({ principal, params }) {
      const found = await find(principal.tenantId, params.operationId);
      if (found === undefined) return notFound;
      return maySee(principal, found) ? ok(viewOperation(found)) : forbidden(scope);
    },
  });
}
