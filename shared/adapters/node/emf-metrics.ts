// Metrics as lines of the log: CloudWatch reads them out of it (embedded metric format), so that measuring costs no call
// and no permission. [AWS: CloudWatch embedded metric format specification]

import { metricsNamespace, metricUnits } from '../../config/metrics.ts';
import type { Clock } from '../../ports/common/clock.ts';
import type { Measure } from '../../ports/common/metrics.ts';

/** `component` is the only dimension: a dimension of many values is a bill of as many metrics. */
export function createEmfMeasure(
  component: string,
  clock: Clock,
  write: (line: string) => void = (line) => process.stdout.write(`${line}\n`),
): Measure {
  return (values) => {
    const known = Object.entries(metricUnits).filter(([name]) => name in values);
    if (known.length === 0) return;
    write(
      JSON.stringify({
        _aws: {
          Timestamp: clock.now(),
          CloudWatchMetrics: [
            {
              Namespace: metricsNamespace,
              Dimensions: [['component']],
              Metrics: known.map(([Name, Unit]) => ({ Name, Unit })),
            },
          ],
        },
        component,
        ...values,
      }),
    );
  };
}
