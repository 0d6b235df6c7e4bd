// Who changed what, and when (S18): of one deployment, and of a tenant over all of its, those deleted too.

import { z } from '@hono/zod-openapi';
import { parseDeploymentId } from '../../../shared/domain/ids.ts';
import { ms } from '../../../shared/domain/time.ts';
import type { AuditPlace, AuditStore } from '../../../shared/ports/settings/settings.ts';
import { badCursor } from '../list.ts';
import type { Router } from '../route.ts';
import { answers, listOf, pageQuery } from '../schemas.ts';
import { auditRecordSchema, tenantAuditRecordSchema } from '../schemas-tenancy.ts';
import { viewAuditRecord, viewTenantAuditRecord } from '../views.ts';

/** The database takes no sort key of more than 1,024 bytes, nor an empty one. */
const keyPattern = /^[0-9]{15}\|[A-Za-z0-9_-]{1,64}$/;

const placeText = ({ at, deploymentId, key }: AuditPlace): string => `${at}|${deploymentId}|${key}`;

function parsePlace(text: string): AuditPlace | undefined {
  const [, at, id, key = ''] = /^([0-9]{1,15})\|([^|]+)\|(.+)$/.exec(text) ?? [];
  const deploymentId = parseDeploymentId(id);
  if (!deploymentId.ok || !keyPattern.test(key)) return undefined;
  return { at: ms(Number(at)), deploymentId: deploymentId.value, key };
}

export function addAuditRoutes(router: Router, settings: Pick<AuditStore, 'listAudit' | 'listTenantAudit'>): void {
  router.tenantRoute({
    method: 'get',
    path: '/v1/audit',
    scope: 'audit:read',
    summary: 'List changes, kicks and deletions in all deployments of the tenant, newest first',
    query: z.strictObject(pageQuery),
    responses: { 200: answers(listOf(tenantAuditRecordSchema), 'Those of deleted deployments too') },
    async handle({ principal, query: { limit }, after, page }) {
      const place = after === undefined ? undefined : parsePlace(after);
      if (after !== undefined && place === undefined) return badCursor('is not a cursor of this list');
      const from = { limit, ...(place === undefined ? {} : { after: place }) };
      const { items, next } = await settings.listTenantAudit(principal.tenantId, from);
      return page(items.map(viewTenantAuditRecord), next === undefined ? undefined : placeText(next));
    },
  });

  router.deploymentRoute({
    method: 'get',
    path: '/v1/deployments/{deploymentId}/audit',
    scope: 'audit:read',
    summary: 'List changes of settings, and kicks, newest first',
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
