// A share of the broker's account-wide rate, kept by whoever has many calls to make (DeleteConnection: 100 a second for
// the whole account). A token bucket of one second: no burst is larger, no second brings more.

import type { BrokerClientId } from '../../domain/ids.ts';
import type { Clock, Pause } from '../../ports/common/clock.ts';
import type { Broker } from '../../ports/presence/broker.ts';

/** Resolves when the caller may go ahead; in the order of asking. */
export type Pace = () => Promise<void>;

export function createPace(ports: { readonly clock: Clock; readonly pause: Pause }, perSecond: number): Pace {
  const { clock, pause } = ports;
  const gapMs = 1_000 / perSecond;
  /** When the bucket is empty next: those before it have been let through or wait. */
  let next = 0;
  return async () => {
    const now = clock.now();
    // A bucket is full at most; and a clock that stepped back must not hold everybody up.
    next = Math.min(Math.max(next, now - 1_000), now + 60_000) + gapMs;
    if (next > now) await pause(next - now);
  };
}

/** The broker, asked to end no more connections a second than the pace allows. */
export function paced(broker: Broker, pace: Pace): Broker {
  return {
    getConnection: (id) => broker.getConnection(id),
    async deleteConnection(id: BrokerClientId, options) {
      await pace();
      return broker.deleteConnection(id, options);
    },
  };
}
