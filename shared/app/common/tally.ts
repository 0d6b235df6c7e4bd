// Measurements of single CONNECTs, gathered into one line of the log: strangers decide how many CONNECTs there are, so
// they must not decide how many lines. Only for counts, which are summed, and latencies, which are listed.

import type { Measure, Measures } from '../../ports/common/metrics.ts';

/** The most values that a metric may have in one line. [AWS: CloudWatch embedded metric format specification] */
const maxListed = 100;

export interface Tally {
  readonly measure: Measure;
  /** Writes what was gathered since; to be called every second and at the end. */
  flush(): void;
}

export function createTally(measure: Measure): Tally {
  const sums = new Map<keyof Measures, number>();
  let latencies: number[] = [];

  function flush(): void {
    if (sums.size > 0 || latencies.length > 0)
      measure({ ...Object.fromEntries(sums), ...(latencies.length === 0 ? {} : { ConnectLatency: latencies }) });
    sums.clear();
    latencies = [];
  }

  return {
    measure({ ConnectLatency, ...counts }) {
      for (const [name, value] of Object.entries(counts) as [keyof Measures, number][])
        sums.set(name, (sums.get(name) ?? 0) + value);
      if (typeof ConnectLatency === 'number') latencies.push(ConnectLatency);
      if (latencies.length >= maxListed) flush();
    },
    flush,
  };
}
