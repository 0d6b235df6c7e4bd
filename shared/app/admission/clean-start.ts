// S9 for a client that goes straight to the broker while the database is silent (S17). The owner of its client id cannot be
// looked up. The front door rewrites such a CONNECT to start clean; the authorizer cannot. It ends what the broker keeps
// under the client id before it answers. If that fails, it rejects the client.

import type { Connect } from '../../domain/connect.ts';
import { toBrokerClientId } from '../../domain/ids.ts';
import type { Broker } from '../../ports/presence/broker.ts';

/**
 * As `connect`, but an admission that must start clean finds nothing at the broker any more. Rejects it as unavailable if
 * the broker does not answer, or the share of its calls is used up. The admission is in the queue by then, so the client
 * counts until its lease: one too many, never one too few. The old connection would have been ended by this CONNECT anyway.
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
