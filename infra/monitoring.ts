// What an operator looks at, and what wakes one of the path of a CONNECT. The other stacks add the alarms of their own
// parts to the same topic.

import { ArnFormat, Stack } from 'aws-cdk-lib';
import { Dashboard, GraphWidget, type IMetric, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { addAlarms, type Component, highest, measured, summed } from './alarms.ts';

interface QueueWithDeadLetters {
  readonly queue: IQueue;
  readonly deadLetters: IQueue;
}

export interface MonitoringProps {
  readonly authorizer: IFunction;
  readonly presence: IFunction;
  readonly operations: IFunction;
  readonly tokenKeys: IFunction;
  readonly table: ITable;
  readonly presenceQueue: QueueWithDeadLetters;
  readonly operationsQueue: QueueWithDeadLetters;
  /** Where the presence rule tells of what it could not deliver. */
  readonly presenceLost: ILogGroup;
}

/** Everybody who calls the database. */
const callers = [
  'authorizer',
  'frontdoor',
  'presence',
  'sweeper',
  'reconciler',
  'operations',
  'api',
  'token-keys',
] as const satisfies readonly Component[];

const age = (queue: IQueue): Metric => queue.metricApproximateAgeOfOldestMessage(highest);
const depth = (queue: IQueue): Metric => queue.metricApproximateNumberOfMessagesVisible(highest);

export class Monitoring extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    this.topic = new Topic(this, 'Alarms', { enforceSSL: true });
    // A topic with a policy of its own has no longer the one that lets its account's alarms in.
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
          ArnLike: {
            'aws:SourceArn': Stack.of(this).formatArn({
              service: 'cloudwatch',
              resource: 'alarm',
              resourceName: '*',
              arnFormat: ArnFormat.COLON_RESOURCE_NAME,
            }),
          },
        },
      }),
    );
    this.#ofConnects(props);
    this.#ofPresence(props);
    this.#ofBackground(props);
    this.#dashboard(props);
  }

  #ofConnects({ authorizer }: MonitoringProps): void {
    addAlarms(this, this.topic, {
      AuthorizerErrors: {
        metric: authorizer.metricErrors(summed),
        above: 0,
        minutes: 3,
        means: 'CONNECTs are refused because the authorizer fails or takes longer than 5 s.',
      },
      AuthorizerThrottled: {
        metric: authorizer.metricThrottles(summed),
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
    });
  }

  #ofPresence({ presence, presenceQueue, presenceLost }: MonitoringProps): void {
    addAlarms(this, this.topic, {
      PresenceLate: {
        metric: age(presenceQueue.queue),
        above: 60,
        minutes: 3,
        means: 'What happened to connections is applied more than a minute late: counts are too high meanwhile.',
      },
      PresenceDeadLetters: {
        metric: depth(presenceQueue.deadLetters),
        above: 0,
        minutes: 1,
        means: 'A presence message could not be applied in five tries.',
      },
      PresenceErrors: {
        metric: presence.metricErrors(summed),
        above: 0,
        minutes: 5,
        means: 'The presence function fails as a whole.',
      },
      PresenceLost: {
        metric: new Metric({
          namespace: 'AWS/Logs',
          metricName: 'IncomingLogEvents',
          dimensionsMap: { LogGroupName: presenceLost.logGroupName },
          ...summed,
        }),
        above: 0,
        minutes: 1,
        means: 'IoT Core could not put presence events on their queue; the reconciler will find what they told of.',
      },
    });
  }

  #ofBackground({ operations, operationsQueue, tokenKeys }: MonitoringProps): void {
    addAlarms(this, this.topic, {
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
      OperationsErrors: {
        metric: operations.metricErrors(summed),
        above: 0,
        minutes: 5,
        means: 'Kicks of many and removals of deployments do not get on.',
      },
      OperationsDeadLetters: {
        metric: depth(operationsQueue.deadLetters),
        above: 0,
        minutes: 1,
        means: 'An operation could not be gone on with in five tries.',
      },
      TokenKeysErrors: {
        metric: tokenKeys.metricErrors(summed),
        above: 0,
        // It runs every ten minutes, so each of its failures is seen.
        minutes: 1,
        means: 'The keys that signed tokens are verified with are not fetched anew.',
      },
    });
  }

  #dashboard(props: MonitoringProps): void {
    const both = (name: string, statistic?: string): IMetric[] => [
      measured(name, 'authorizer', statistic).with({ label: `${name}, straight to IoT Core` }),
      measured(name, 'frontdoor', statistic).with({ label: `${name}, through the front door` }),
    ];
    const graph = (title: string, left: IMetric[], right: IMetric[] = []): GraphWidget =>
      new GraphWidget({ title, left, right, width: 12, height: 6 });
    const ofAll = (name: string): IMetric[] => callers.map((caller) => measured(name, caller).with({ label: caller }));
    const { authorizer, table, presenceQueue, operationsQueue } = props;
    new Dashboard(this, 'Dashboard', {
      widgets: [
        [
          graph('CONNECTs let in', both('Admitted'), [measured('Connections', 'frontdoor', Stats.AVERAGE)]),
          graph('CONNECTs turned away', [
            ...both('RejectedQuota'),
            ...both('RejectedCredentials'),
            ...both('RejectedUnavailable'),
            ...both('RejectedOther'),
            measured('Departed', 'frontdoor').with({ label: 'Departed before the answer, at the front door' }),
          ]),
        ],
        [
          graph(
            'Sockets that are not admitted, at one task',
            [measured('Unadmitted', 'frontdoor', Stats.MAXIMUM)],
            [measured('Shed', 'frontdoor').with({ label: 'Shed, beyond the share of their address' })],
          ),
        ],
        [
          graph('Time to decide (ms)', [
            ...both('ConnectLatency', Stats.percentile(50)),
            ...both('ConnectLatency', Stats.percentile(99)),
          ]),
          graph(
            'Authorizer',
            [authorizer.metricErrors(), authorizer.metricThrottles()],
            [authorizer.metricInvocations()],
          ),
        ],
        [
          graph('Queues: age of the oldest message (s)', [age(presenceQueue.queue), age(operationsQueue.queue)]),
          graph('Dead letters', [depth(presenceQueue.deadLetters), depth(operationsQueue.deadLetters)]),
        ],
        [
          graph(
            'Sweeper: lag (ms), lease checks, freed',
            [measured('SweepLag', 'sweeper', Stats.MAXIMUM)],
            [measured('LeaseChecks', 'sweeper'), measured('Freed', 'sweeper'), measured('SweepFailed', 'sweeper')],
          ),
          graph('Drift and ghosts', [
            measured('Drift', 'reconciler'),
            measured('Drift', 'sweeper'),
            measured('Ghosts', 'reconciler'),
          ]),
        ],
        [
          graph('Table: retries, and (right) transactions that met', ofAll('Retries'), ofAll('Conflicts')),
          graph('Table: units', [table.metricConsumedWriteCapacityUnits(), table.metricConsumedReadCapacityUnits()]),
        ],
      ],
    });
  }
}
