// S9 for those who go straight to the broker: a client id that comes from another username inherits nothing. The front
// door rewrites the CONNECT to start clean; straight to the broker nobody can, so what the broker keeps under the client
// id is ended before the answer is given, and where that cannot be done nobody is let in.

import type { Connect } from '../../domain/connect.ts';
import { toBrokerClientId } from '../../domain/ids.ts';
import type { Broker } from '../../ports/presence/broker.ts';

/**
 * As `connect`, but an admission that must start clean finds nothing at the broker any more. Where the broker does not
 * answer (or is asked too much), it is rejected as unavailable: it stays counted until its lease, which is one too many
 * and never one too few, and whoever tries again under the client id must start clean again, until one is confirmed.
 * Ending the old connection hurries only what this CONNECT would have done, and a CONNECT that fails afterwards has taken
 * a connection that was allowed to be taken over.
 */
export function startingClean(connect: Connect, broker: Pick<Broker, 'deleteConnection'>): Connect {
  return async (request) => {
    const decision = await connect(request);
    if (decision.kind === 'rejected' || decision.mustCleanStart === undefined) return decision;
    const id = toBrokerClientId(decision.deploymentId, decision.clientId);
    if ((await broker.deleteConnection(id, { cleanSession: true })) !== 'unknown') return decision;
    const detail = 'what another username left under the client id could not be ended at the broker';
    return { kind: 'rejected', reason: 'unavailable', detail };
  };
}
