// Whose signed tokens a deployment takes as MQTT passwords.

import {
  deleteTokenIssuer,
  parseTokenIssuer,
  putTokenIssuer,
  type TokenIssuerPorts,
} from '../../../shared/app/token-issuer.ts';
import { type Answer, ok, problem } from '../answer.ts';
import { missing, removed, stale } from '../outcome.ts';
import { etagOf } from '../precondition.ts';
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
    problems: ['token_issuer.no_keys'],
    responses: {
      200: answers(tokenIssuerSchema, 'Replaced'),
      201: answers(tokenIssuerSchema, 'Configured'),
    },
    async handle({ deployment, body, caller }): Promise<Answer> {
      const outcome = await putTokenIssuer(ports, deployment.deploymentId, body, caller);
      switch (outcome.kind) {
        case 'no_keys':
          return problem(422, 'token_issuer.no_keys', `${outcome.problem}. Nothing was changed.`);
        case 'missing':
          return missing(outcome);
        case 'stale':
          return stale;
        case 'done': {
          const headers = { etag: etagOf(outcome.value.version) };
          return { status: outcome.created ? 201 : 200, body: viewTokenIssuer(outcome.value), headers };
        }
      }
    },
  });

  router.deploymentRoute({
    method: 'delete',
    path,
    scope: 'credentials:write',
    summary: 'Take no signed tokens any more',
    honours: 'if-match',
    problems: [notConfigured],
    responses: { 204: { description: 'Deleted' } },
    handle: async ({ deployment, caller }) => removed(await deleteTokenIssuer(ports, deployment.deploymentId, caller)),
  });
}
