// The schedules: drawn from one seed, so that a red run can be had again.

import fc from 'fast-check';
import type { RunConfig, Step } from './run-config.ts';

export interface Schedule {
  readonly config: RunConfig;
  readonly steps: readonly Step[];
}

const arbitraryConfig: fc.Arbitrary<RunConfig> = fc.record({
  witness: fc.constantFrom('door', 'broker', 'mixed'),
  doorEvents: fc.boolean(),
  takeover: fc.boolean(),
  faults: fc.constantFrom('none', 'some', 'many'),
  drops: fc.nat(3).map((n) => n === 3),
  lateDials: fc.nat(2).map((n) => n === 2),
  admits: fc.nat(2).map((n) => n === 2),
  skew: fc.nat(3).map((n) => n === 3),
  wide: fc.boolean(),
  max: fc.integer({ min: 1, max: 4 }),
});

const arbitraryStep: fc.Arbitrary<Step> = fc.record({ what: fc.nat(999), whom: fc.nat(999), how: fc.nat(9_999) });

/** Long ones too: what is hard to reach lies deep. */
const arbitrarySteps = fc.array(fc.noBias(arbitraryStep), { maxLength: 300, size: 'max' });

export function drawSchedules(seed: number, count: number): Schedule[] {
  return fc.sample(fc.record({ config: arbitraryConfig, steps: arbitrarySteps }), { seed, numRuns: count });
}
