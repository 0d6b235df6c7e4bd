// S9 for a client that goes straight to the broker while the database is silent (S17): whose its client id was cannot be
// looked up. The front door rewrites such a CONNECT to start clean. Straight to the broker nobody can, so what the broker
// keeps under the client id is ended before the answer is given, and where that cannot be done nobody is let in.

import type { Connect } from '../../domain/connect.ts';
import { toBrokerClientId } from '../../domain/ids.ts';
import type { Broker } from '../../ports/presence/broker.ts';

/**
 * As `connect`, but an admission that must start clean finds nothing at the broker any more. Where the broker does not
 * answer (or is asked too much), it is rejected as unavailable: it stays counted until its lease, which is one too many
 * and never one too few. Ending the old connection hurries only what this CONNECT would have done.
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
