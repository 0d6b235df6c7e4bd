// What goes on in the background, and how far it is.

import { parseOperationId } from '../../../shared/domain/ids.ts';
import type { OperationStore } from '../../../shared/ports/operations.ts';
import { ok, problem } from '../answer.ts';
import type { Router } from '../route.ts';
import { answers, operationSchema } from '../schemas.ts';
import { viewOperation } from '../views.ts';

const notFound = problem(404, 'operation.not_found', 'There is no such operation. Operations are kept for a week.');

export function addOperationRoutes(router: Router, operations: Pick<OperationStore, 'readOperation'>): void {
  router.tenantRoute({
    method: 'get',
    path: '/v1/operations/{operationId}',
    scope: 'usage:read',
    summary: 'Read how far an operation is',
    params: { operationId: (raw: string) => ({ ok: true as const, value: raw }) },
    responses: { 200: answers(operationSchema, 'The operation') },
    problems: ['operation.not_found'],
    async handle({ principal: { tenantId }, params }) {
      // An id that none can have is one that is not there.
      const operationId = parseOperationId(params.operationId);
      const found = operationId.ok && (await operations.readOperation({ tenantId, operationId: operationId.value }));
      return found === undefined || found === false ? notFound : ok(viewOperation(found.value));
    },
  });
}
