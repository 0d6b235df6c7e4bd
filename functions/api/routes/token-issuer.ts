// Whose signed tokens a deployment takes as MQTT passwords.

import {
  deleteTokenIssuer,
  parseTokenIssuer,
  putTokenIssuer,
  type TokenIssuerPorts,
} from '../../../shared/app/credentials/token-issuer.ts';
import { type Answer, ok, problem, startedBy } from '../answer.ts';
import { missing, removed, stale } from '../outcome.ts';
import { etagOf } from '../precondition.ts';
import { startedFor } from '../principal.ts';
import type { Router } from '../route.ts';
import { answers, tokenIssuerInputSchema, tokenIssuerSchema } from '../schemas.ts';
import { viewTokenIssuer } from '../views.ts';

const path = '/v1/deployments/{deploymentId}/token-issuer';

const notConfigured = 'token_issuer.not_configured';

/** Sixteen keys of 8,192 bits, three times over. */
const maxBytes = 100_000;

export function addTokenIssuerRoutes(router: Router, ports: TokenIssuerPorts): void {
  router.deploymentRoute({
    method: 'get',
    path,
    scope: 'settings:read',
    summary: 'Read whose signed tokens are taken as MQTT passwords',
    problems: [notConfigured],
    responses: { 200: answers(tokenIssuerSchema, 'The token issuer') },
    async handle({ deployment }) {
      const stored = await ports.issuers.getTokenIssuer(deployment.deploymentId);
      if (stored === undefined) return missing({ kind: 'missing', what: 'token_issuer' });
      return ok(viewTokenIssuer(stored), { etag: etagOf(stored.version) });
    },
  });

  router.deploymentRoute({
    method: 'put',
    path,
    weight: 'outside',
    scope: 'credentials:write',
    summary:
      'Take signed tokens of an issuer as MQTT passwords; keys are given, or fetched from a URL now and every ten minutes',
    body: { parse: parseTokenIssuer, maxBytes, schema: tokenIssuerInputSchema },
    honours: 'if-match',
    starts: () => true,
    problems: ['token_issuer.no_keys'],
    responses: {
      200: answers(tokenIssuerSchema, 'Replaced; where it drops a key, Location names the operation that disconnects'),
      201: answers(tokenIssuerSchema, 'Configured'),
    },
    async handle({ principal, deployment, body, caller }): Promise<Answer> {
      const of = startedFor(principal, deployment);
      const { outcome, operationId } = await putTokenIssuer(ports, of, body, caller);
      switch (outcome.kind) {
        case 'no_keys':
          return problem(422, 'token_issuer.no_keys', `${outcome.problem}. Nothing was changed.`);
        case 'missing':
          return missing(outcome);
        case 'stale':
          return stale;
        case 'done': {
          const headers = { etag: etagOf(outcome.value.version), ...startedBy(operationId) };
          return { status: outcome.created ? 201 : 200, body: viewTokenIssuer(outcome.value), headers };
        }
      }
    },
  });

  router.deploymentRoute({
    method: 'delete',
    path,
    scope: 'credentials:write',
    summary: 'Take no signed tokens any more, and disconnect the clients that they let in',
    honours: 'if-match',
    starts: () => true,
    problems: [notConfigured],
    responses: { 204: { description: 'Deleted; Location names the operation that disconnects' } },
    async handle({ principal, deployment, caller }) {
      const { outcome, operationId } = await deleteTokenIssuer(ports, startedFor(principal, deployment), caller);
      return { ...removed(outcome), ...(operationId === undefined ? {} : { headers: startedBy(operationId) }) };
    },
  });
}
