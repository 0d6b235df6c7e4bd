// The session limit of a deployment (S1, S14, S18).

import {
  type ChangedLimit,
  changeSessionLimit,
  configureSessionLimit,
  deleteSessionLimit,
  type SessionLimitPorts,
} from '../../../shared/app/settings/session-limit.ts';
import { parseSessionLimit, parseSessionLimitChange } from '../../../shared/app/settings/session-limit-input.ts';
import { type Answer, ok } from '../answer.ts';
import { missing, removed, stale } from '../outcome.ts';
import { etagOf } from '../precondition.ts';
import type { Router } from '../route.ts';
import {
  answers,
  changedSessionLimitSchema,
  sessionLimitChangeSchema,
  sessionLimitInputSchema,
  sessionLimitSchema,
} from '../schemas.ts';
import { viewSessionLimit } from '../views.ts';

const path = '/v1/deployments/{deploymentId}/session-limit';

const problems = ['session_limit.not_configured'] as const;

/** 10,000 usernames of 256 bytes, with room for their quotes and a fair share of escapes. */
const maxBytes = 4_000_000;

function answer(outcome: ChangedLimit): Answer {
  switch (outcome.kind) {
    case 'missing':
      return missing(outcome);
    case 'stale':
      return stale;
    case 'done': {
      const { created, limit, usernamesOverLimit } = outcome;
      const body = { ...viewSessionLimit(limit), usernamesOverLimit: usernamesOverLimit ?? null };
      return { status: created ? 201 : 200, body, headers: { etag: etagOf(limit.version) } };
    }
  }
}

export function addSessionLimitRoutes(router: Router, ports: SessionLimitPorts): void {
  router.deploymentRoute({
    method: 'get',
    path,
    weight: 'heavy',
    scope: 'settings:read',
    summary: 'Read the session limit',
    responses: { 200: answers(sessionLimitSchema, 'The session limit') },
    problems,
    async handle({ deployment }) {
      const limit = await ports.settings.getSessionLimit(deployment.deploymentId);
      if (limit === undefined) return missing({ kind: 'missing', what: 'session_limit' });
      return ok(viewSessionLimit(limit), { etag: etagOf(limit.version) });
    },
  });

  router.deploymentRoute({
    method: 'put',
    path,
    weight: 'heavy',
    scope: 'settings:write',
    summary: 'Configure the session limit, or replace it whole',
    body: { parse: parseSessionLimit, maxBytes, schema: sessionLimitInputSchema },
    honours: 'if-match',
    responses: {
      200: answers(changedSessionLimitSchema, 'Replaced'),
      201: answers(changedSessionLimitSchema, 'Configured'),
    },
    handle: async ({ deployment, body, caller }) =>
      answer(await configureSessionLimit(ports, deployment.deploymentId, body, caller)),
  });

  router.deploymentRoute({
    method: 'patch',
    path,
    weight: 'heavy',
    scope: 'settings:write',
    summary: 'Change some of the session limit, as enable or disable it',
    body: { parse: parseSessionLimitChange, maxBytes, schema: sessionLimitChangeSchema },
    honours: 'if-match',
    responses: { 200: answers(changedSessionLimitSchema, 'Changed') },
    problems,
    handle: async ({ deployment, body, caller }) =>
      answer(await changeSessionLimit(ports, deployment.deploymentId, body, caller)),
  });

  router.deploymentRoute({
    method: 'delete',
    path,
    weight: 'heavy',
    scope: 'settings:write',
    summary: 'Delete the session limit with its whitelist and overrides, for good',
    honours: 'if-match',
    responses: { 204: { description: 'Deleted' } },
    problems,
    handle: async ({ deployment, caller }) => removed(await deleteSessionLimit(ports, deployment.deploymentId, caller)),
  });
}
