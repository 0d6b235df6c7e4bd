// Kicking (S15): one client, or all of a username.

import { type KickPorts, kickClient } from '../../../shared/app/operations/kick.ts';
import { type StartPorts, startKick } from '../../../shared/app/operations/operations.ts';
import type { Caller } from '../../../shared/app/settings/expected.ts';
import { type ClientId, parseClientId, parseUsername, type Username } from '../../../shared/domain/ids.ts';
import type { Broker } from '../../../shared/ports/presence/broker.ts';
import type { AuditStore } from '../../../shared/ports/settings/settings.ts';
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
  readonly settings: Pick<AuditStore, 'recordKick'>;
}

const by = ({ actor, tenantId }: Caller) => ({ actor, tenantId });

/** A kick that reaches the broker has its audit record by then; one of a client id that is unknown leaves none. */
function recordedBefore(kicks: KickPorts, record: () => Promise<void>): KickPorts {
  let recorded: Promise<void> | undefined;
  const deleteConnection: Broker['deleteConnection'] = async (...asked) => {
    recorded ??= record();
    await recorded;
    return kicks.broker.deleteConnection(...asked);
  };
  return { ...kicks, broker: { ...kicks.broker, deleteConnection } };
}

export function addKickRoutes(router: Router, { kicks, starts, settings }: KickRoutePorts): void {
  router.deploymentRoute<{ clientId: ClientId }, object, undefined>({
    method: 'delete',
    path: `${deployment}/clients/{clientId}`,
    weight: 'outside',
    scope,
    summary: 'Kick a client: end its connection and its session',
    params: { clientId: (raw, id) => parseClientId(id, raw) },
    responses: { 204: { description: 'Kicked' } },
    problems: ['client.not_found', 'broker.unavailable'],
    async handle({ deployment: { deploymentId }, params: { clientId }, caller }): Promise<Answer> {
      const record = () => settings.recordKick(deploymentId, clientId, { ...by(caller), at: starts.clock.now() });
      const { kind } = await kickClient(recordedBefore(kicks, record), deploymentId, clientId);
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
    handle: async ({ principal, deployment: of, params: { username }, caller }) =>
      accepted(await startKick(starts, startedFor(principal, of), username, caller)),
  });
}
