// Tenants, for the operator of the whole installation.

import { z } from '@hono/zod-openapi';
import { parseNewTenant } from '../../../shared/app/deployment-input.ts';
import { parseTenantId } from '../../../shared/domain/ids.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { TenantStore } from '../../../shared/ports/tenants.ts';
import { invalid, problem } from '../answer.ts';
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
    async handle({ query, after, page }) {
      const from = after === undefined ? undefined : parseTenantId(after);
      if (from?.ok === false) return invalid([{ in: 'query', name: 'cursor', detail: from.problem }]);
      const { limit } = query;
      const found = await ports.tenants.listTenants({
        limit: limit + 1,
        ...(from === undefined ? {} : { after: from.value }),
      });
      const shown = found.slice(0, limit);
      return page(shown.map(viewTenant), found.length > limit ? shown.at(-1)?.tenantId : undefined);
    },
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
