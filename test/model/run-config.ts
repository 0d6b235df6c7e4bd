// What one run is like. Everything else of it is the list of steps.

import type { FaultRates } from './fates.ts';

export interface RunConfig {
  /** Who tells what becomes of a CONNECT: the front door, the broker's events, or now this and now that. */
  readonly witness: 'door' | 'broker' | 'mixed';
  /** Whether the broker behind the front door sends presence events too: IoT Core does, the local broker does not. */
  readonly doorEvents: boolean;
  readonly takeover: boolean;
  readonly faults: 'none' | 'some' | 'many';
  /** Presence messages may get lost on their way to the queue. */
  readonly drops: boolean;
  /** An admitted CONNECT may reach the broker only after its lease: slower than any time-out of IoT Core allows. */
  readonly lateDials: boolean;
  /** `onStoreFailure: admit`. */
  readonly admits: boolean;
  /** The clocks of two processes differ. */
  readonly skew: boolean;
  /** Rosters are wide from the second session on. */
  readonly wide: boolean;
  /** The limit at first. */
  readonly max: number;
}

export interface Step {
  /** 0 to 999: what happens. */
  readonly what: number;
  /** 0 to 999: to whom. */
  readonly whom: number;
  /** 0 to 9,999: how. */
  readonly how: number;
}

/** How far the clocks of two machines may lie apart, half of it. */
export const skewMaxMs = 1_500;

const rates: Readonly<Record<RunConfig['faults'], FaultRates>> = {
  none: { deaths: 0, timeouts: 0, stale: 0, unknown: 0 },
  some: { deaths: 2, timeouts: 3, stale: 20, unknown: 10 },
  many: { deaths: 6, timeouts: 12, stale: 40, unknown: 30 },
};

export function faultRates(config: RunConfig): FaultRates {
  return rates[config.faults];
}
