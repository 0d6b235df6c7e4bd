// What wakes somebody. Every alarm has an entry of its name in docs/runbook.md.

import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  Metric,
  type MetricOptions,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { TableUser } from '../shared/config/env.ts';
import { metricsNamespace } from '../shared/config/metrics.ts';

/** Who writes metrics: each under its own name, which is their only dimension. */
export type Component = TableUser | 'frontdoor';

export interface Trigger {
  readonly metric: IMetric;
  readonly above: number;
  readonly minutes: number;
  /** One line; the rest is in the runbook. */
  readonly means: string;
  /** Nothing measured is as bad as too much of it. */
  readonly silence?: true;
}

const period = Duration.minutes(1);

/** How a metric of AWS is read: added up, or at its highest, minute by minute. */
export const summed: MetricOptions = { statistic: Stats.SUM, period };
export const highest: MetricOptions = { statistic: Stats.MAXIMUM, period };

/** A metric of this product's own. */
export function measured(metricName: string, component: Component, statistic: string = Stats.SUM): Metric {
  return new Metric({ namespace: metricsNamespace, metricName, dimensionsMap: { component }, statistic, period });
}

export function addAlarms(scope: Construct, topic: ITopic, triggers: Readonly<Record<string, Trigger>>): void {
  for (const [name, { metric, above, minutes, means, silence }] of Object.entries(triggers)) {
    const alarm = new Alarm(scope, name, {
      metric,
      alarmDescription: `${means} docs/runbook.md, "${name}"`,
      threshold: above,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: minutes,
      treatMissingData: silence === true ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(topic));
    alarm.addOkAction(new SnsAction(topic));
  }
}
