// The authorizer as a function of its event: parse, ask the core, answer. A ticket of the front door stands for the
// password check and the admission that the front door has made already; without one nothing but the event is believed.

import { createHash } from 'node:crypto';
import { maxConnectionSeconds } from '../../shared/config/constants.ts';
import type { Connect } from '../../shared/domain/connect.ts';
import {
  type BrokerClientId,
  type ClientId,
  type DeploymentId,
  toBrokerClientId,
  type Username,
} from '../../shared/domain/ids.ts';
import type { Ms } from '../../shared/domain/time.ts';
import { splitUserName } from '../../shared/domain/user-name.ts';
import type { Clock } from '../../shared/ports/common/clock.ts';
import type { Tickets } from '../../shared/ports/credentials/tickets.ts';
import type { AuthorizerAnswer, AuthorizerEvent } from './event.ts';
import { type ArnScope, buildPolicy } from './policy.ts';

export interface AuthorizePorts {
  readonly connect: Connect;
  readonly tickets: () => Promise<Tickets>;
  /** Undefined leaves the choice to the suffix; any string decides. Throws where the database does not answer. */
  readonly deploymentOfServerName: (serverName: string) => string | undefined | Promise<string | undefined>;
  readonly clock: Clock;
}

const denied: AuthorizerAnswer = { isAuthenticated: false };

export async function authorize(
  ports: AuthorizePorts,
  scope: ArnScope,
  event: AuthorizerEvent,
): Promise<AuthorizerAnswer> {
  const mqtt = event.protocolData?.mqtt;
  if (typeof mqtt?.username !== 'string' || typeof mqtt.clientId !== 'string') return denied;
  const { username, deployment, ticket } = splitUserName(mqtt.username);
  if (ticket !== undefined)
    return admitByTicket(await ports.tickets(), ports.clock, scope, ticket, username, deployment, mqtt.clientId);

  const serverName = event.protocolData?.tls?.serverName;
  const named = serverName === undefined ? undefined : await deploymentOf(ports, serverName);
  if (named === unknown) return denied;
  const deploymentId = named ?? deployment;
  const prefix = `${deploymentId ?? ''}:`;
  const decision = await ports.connect({
    deploymentId,
    username,
    password: typeof mqtt.password === 'string' ? Buffer.from(mqtt.password, 'base64') : undefined,
    // Devices that go straight to IoT Core send the deployment's prefix; without it the id is nobody's.
    ...(mqtt.clientId.startsWith(prefix)
      ? { clientId: mqtt.clientId.slice(prefix.length) }
      : { clientId: undefined, sentClientId: mqtt.clientId }),
  });
  if (decision.kind === 'rejected') return denied;
  return allow(
    scope,
    decision.deploymentId,
    decision.username,
    toBrokerClientId(decision.deploymentId, decision.clientId),
    connectionSeconds(decision.validUntil, ports.clock),
  );
}

/** The name may stand for a deployment, and whoever cannot find out must not take the one of the suffix. */
const unknown = Symbol('the database did not answer');

async function deploymentOf(ports: AuthorizePorts, serverName: string): Promise<string | undefined | typeof unknown> {
  try {
    return await ports.deploymentOfServerName(serverName);
  } catch {
    return unknown;
  }
}

function admitByTicket(
  tickets: Tickets,
  clock: Clock,
  scope: ArnScope,
  ticket: string,
  username: string,
  deployment: string | undefined,
  clientId: string,
): AuthorizerAnswer {
  const claims = tickets.verify(ticket);
  if (claims === undefined) return denied;
  const brokerClientId = toBrokerClientId(claims.deploymentId, claims.clientId as ClientId);
  if (claims.username !== username || claims.deploymentId !== deployment || brokerClientId !== clientId) return denied;
  const { deploymentId, validUntil } = claims;
  return allow(scope, deploymentId, claims.username, brokerClientId, connectionSeconds(validUntil, clock));
}

/** IoT Core takes no less. A token that ends sooner is cut by the front door on time, straight to IoT Core this late. */
const connectionSecondsMin = 300;

function connectionSeconds(validUntil: Ms | undefined, clock: Clock): number {
  if (validUntil === undefined) return maxConnectionSeconds;
  const left = Math.floor((validUntil - clock.now()) / 1_000);
  return Math.min(maxConnectionSeconds, Math.max(connectionSecondsMin, left));
}

function allow(
  scope: ArnScope,
  deploymentId: DeploymentId,
  username: Username,
  clientId: BrokerClientId,
  lifeSeconds: number,
): AuthorizerAnswer {
  return {
    isAuthenticated: true,
    // 64 hexadecimal digits: any user name fits the alphabet that IoT Core allows.
    principalId: createHash('sha256').update(`${deploymentId}|${username}`).digest('hex'),
    policyDocuments: [JSON.stringify(buildPolicy(scope, deploymentId, clientId))],
    // Nothing relies on refreshes; the broker cuts each connection once a day, or when its token ends.
    refreshAfterInSeconds: lifeSeconds,
    disconnectAfterInSeconds: lifeSeconds,
  };
}
