// Deployments of the caller's tenant.

import { z } from '@hono/zod-openapi';
import { changeAndEnd, type StartPorts, startDeletion } from '../../../shared/app/operations/operations.ts';
import { expecting } from '../../../shared/app/settings/session-limit.ts';
import { parseDeploymentChange, parseNewDeployment } from '../../../shared/app/tenancy/deployment-input.ts';
import { changeDeployment, createDeployment, type DeploymentPorts } from '../../../shared/app/tenancy/deployments.ts';
import { deploymentsPerTenantMax } from '../../../shared/config/constants.ts';
import { parseDeploymentId } from '../../../shared/domain/ids.ts';
import type { DeploymentItems } from '../../../shared/ports/operations/operations.ts';
import type { Change } from '../../../shared/ports/settings/settings.ts';
import { type Answer, accepted, deploymentDeleting, ok, problem, startedBy } from '../answer.ts';
import { pageByName } from '../list.ts';
import { isDone, missing, removed, stale } from '../outcome.ts';
import { etagOf } from '../precondition.ts';
import { startedFor } from '../principal.ts';
import type { Router } from '../route.ts';
import { acceptedSchema, answers, deploymentSchema, listOf, pageQuery } from '../schemas.ts';
import { deploymentChangeSchema, deploymentInputSchema } from '../schemas-tenancy.ts';
import { viewDeployment } from '../views.ts';

const list = '/v1/deployments';
const one = `${list}/{deploymentId}`;
const maxBytes = 10_000;

const noTenant = problem(403, 'tenant.unknown', 'The tenant of this token does not exist.');
const full = problem(
  409,
  'deployment.too_many',
  `This tenant owns ${deploymentsPerTenantMax} deployments already, the most that it may own.`,
);
const keyReused = problem(422, 'idempotency_key.reused', 'This Idempotency-Key was sent with another body.');
// The same for a name that is set elsewhere and for the id of another deployment: which it is, is not this tenant's (S19).
const hostTaken = problem(409, 'mqtt_host.taken', 'This mqttHost is not available.');

export interface DeploymentRoutePorts extends DeploymentPorts {
  readonly starts: StartPorts;
  readonly items: Pick<DeploymentItems, 'markDeleting'>;
}

export function addDeploymentRoutes(router: Router, ports: DeploymentRoutePorts): void {
  router.tenantRoute({
    method: 'get',
    path: list,
    scope: 'settings:read',
    summary: 'List deployments',
    query: z.strictObject(pageQuery),
    responses: { 200: answers(listOf(deploymentSchema), 'In order of id') },
    handle: ({ principal, ...call }) =>
      pageByName(call, {
        parse: parseDeploymentId,
        read: (from) => ports.settings.listDeployments(principal.tenantId, from),
        nameOf: ({ deploymentId }) => deploymentId,
        view: viewDeployment,
      }),
  });

  router.tenantRoute({
    method: 'post',
    path: list,
    scope: 'deployments:write',
    summary: 'Create a deployment',
    body: { parse: parseNewDeployment, maxBytes, schema: deploymentInputSchema },
    honours: 'idempotency-key',
    responses: {
      200: answers(deploymentSchema, 'The deployment that the same Idempotency-Key created before, as it is now'),
      201: answers(deploymentSchema, 'Created; Location names it'),
    },
    problems: ['tenant.unknown', 'deployment.too_many', 'idempotency_key.reused'],
    async handle({ principal, body: name, caller, idempotencyKey }): Promise<Answer> {
      const outcome = await createDeployment(ports, principal.tenantId, name, caller.actor, idempotencyKey);
      switch (outcome.kind) {
        case 'no_tenant':
          return noTenant;
        case 'full':
          return full;
        case 'key_reused':
          return keyReused;
        case 'created':
        case 'found': {
          const { deployment } = outcome;
          const headers = { location: `${list}/${deployment.deploymentId}`, etag: etagOf(deployment.version) };
          return { status: outcome.kind === 'created' ? 201 : 200, body: viewDeployment(deployment), headers };
        }
      }
    },
  });

  router.deploymentRoute({
    method: 'get',
    path: one,
    scope: 'settings:read',
    summary: 'Read a deployment',
    responses: { 200: answers(deploymentSchema, 'The deployment') },
    handle: async ({ deployment }) => ok(viewDeployment(deployment), { etag: etagOf(deployment.version) }),
  });

  router.deploymentRoute({
    method: 'patch',
    path: one,
    scope: 'deployments:write',
    summary: 'Change some of a deployment, as suspend or resume it',
    body: { parse: (raw) => parseDeploymentChange(raw, ports.mqttDomain), maxBytes, schema: deploymentChangeSchema },
    honours: 'if-match',
    starts: ({ status }) => status === 'suspended',
    responses: { 200: answers(deploymentSchema, 'Changed; Location names the operation that suspending starts') },
    problems: ['mqtt_host.taken'],
    async handle({ principal, deployment, body, caller }) {
      const change = () => changeDeployment(ports, deployment.deploymentId, body, caller);
      const cause = { kind: 'deployment_suspended' } as const;
      const { outcome, operationId } =
        body.status === 'suspended'
          ? await changeAndEnd(ports.starts, startedFor(principal, deployment), cause, change, isDone)
          : { outcome: await change(), operationId: undefined };
      switch (outcome.kind) {
        case 'missing':
          return missing(outcome);
        case 'stale':
          return stale;
        case 'host_taken':
          return hostTaken;
        case 'deleting':
          return deploymentDeleting;
        case 'done':
          return ok(viewDeployment(outcome.after), { etag: etagOf(outcome.after.version), ...startedBy(operationId) });
      }
    },
  });

  router.deploymentRoute({
    method: 'delete',
    path: one,
    scope: 'deployments:write',
    summary: 'Delete a deployment and everything of it, for good',
    whileDeleting: true,
    weight: 'heavy',
    honours: 'if-match',
    starts: () => true,
    responses: { 202: answers(acceptedSchema, 'It goes on in the background') },
    async handle({ principal, deployment, caller }) {
      const { deploymentId } = deployment;
      const version = async () => (await ports.settings.getDeployment(deploymentId))?.version;
      const mark = (change: Change) => ports.items.markDeleting(deploymentId, change);
      const started = await startDeletion(ports.starts, startedFor(principal, deployment), () =>
        expecting(ports, caller, version, mark),
      );
      return started.kind === 'done' ? accepted(started.operationId) : removed(started);
    },
  });
}
