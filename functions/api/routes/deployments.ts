// Deployments of the caller's tenant.

import { z } from '@hono/zod-openapi';
import { parseDeploymentId } from '../../../shared/domain/ids.ts';
import type { SettingsStore } from '../../../shared/ports/settings.ts';
import { invalid, ok } from '../answer.ts';
import type { Router } from '../route.ts';
import { answers, deploymentSchema, listOf, pageQuery } from '../schemas.ts';
import { viewDeployment } from '../views.ts';

export function addDeploymentRoutes(router: Router, settings: SettingsStore): void {
  router.tenantRoute({
    method: 'get',
    path: '/v1/deployments',
    scope: 'settings:read',
    summary: 'List deployments',
    query: z.strictObject(pageQuery),
    responses: { 200: answers(listOf(deploymentSchema), 'In order of id') },
    async handle({ principal, query, after, page }) {
      const from = after === undefined ? undefined : parseDeploymentId(after);
      if (from?.ok === false) return invalid([{ in: 'query', name: 'cursor', detail: from.problem }]);
      const { limit } = query;
      // One more than asked for tells whether anything follows.
      const found = await settings.listDeployments(principal.tenantId, {
        limit: limit + 1,
        ...(from === undefined ? {} : { after: from.value }),
      });
      const shown = found.slice(0, limit);
      return page(shown.map(viewDeployment), found.length > limit ? shown.at(-1)?.deploymentId : undefined);
    },
  });

  router.deploymentRoute({
    method: 'get',
    path: '/v1/deployments/{deploymentId}',
    scope: 'settings:read',
    summary: 'Read a deployment',
    responses: { 200: answers(deploymentSchema, 'The deployment') },
    handle: async ({ deployment }) => ok(viewDeployment(deployment)),
  });
}
