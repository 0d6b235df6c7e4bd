// Kicking (S15): one client, or all of a username.

import { type KickPorts, kickClient } from '../../../shared/app/kick.ts';
import { type StartPorts, startOperation } from '../../../shared/app/operations.ts';
import { type ClientId, parseClientId, parseUsername, type Username } from '../../../shared/domain/ids.ts';
import { type Answer, accepted, clientNotFound, noContent, problem } from '../answer.ts';
import { startedFor } from '../principal.ts';
import type { Router } from '../route.ts';
import { acceptedSchema, answers } from '../schemas.ts';

const deployment = '/v1/deployments/{deploymentId}';
const scope = 'sessions:kick';

const brokerUnavailable = problem(503, 'broker.unavailable', 'The broker did not answer in time. Try again.', {
  headers: { 'retry-after': '1' },
});

export interface KickRoutePorts {
  readonly kicks: KickPorts;
  readonly starts: StartPorts;
}

export function addKickRoutes(router: Router, { kicks, starts }: KickRoutePorts): void {
  router.deploymentRoute<{ clientId: ClientId }, object, undefined>({
    method: 'delete',
    path: `${deployment}/clients/{clientId}`,
    weight: 'outside',
    scope,
    summary: 'Kick a client: end its connection and its session',
    params: { clientId: (raw, id) => parseClientId(id, raw) },
    responses: { 204: { description: 'Kicked' } },
    problems: ['client.not_found', 'broker.unavailable'],
    async handle({ deployment: { deploymentId }, params: { clientId } }): Promise<Answer> {
      const { kind } = await kickClient(kicks, deploymentId, clientId);
      switch (kind) {
        case 'nothing':
          return clientNotFound;
        case 'unavailable':
          return brokerUnavailable;
        case 'ended':
        case 'pending':
        case 'returned':
          return noContent;
      }
    },
  });

  router.deploymentRoute<{ username: Username }, object, undefined>({
    method: 'delete',
    path: `${deployment}/session-usage/{username}/sessions`,
    starts: () => true,
    scope,
    summary: 'Kick all clients of a username',
    params: { username: parseUsername },
    responses: { 202: answers(acceptedSchema, 'It goes on in the background') },
    handle: async ({ principal, deployment: of, params: { username } }) =>
      accepted(await startOperation(starts, startedFor(principal, of), { kind: 'kick', username })),
  });
}
