// Who changed which settings, and when (S18).

import { z } from '@hono/zod-openapi';
import type { SettingsStore } from '../../../shared/ports/settings.ts';
import { badCursor } from '../list.ts';
import type { Router } from '../route.ts';
import { answers, listOf, pageQuery } from '../schemas.ts';
import { auditRecordSchema } from '../schemas-tenancy.ts';
import { viewAuditRecord } from '../views.ts';

/** The database takes no sort key of more than 1,024 bytes, nor an empty one. */
const keyPattern = /^[0-9]{15}\|[A-Za-z0-9_-]{1,64}$/;

export function addAuditRoutes(router: Router, settings: Pick<SettingsStore, 'listAudit'>): void {
  router.deploymentRoute({
    method: 'get',
    path: '/v1/deployments/{deploymentId}/audit',
    scope: 'audit:read',
    summary: 'List changes of settings, newest first',
    query: z.strictObject(pageQuery),
    responses: {
      200: answers(listOf(auditRecordSchema), 'A page of large records may hold fewer than were asked for'),
    },
    async handle({ deployment: { deploymentId }, query: { limit }, after, page }) {
      if (after !== undefined && !keyPattern.test(after)) return badCursor('is not a cursor of this list');
      const { items, next } = await settings.listAudit(deploymentId, {
        limit,
        ...(after === undefined ? {} : { after }),
      });
      return page(items.map(viewAuditRecord), next);
    },
  });
}
