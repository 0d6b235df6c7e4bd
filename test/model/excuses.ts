// Every exception that the model makes, in one place, with its reason. What is not here is a violation.

import type { Session } from '../../shared/domain/session.ts';
import type { RealSession } from './broker-oracle.ts';
import type { World } from './world.ts';

/** Real, and need not be counted (I1b). */
export function excuseUncounted(world: World, real: RealSession): string | undefined {
  // Its lease ran out and the broker said, truthfully, that there was nothing: freed with proof, connected later. IoT
  // Core and the front door's tickets end a CONNECT after 10 s, so this needs a broker that breaks its own bounds. Its
  // `connected` counts it again (rule 4), over the limit if need be.
  if (world.lateAttempts.has(real.tag.attempt)) return 'reached the broker after its lease';
  return undefined;
}

/** Counted at quiet, and not real (I2 against the broker). Never needed for I2 against the table. */
export function excuseCounted(world: World, session: Session): string | undefined {
  // A lost `disconnected`: counted until the connection's upper bound, or until reconciling finds it (S13).
  if (world.config.drops) return 'an event was lost';
  // Straight to the broker nothing tells that a client's expiry is shorter than the deployment's, once it has gone
  // before the broker could be asked: the deployment's stands in (S10).
  if (session.witness === 'broker' && session.holding === 'retained') return "the deployment's expiry stands in";
  return undefined;
}
