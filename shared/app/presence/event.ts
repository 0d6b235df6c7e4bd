// Applies an event of the broker. Events name neither username nor attempt.

import { toBrokerClientId } from '../../domain/ids.ts';
import { pendingOf, type Session } from '../../domain/session/record.ts';
import type { BrokerSays } from '../../ports/presence/broker.ts';
import type { Stored } from '../../ports/presence/sessions.ts';
import type { BrokerEvent } from './broker-event.ts';
import { change } from './change.ts';
import { createHeld, type Held } from './held.ts';
import { readEvent } from './read-event.ts';
import type { Applied, LifeCyclePorts } from './step.ts';

/** `doorSilent`: the front door has had its time to report the end of the connection, and has not. */
export async function applyBrokerEvent(
  ports: LifeCyclePorts,
  event: BrokerEvent,
  doorSilent = false,
  held: Held = createHeld(ports.store),
): Promise<Applied> {
  const owner = await held.owner(event.deploymentId, event.clientId);
  // A client id that was never admitted: not ours, or its tombstone has gone.
  if (owner === undefined) return 'done';
  const names = { deploymentId: event.deploymentId, clientId: event.clientId, username: owner.value.username };
  const truth = event.type === 'connected' ? await askAside(ports, await held.session(names)) : undefined;
  return change(ports, names, (session, now) => readEvent(session, event, { truth, doorSilent }, ports, now), held);
}

/**
 * Asks the broker for what no event tells: the session expiry of a client that goes straight to it, and when exactly the
 * client connected (S10). Undefined where the question is needless or has no answer: then the admission's expiry counts.
 */
async function askAside(
  ports: LifeCyclePorts,
  stored: Stored<Session> | undefined,
): Promise<(BrokerSays & { readonly kind: 'connected' }) | undefined> {
  if (stored === undefined || stored.value.attempts[0].source === 'door' || pendingOf(stored.value) === undefined)
    return undefined;
  const { deploymentId, clientId } = stored.value;
  const says = await ports.broker.getConnection(toBrokerClientId(deploymentId, clientId));
  return says.kind === 'connected' ? says : undefined;
}
