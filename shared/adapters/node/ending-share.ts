// DeleteConnection on the connect path, within a deployment's share (S9). The account has 100 calls a second for all tenants,
// and whoever holds two usernames of one deployment can make each of its CONNECTs take a client id over.

import { takeoverBurst, takeoversPerSecond } from '../../config/constants.ts';
import type { Clock } from '../../ports/common/clock.ts';
import type { Broker } from '../../ports/presence/broker.ts';
import { Tokens } from './tokens.ts';

type Ending = Pick<Broker, 'deleteConnection'>;

/** Deployments that a process remembers; the one that was served longest ago is forgotten first. */
const maxDeployments = 1_000;

/** Each process gives a deployment so many calls; what is asked beyond them is not sent, and answered `unknown`. */
export function withinShare(broker: Ending, clock: Clock): Ending {
  const shares = new Map<string, Tokens>();

  function shareOf(deployment: string): Tokens {
    const share = shares.get(deployment) ?? new Tokens(clock, takeoversPerSecond, takeoverBurst);
    shares.delete(deployment);
    shares.set(deployment, share);
    const [oldest] = shares.keys();
    if (shares.size > maxDeployments && oldest !== undefined) shares.delete(oldest);
    return share;
  }

  return {
    deleteConnection: async (id, how) =>
      shareOf(id.slice(0, Math.max(0, id.indexOf(':')))).take() ? broker.deleteConnection(id, how) : 'unknown',
  };
}
