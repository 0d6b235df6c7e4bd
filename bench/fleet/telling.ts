// What is told of connections afterwards: by IoT Core, of a client id, in a while; or by the front door, of an attempt.

import type { AttemptId, ClientId } from '../../shared/domain/ids.ts';
import { toBrokerClientId } from '../../shared/domain/ids.ts';
import type { Client } from './clients.ts';
import { deploymentId, type Installation } from './installation.ts';

/** As the events of a client's first connection are numbered. */
export const firstVersion = 0;

/** From the broker's CONNACK, or the end of the socket, until the front door's report is in the queue. */
const reportAfterMs = 30;

export class Telling {
  /** What each client's latest connection is known by, where it is not its first. */
  private readonly versions = new Map<ClientId, number>();
  private readonly attempts = new Map<ClientId, AttemptId>();
  private readonly installation: Installation;

  constructor(installation: Installation) {
    this.installation = installation;
  }

  connected(client: Client, attempt: AttemptId): void {
    const { clientId } = client;
    const { broker, sessionExpirySeconds } = this.installation;
    this.versions.set(clientId, (this.versions.get(clientId) ?? firstVersion) + 1);
    this.attempts.set(clientId, attempt);
    broker.connect(toBrokerClientId(deploymentId, clientId), sessionExpirySeconds);
    this.tell(client, 'connected', sessionExpirySeconds);
  }

  /** A connection that there was before the run. */
  adopt({ clientId }: Client, attempt: AttemptId): void {
    this.attempts.set(clientId, attempt);
  }

  /** Nothing is kept of it. */
  disconnected(client: Client): void {
    this.installation.broker.disconnect(toBrokerClientId(deploymentId, client.clientId));
    this.tell(client, 'disconnected', 0);
  }

  private tell(client: Client, what: 'connected' | 'disconnected', expirySeconds: number): void {
    const { doors, queue, time, chance, parameters } = this.installation;
    const at = time.clock.now();
    const { clientId } = client;
    const report = {
      type: `door.${what}`,
      deploymentId,
      ...client,
      attempt: this.attempts.get(clientId),
      at,
      expirySeconds,
    };
    const event = {
      clientId: toBrokerClientId(deploymentId, clientId),
      timestamp: at,
      eventType: what,
      sessionIdentifier: clientId,
      versionNumber: this.versions.get(clientId) ?? firstVersion,
      ...(what === 'disconnected' ? { disconnectReason: 'CLIENT_INITIATED_DISCONNECT' } : {}),
    };
    if (doors > 0) queue.send(JSON.stringify(report), chance.lognormal(reportAfterMs, 0.3));
    // Of what comes through the front door the broker tells, too.
    queue.send(JSON.stringify(event), chance.lognormal(parameters.confirmAfterMs, 0.3));
  }
}
