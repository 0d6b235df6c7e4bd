// Tenants, for the operator of the whole installation.

import { z } from '@hono/zod-openapi';
import { parseNewTenant } from '../../../shared/app/tenancy/deployment-input.ts';
import { parseTenantId } from '../../../shared/domain/ids.ts';
import type { Clock } from '../../../shared/ports/common/clock.ts';
import type { TenantStore } from '../../../shared/ports/tenancy/tenants.ts';
import { problem } from '../answer.ts';
import { pageByName } from '../list.ts';
import type { Router } from '../route.ts';
import { answers, listOf, pageQuery } from '../schemas.ts';
import { tenantInputSchema, tenantSchema } from '../schemas-tenancy.ts';
import { viewTenant } from '../views.ts';

const path = '/v1/tenants';
const scope = 'tenants:admin';

const exists = problem(409, 'tenant.exists', 'There is a tenant of this id already.');

export function addTenantRoutes(router: Router, ports: { readonly tenants: TenantStore; readonly clock: Clock }): void {
  router.tenantRoute({
    method: 'get',
    path,
    scope,
    summary: 'List tenants',
    query: z.strictObject(pageQuery),
    responses: { 200: answers(listOf(tenantSchema), 'In order of id') },
    handle: (call) =>
      pageByName(call, {
        parse: parseTenantId,
        read: (from) => ports.tenants.listTenants(from),
        nameOf: ({ tenantId }) => tenantId,
        view: viewTenant,
      }),
  });

  router.tenantRoute({
    method: 'post',
    path,
    scope,
    summary: 'Create a tenant',
    body: { parse: parseNewTenant, maxBytes: 10_000, schema: tenantInputSchema },
    responses: { 201: answers(tenantSchema, 'Created') },
    problems: ['tenant.exists'],
    async handle({ body: tenantId }) {
      const tenant = { tenantId, createdAt: ports.clock.now() };
      const outcome = await ports.tenants.createTenant(tenant);
      return outcome === 'exists' ? exists : { status: 201, body: viewTenant(tenant) };
    },
  });
}
