// What goes on in the background, and how far it is.

import { parseOperationId, type TenantId } from '../../../shared/domain/ids.ts';
import type { Operation, OperationStore } from '../../../shared/ports/operations.ts';
import { ok, problem } from '../answer.ts';
import type { Router } from '../route.ts';
import { answers, operationSchema } from '../schemas.ts';
import { viewOperation } from '../views.ts';

const notFound = problem(404, 'operation.not_found', 'There is no such operation. Operations are kept for a week.');

export function addOperationRoutes(router: Router, operations: Pick<OperationStore, 'readOperation'>): void {
  async function find(tenantId: TenantId, raw: string | undefined): Promise<Operation | undefined> {
    // An id that none can have is one that is not there.
    const operationId = parseOperationId(raw ?? '');
    if (!operationId.ok) return undefined;
    return (await operations.readOperation({ tenantId, operationId: operationId.value }))?.value;
  }

  router.tenantRoute({
    method: 'get',
    path: '/v1/operations/{operationId}',
    scope: 'usage:read',
    summary: 'Read how far an operation is',
    params: { operationId: parseOperationId },
    absent: async (tenantId, { operationId }) =>
      (await find(tenantId, operationId)) === undefined ? notFound : undefined,
    responses: { 200: answers(operationSchema, 'The operation') },
    problems: ['operation.not_found'],
    async handle({ principal, params }) {
      const found = await find(principal.tenantId, params.operationId);
      return found === undefined ? notFound : ok(viewOperation(found));
    },
  });
}
