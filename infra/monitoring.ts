// What an operator looks at, and what wakes one. Every alarm has an entry of its name in docs/runbook.md.

import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { metricsNamespace } from '../shared/config/metrics.ts';

export interface MonitoringProps {
  readonly authorizer: IFunction;
  readonly presence: IFunction;
  readonly api: IFunction;
  readonly table: Table;
  readonly presenceQueue: IQueue;
  readonly presenceDeadLetters: IQueue;
  /** Where what the expiry function could not settle is kept. */
  readonly expiryLost: IQueue;
}

type Component = 'authorizer' | 'frontdoor' | 'sweeper' | 'reconciler';

interface Trigger {
  readonly metric: IMetric;
  readonly above: number;
  readonly minutes: number;
  /** One line; the rest is in the runbook. */
  readonly means: string;
  /** Nothing measured is as bad as too much of it. */
  readonly silence?: true;
}

const minute = Duration.minutes(1);

function measured(metricName: string, component: Component, statistic: string = Stats.SUM): Metric {
  return new Metric({
    namespace: metricsNamespace,
    metricName,
    dimensionsMap: { component },
    statistic,
    period: minute,
  });
}

export class Monitoring extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    this.topic = new Topic(this, 'Alarms', { enforceSSL: true });
    const sum = { statistic: Stats.SUM, period: minute };
    const oldest = { statistic: Stats.MAXIMUM, period: minute };
    const triggers: Readonly<Record<string, Trigger>> = {
      AuthorizerErrors: {
        metric: props.authorizer.metricErrors(sum),
        above: 0,
        minutes: 3,
        means: 'CONNECTs are refused because the authorizer fails or takes longer than 5 s.',
      },
      AuthorizerThrottled: {
        metric: props.authorizer.metricThrottles(sum),
        above: 0,
        minutes: 2,
        means: 'CONNECTs are refused because too few functions may run at once.',
      },
      Unavailable: {
        metric: measured('RejectedUnavailable', 'authorizer'),
        above: 5,
        minutes: 3,
        means: 'CONNECTs are refused because the table does not answer in time.',
      },
      ConnectSlow: {
        metric: measured('ConnectLatency', 'authorizer', Stats.percentile(99)),
        above: 1_500,
        minutes: 5,
        means: 'Deciding about a CONNECT takes half of the time that there is.',
      },
      PresenceLate: {
        metric: props.presenceQueue.metricApproximateAgeOfOldestMessage(oldest),
        above: 60,
        minutes: 3,
        means: 'What happened to connections is applied more than a minute late: counts are too high meanwhile.',
      },
      PresenceDeadLetters: {
        metric: props.presenceDeadLetters.metricApproximateNumberOfMessagesVisible(oldest),
        above: 0,
        minutes: 1,
        means: 'A presence message could not be applied in five tries.',
      },
      PresenceErrors: {
        metric: props.presence.metricErrors(sum),
        above: 0,
        minutes: 5,
        means: 'The presence function fails as a whole.',
      },
      ExpiryLost: {
        metric: props.expiryLost.metricApproximateNumberOfMessagesVisible(oldest),
        above: 0,
        minutes: 1,
        means: 'A batch of the stream could not be settled; the reconciler will find what it told of.',
      },
      SweeperBehind: {
        metric: measured('SweepLag', 'sweeper', Stats.MAXIMUM),
        above: 180_000,
        minutes: 3,
        means: 'Expired sessions are freed more than three minutes late, or the sweeper does not run.',
        silence: true,
      },
      SweeperFails: {
        metric: measured('SweepFailed', 'sweeper'),
        above: 0,
        minutes: 5,
        means: 'The sweeper leaves the same work undone for five minutes.',
      },
      Drift: {
        metric: measured('Drift', 'reconciler'),
        above: 0,
        minutes: 1,
        means: 'A count and its sessions disagreed and were repaired. It is 0 unless something is wrong.',
      },
      Ghosts: {
        metric: measured('Ghosts', 'reconciler'),
        above: 100,
        minutes: 15,
        means:
          'Many sessions counted that were gone at the broker: events are being lost. Or the reconciler does not run.',
        silence: true,
      },
      ApiErrors: {
        metric: props.api.metricErrors(sum),
        above: 0,
        minutes: 5,
        means: 'The HTTP API fails.',
      },
    };
    for (const [name, trigger] of Object.entries(triggers)) this.#alarm(name, trigger);
    this.#dashboard(props);
  }

  #alarm(name: string, { metric, above, minutes, means, silence }: Trigger): void {
    const alarm = new Alarm(this, name, {
      metric,
      alarmDescription: `${means} docs/runbook.md, "${name}"`,
      threshold: above,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: minutes,
      treatMissingData: silence === true ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.topic));
    alarm.addOkAction(new SnsAction(this.topic));
  }

  #dashboard(props: MonitoringProps): void {
    const both = (name: string, statistic?: string): IMetric[] => [
      measured(name, 'authorizer', statistic).with({ label: `${name}, straight to IoT Core` }),
      measured(name, 'frontdoor', statistic).with({ label: `${name}, through the front door` }),
    ];
    const graph = (title: string, left: IMetric[], right: IMetric[] = []): GraphWidget =>
      new GraphWidget({ title, left, right, width: 12, height: 6 });
    const depth = { statistic: Stats.MAXIMUM, period: minute };
    new Dashboard(this, 'Dashboard', {
      widgets: [
        [
          graph('CONNECTs let in', both('Admitted'), [measured('Connections', 'frontdoor', Stats.AVERAGE)]),
          graph('CONNECTs turned away', [
            ...both('RejectedQuota'),
            ...both('RejectedCredentials'),
            ...both('RejectedUnavailable'),
            ...both('RejectedOther'),
          ]),
        ],
        [
          graph('Time to decide (ms)', [
            ...both('ConnectLatency', Stats.percentile(50)),
            ...both('ConnectLatency', Stats.percentile(99)),
          ]),
          graph(
            'Authorizer',
            [props.authorizer.metricErrors(), props.authorizer.metricThrottles()],
            [props.authorizer.metricInvocations()],
          ),
        ],
        [
          graph(
            'Presence queue: age (s), dead letters',
            [props.presenceQueue.metricApproximateAgeOfOldestMessage(depth)],
            [props.presenceDeadLetters.metricApproximateNumberOfMessagesVisible(depth)],
          ),
          graph(
            'Sweeper: lag (ms), lease checks, freed',
            [measured('SweepLag', 'sweeper', Stats.MAXIMUM)],
            [measured('LeaseChecks', 'sweeper'), measured('Freed', 'sweeper'), measured('SweepFailed', 'sweeper')],
          ),
        ],
        [
          graph('Drift and ghosts', [
            measured('Drift', 'reconciler'),
            measured('Drift', 'sweeper'),
            measured('Ghosts', 'reconciler'),
          ]),
          graph('Table: units, throttled', [
            props.table.metricConsumedWriteCapacityUnits(),
            props.table.metricConsumedReadCapacityUnits(),
          ]),
        ],
      ],
    });
  }
}
