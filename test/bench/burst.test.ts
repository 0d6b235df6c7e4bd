// Admission's own code in a burst on the real engine, as the benchmark runs it.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AdmissionBench, startAdmissionBench } from '../../bench/burst/admissions.ts';
import { exactnessRows } from '../../bench/burst/section.ts';

let bench: AdmissionBench;
beforeAll(async () => {
  bench = await startAdmissionBench();
});
afterAll(() => bench.stop());

// The last one is past where a roster becomes wide, in the middle of its burst.
test.each([
  [60, 1],
  [60, 7],
  [60, 100],
  [220, 170],
])(
  'of %i admissions at once at limit %i as many are admitted and counted as there is room for',
  async (arrivals, limit) => {
    const round = await bench.burst(`alice-${limit}`, limit, arrivals);
    const expected = Math.min(arrivals, limit);
    expect(round).toMatchObject({ admitted: expected, used: expected, refusedForQuota: arrivals - expected });
    expect(round.tookMs).toHaveLength(arrivals);
    expect(exactnessRows(limit, arrivals, [round])[0]).toMatchObject({ value: 0, ok: true });
  },
  240_000,
);

test.each([
  { admitted: 8, refusedForQuota: 52, used: 8 },
  { admitted: 6, refusedForQuota: 54, used: 6 },
  { admitted: 7, refusedForQuota: 52, used: 7 },
  { admitted: 7, refusedForQuota: 53, used: 8 },
])('a round that is not exact ends the benchmark: %o', (round) => {
  expect(exactnessRows(7, 60, [{ ...round, tookMs: [1] }])[0]).toMatchObject({ value: 1, ok: false, binding: true });
});
