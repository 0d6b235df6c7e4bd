// What the broker and the front doors say of what happened, on its way into the queue.

import { toBrokerClientId } from '../../shared/domain/ids.ts';
import type { BrokerHappening } from './broker-oracle.ts';
import type { Dial } from './connects.ts';
import type { World } from './world.ts';

/** `draw`: whether one of the messages gets lost, in runs where that happens. */
export function tellHappenings(world: World, happenings: readonly BrokerHappening[], draw: number): void {
  happenings.forEach((happening, n) => {
    const { session, connection } = happening;
    const { tag } = connection;
    if (tag.witness === 'broker' || world.config.doorEvents) send(world, brokerEvent(world, happening), draw + 3 * n);
    // A front door that has died reports nothing.
    if (tag.witness !== 'door' || tag.door !== world.door) return;
    const { deploymentId, username, clientId } = session;
    send(
      world,
      {
        type: `door.${happening.type}`,
        deploymentId,
        username,
        clientId,
        attempt: tag.attempt,
        at: world.clock.now(),
        ...(tag.uncounted ? { uncounted: true } : {}),
        ...expiryTold(happening),
      },
      draw + 5 * n,
    );
  });
}

/** As the relay tells it: the longest that the broker may keep it, and what a DISCONNECT asked for. */
function expiryTold(happening: BrokerHappening): object {
  const granted = happening.connection.expirySeconds;
  const claimed = happening.type === 'disconnected' ? happening.claimed : undefined;
  if (claimed === undefined || granted === 0 || claimed === granted) return { expirySeconds: granted };
  return { expirySeconds: Math.max(granted, claimed), changedToSeconds: claimed };
}

/** An admitted CONNECT that never became a connection. */
export function tellFailed(world: World, { asked }: Dial, draw: number): void {
  const { deploymentId, username, clientId, tag } = asked;
  if (tag.witness === 'door' && tag.door === world.door) {
    send(
      world,
      {
        type: 'door.failed',
        deploymentId,
        username,
        clientId,
        attempt: tag.attempt,
        at: world.clock.now(),
        ...(tag.uncounted ? { uncounted: true } : {}),
        // It never comes either way; a front door that had sent it cannot know.
        ...(draw % 3 === 0 ? {} : { unsent: true }),
      },
      draw,
    );
  }
  // Whether the broker says so is not documented.
  if (tag.witness === 'broker' && draw % 2 === 0) {
    send(
      world,
      {
        clientId: toBrokerClientId(deploymentId, clientId),
        timestamp: world.clock.now(),
        eventType: 'connect_failed',
        connectFailureReason: 'AUTHORIZATION_FAILED',
      },
      draw,
    );
  }
}

function brokerEvent(world: World, happening: BrokerHappening): object {
  const { session, connection } = happening;
  const common = {
    clientId: toBrokerClientId(session.deploymentId, session.clientId),
    timestamp: world.clock.now(),
    eventType: happening.type,
    sessionIdentifier: connection.pair.sessionIdentifier,
    principalIdentifier: 'principal',
    versionNumber: connection.pair.versionNumber,
  };
  if (happening.type === 'connected') return { ...common, ipAddress: '192.0.2.1' };
  return {
    ...common,
    clientInitiatedDisconnect: happening.reason === 'CLIENT_INITIATED_DISCONNECT',
    disconnectReason: happening.reason,
  };
}

function send(world: World, body: object, draw: number): void {
  if (world.config.drops && draw % 10 === 7) {
    world.tell(undefined, `  lost: ${JSON.stringify(body)}`);
    return;
  }
  const message = world.queue.send(body, world.clock.now());
  world.tell(undefined, `  queued ${message.id}: ${message.body}`);
}
