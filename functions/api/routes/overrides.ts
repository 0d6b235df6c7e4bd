// Usernames' own limits (S4).

import { z } from '@hono/zod-openapi';
import { changeAndEnd, type StartPorts } from '../../../shared/app/operations/operations.ts';
import { deleteOverride, putOverride, type SessionLimitPorts } from '../../../shared/app/settings/session-limit.ts';
import { parseOverride } from '../../../shared/app/settings/session-limit-input.ts';
import { usernamesPerListMax } from '../../../shared/config/constants.ts';
import { parseUsername } from '../../../shared/domain/ids.ts';
import { noContent, ok, problem, startedBy } from '../answer.ts';
import { pageByName } from '../list.ts';
import { isDone, missing, removed, stale } from '../outcome.ts';
import { etagOf } from '../precondition.ts';
import { startedFor } from '../principal.ts';
import type { Router } from '../route.ts';
import { answers, listOf, overrideInputSchema, overrideSchema, pageQuery } from '../schemas.ts';
import { viewOverride } from '../views.ts';

const list = '/v1/deployments/{deploymentId}/session-limit/overrides';
const one = `${list}/{username}`;
const params = { username: parseUsername };
const notConfigured = 'session_limit.not_configured';

const full = problem(
  409,
  'override.too_many',
  `There are ${usernamesPerListMax} overrides already, the most there can be.`,
);

export function addOverrideRoutes(router: Router, ports: SessionLimitPorts & { readonly starts: StartPorts }): void {
  router.deploymentRoute({
    method: 'get',
    path: list,
    scope: 'settings:read',
    summary: 'List overrides',
    query: z.strictObject(pageQuery),
    responses: { 200: answers(listOf(overrideSchema), 'In order of username') },
    problems: [notConfigured],
    handle: ({ deployment, ...call }) =>
      pageByName(call, {
        parse: parseUsername,
        read: async (from) =>
          (await ports.settings.listOverrides(deployment.deploymentId, from)) ??
          missing({ kind: 'missing', what: 'session_limit' }),
        nameOf: ({ username }) => username,
        view: viewOverride,
      }),
  });

  router.deploymentRoute({
    method: 'get',
    path: one,
    scope: 'settings:read',
    summary: "Read a username's override",
    params,
    responses: { 200: answers(overrideSchema, 'The override') },
    problems: [notConfigured, 'override.not_found'],
    async handle({ deployment, params: { username } }) {
      const found = await ports.settings.getOverride(deployment.deploymentId, username);
      if (found.kind === 'missing') return missing(found);
      return ok(viewOverride(found.value), { etag: etagOf(found.value.version) });
    },
  });

  router.deploymentRoute({
    method: 'put',
    path: one,
    scope: 'settings:write',
    summary: 'Give a username its own limit',
    params,
    body: { parse: parseOverride, maxBytes: 10_000, schema: overrideInputSchema },
    honours: 'if-match',
    starts: (body) => body.kind === 'blocked',
    responses: { 204: { description: 'Set; ETag names its version, Location the operation that blocking starts' } },
    problems: [notConfigured, 'override.too_many'],
    async handle({ principal, deployment, params: { username }, body, caller }) {
      const put = () => putOverride(ports, deployment.deploymentId, username, body, caller);
      const cause = { kind: 'username_blocked', username } as const;
      const { outcome, operationId } =
        body.kind === 'blocked'
          ? await changeAndEnd(ports.starts, startedFor(principal, deployment), cause, put, isDone)
          : { outcome: await put(), operationId: undefined };
      switch (outcome.kind) {
        case 'missing':
          return missing(outcome);
        case 'stale':
          return stale;
        case 'full':
          return full;
        case 'done':
          return { ...noContent, headers: { etag: etagOf(outcome.value.version), ...startedBy(operationId) } };
      }
    },
  });

  router.deploymentRoute({
    method: 'delete',
    path: one,
    scope: 'settings:write',
    summary: "Remove a username's override",
    params,
    honours: 'if-match',
    responses: { 204: { description: 'Removed' } },
    problems: [notConfigured, 'override.not_found'],
    handle: async ({ deployment, params: { username }, caller }) =>
      removed(await deleteOverride(ports, deployment.deploymentId, username, caller)),
  });
}
