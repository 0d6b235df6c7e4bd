// A front door that admits whoever comes at once: what it costs by itself, without the database behind an admission.

import { randomBytes } from 'node:crypto';
import { createFrontDoor, type FrontDoor, type FrontDoorOptions } from '../../frontdoor/front-door.ts';
import { systemClock as clock } from '../../shared/adapters/node/clock.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { createTickets } from '../../shared/adapters/node/tickets.ts';
import type { ConnectDecision, ConnectRequest } from '../../shared/domain/connect.ts';
import { type Parsed, parseClientId, parseDeploymentId, parseUsername } from '../../shared/domain/ids.ts';
import { seconds } from '../../shared/domain/time.ts';

function must<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
}

function admitAtOnce(request: ConnectRequest): ConnectDecision {
  const deploymentId = must(parseDeploymentId(request.deploymentId ?? ''));
  return {
    kind: 'admitted',
    deploymentId,
    username: must(parseUsername(request.username ?? '')),
    clientId: must(parseClientId(deploymentId, request.clientId)),
    attempt: cryptoRandom.attemptId(),
    expirySeconds: seconds(0),
    reconnect: false,
  };
}

/** Tickets are made as in the product: they are part of what the door does for each CONNECT. */
export function createInstantDoor(dialBroker: FrontDoorOptions['dialBroker']): FrontDoor {
  const tickets = createTickets(randomBytes(32), clock);
  return createFrontDoor({
    connect: async (request) => admitAtOnce(request),
    report: async () => undefined,
    issueTicket: (claims, from) => tickets.issue(claims, from),
    dialBroker,
    deploymentOfServerName: () => 'demo',
    defaultDeployment: 'demo',
    clock,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
}
