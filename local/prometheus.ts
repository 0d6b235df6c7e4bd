// Metrics for a scraper, under the names that they have on AWS. `component` is the only label: no tenant, username or
// client can become one.

import { metricsNamespace, type metricUnits } from '../shared/config/metrics.ts';
import type { Measure, Measures } from '../shared/ports/common/metrics.ts';

type Name = keyof typeof metricUnits;

/** What is a state at one moment; all else only grows. */
const gauges: ReadonlySet<Name> = new Set(['Connections', 'Unadmitted', 'SweepLag']);

/** Upper ends in milliseconds; a front door answers after 16 s at the latest. */
const latencyBuckets = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 20_000];

export interface Meters {
  /** A metric is 0 until it is measured: a rate over a counter that appears late would miss its first step. */
  add(component: string, names: readonly Name[]): Measure;
  /** The text format of Prometheus, version 0.0.4. */
  render(): string;
}

interface Series {
  readonly component: string;
  value: number;
  /** Of a latency: how many there were, in all and up to each upper end; `value` is their sum. */
  count: number;
  readonly upTo: number[];
}

export function createMeters(): Meters {
  const metrics = new Map<Name, Series[]>();

  function take(name: Name, series: Series, value: number): void {
    series.value = gauges.has(name) ? value : series.value + value;
    series.count += 1;
    latencyBuckets.forEach((end, at) => {
      if (value <= end) series.upTo[at] = (series.upTo[at] ?? 0) + 1;
    });
  }

  return {
    add(component, names) {
      for (const name of names) {
        const series = { component, value: 0, count: 0, upTo: latencyBuckets.map(() => 0) };
        metrics.set(name, [...(metrics.get(name) ?? []), series]);
      }
      return (values) => {
        for (const [name, measured] of Object.entries(values) as [keyof Measures, number | readonly number[]][]) {
          const series = metrics.get(name)?.find((one) => one.component === component);
          if (series === undefined) continue;
          for (const value of typeof measured === 'number' ? [measured] : measured) take(name, series, value);
        }
      };
    },
    render: () => [...metrics].flatMap(([name, all]) => [typeLine(name), ...all.flatMap(rendererOf(name))]).join(''),
  };
}

const fullName = (name: Name): string => `${metricsNamespace}_${name}`;

function typeLine(name: Name): string {
  const type = name === 'ConnectLatency' ? 'histogram' : gauges.has(name) ? 'gauge' : 'counter';
  return `# TYPE ${fullName(name)} ${type}\n`;
}

function rendererOf(name: Name): (series: Series) => readonly string[] {
  if (name !== 'ConnectLatency')
    return ({ component, value }) => [`${fullName(name)}{component="${component}"} ${value}\n`];
  return ({ component, value, count, upTo }) => {
    const ends = [...latencyBuckets.map(String), '+Inf'];
    const label = `component="${component}"`;
    return [
      ...ends.map((end, at) => `${fullName(name)}_bucket{${label},le="${end}"} ${upTo[at] ?? count}\n`),
      `${fullName(name)}_sum{${label}} ${value}\n`,
      `${fullName(name)}_count{${label}} ${count}\n`,
    ];
  };
}
