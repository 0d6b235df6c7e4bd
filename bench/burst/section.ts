// The exactness of admission on the real engine, as a section of the benchmark.

import { latencyRows } from '../latency/rounds.ts';
import type { Row, Section } from '../section.ts';
import { type AdmissionRound, startAdmissionBench } from './admissions.ts';

const arrivals = 500;
const limits = [1, 10, 100, 1_000];

export function exactnessRows(limit: number, arriving: number, rounds: readonly AdmissionRound[]): readonly Row[] {
  const at = `${arriving} admissions of one username at once on the embedded engine, limit ${limit}`;
  const expected = Math.min(limit, arriving);
  const exact = rounds.filter(
    ({ admitted, refusedForQuota, used }) =>
      admitted === expected && used === expected && refusedForQuota === arriving - expected,
  );
  const inexact = rounds.length - exact.length;
  const times = { [at]: rounds.map(({ tookMs }) => tookMs) };
  return [
    {
      what: `${at}: rounds in which admitted, refused or counted were not exact`,
      value: inexact,
      unit: 'rounds',
      budget: 0,
      ok: inexact === 0,
      binding: true,
      headline: true,
    },
    ...latencyRows(times, at, `${at}: one decision`),
  ];
}

export const section: Section = {
  name: 'burst',
  title: 'Bursts on the embedded engine, without MQTT',

  async run({ full, say }) {
    const rounds = full ? 20 : 3;
    const rows: Row[] = [];
    const bench = await startAdmissionBench();
    try {
      for (const limit of limits) {
        const found: AdmissionRound[] = [];
        for (let round = 0; round < rounds; round += 1)
          found.push(await bench.burst(`limit-${limit}-round-${round}`, limit, arrivals));
        rows.push(...exactnessRows(limit, arrivals, found));
        say(`limit ${limit}: admitted ${found.map(({ admitted }) => admitted).join(', ')}`);
      }
    } finally {
      await bench.stop();
    }
    return {
      rows,
      notes: [
        `The admission's own code over the real store, ${rounds} rounds a limit, each on a new username, in one process beside the engine. Nobody is cut off by a deadline, so that every decision is one about the limit. The embedded engine cancels nobody for meeting others, as AWS does: the sections in simulated time have that.`,
      ],
    };
  },
};
