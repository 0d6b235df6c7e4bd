// MQTT users of a deployment. A password goes in, or comes out once where it was generated; nothing shows it again.

import { z } from '@hono/zod-openapi';
import { type CredentialPorts, parseCredential, putCredential } from '../../../shared/app/credentials/credentials.ts';
import { changeAndEnd, type StartPorts } from '../../../shared/app/operations/operations.ts';
import { credentialsPerDeploymentMax } from '../../../shared/config/constants.ts';
import { parseUsername } from '../../../shared/domain/ids.ts';
import { type Answer, noContent, problem, startedBy } from '../answer.ts';
import { pageByName } from '../list.ts';
import { startedFor } from '../principal.ts';
import type { Router } from '../route.ts';
import {
  answers,
  credentialInputSchema,
  credentialSchema,
  generatedPasswordSchema,
  listOf,
  pageQuery,
} from '../schemas.ts';
import { viewCredential } from '../views.ts';

const list = '/v1/deployments/{deploymentId}/credentials';
const one = `${list}/{username}`;
const params = { username: parseUsername };

const notFound = problem(404, 'credential.not_found', 'There is no such MQTT user.');
const full = problem(
  409,
  'credential.too_many',
  `There are ${credentialsPerDeploymentMax} MQTT users already, the most that a deployment may have.`,
);
const overloaded = problem(503, 'passwords.overloaded', 'Too many passwords are being hashed. Try again.', {
  headers: { 'retry-after': '1' },
});

export function addCredentialRoutes(router: Router, ports: CredentialPorts & { readonly starts: StartPorts }): void {
  router.deploymentRoute({
    method: 'get',
    path: list,
    scope: 'settings:read',
    summary: 'List MQTT users',
    query: z.strictObject(pageQuery),
    responses: { 200: answers(listOf(credentialSchema), 'In order of username') },
    handle: ({ deployment, ...call }) =>
      pageByName(call, {
        parse: parseUsername,
        read: (from) => ports.credentials.listCredentials(deployment.deploymentId, from),
        nameOf: ({ username }) => username,
        view: viewCredential,
      }),
  });

  router.deploymentRoute({
    method: 'put',
    path: one,
    scope: 'credentials:write',
    summary: 'Add an MQTT user or set its password; without one, generate it',
    params,
    body: { parse: parseCredential, maxBytes: 10_000, schema: credentialInputSchema },
    responses: {
      201: answers(generatedPasswordSchema, 'The generated password, shown once'),
      204: { description: 'Set' },
    },
    problems: ['credential.too_many', 'passwords.overloaded'],
    async handle({ deployment, params: { username }, body, caller }): Promise<Answer> {
      const outcome = await putCredential(ports, deployment.deploymentId, username, body, caller);
      switch (outcome.kind) {
        case 'set':
          return noContent;
        case 'generated':
          return { status: 201, body: { password: outcome.password } };
        case 'full':
          return full;
        case 'overloaded':
          return overloaded;
      }
    },
  });

  router.deploymentRoute({
    method: 'delete',
    path: one,
    scope: 'credentials:write',
    summary: 'Remove an MQTT user, and disconnect it',
    starts: () => true,
    params,
    responses: { 204: { description: 'Removed; Location names the operation that disconnects it' } },
    problems: ['credential.not_found'],
    async handle({ principal, deployment, params: { username }, caller }) {
      const { actor, tenantId } = caller;
      const change = { actor, tenantId, at: ports.clock.now() };
      const { outcome, operationId } = await changeAndEnd(
        ports.starts,
        startedFor(principal, deployment),
        { kind: 'credential_removed', username },
        () => ports.credentials.deleteCredential(deployment.deploymentId, username, change),
        (made) => made === 'deleted',
      );
      return outcome === 'deleted' ? { ...noContent, headers: startedBy(operationId) } : notFound;
    },
  });
}
