// What wakes somebody of the front door: its tasks, and what it tells its clients.

import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { FargateService } from 'aws-cdk-lib/aws-ecs';
import type { NetworkTargetGroup } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { addAlarms, highest, measured } from './alarms.ts';

export interface Watched {
  readonly topic: ITopic;
  /** What autoscaling aims at. */
  readonly connectionsPerTask: number;
  readonly service: FargateService;
  readonly targets: NetworkTargetGroup;
}

export function watchFrontDoor(scope: Construct, { topic, connectionsPerTask, service, targets }: Watched): void {
  const tasks = (metricName: string): Metric =>
    new Metric({
      namespace: 'ECS/ContainerInsights',
      metricName,
      dimensionsMap: { ClusterName: service.cluster.clusterName, ServiceName: service.serviceName },
      ...highest,
    });
  addAlarms(scope, topic, {
    FrontDoorTasks: {
      metric: new MathExpression({
        expression: 'wanted - running',
        usingMetrics: { wanted: tasks('DesiredTaskCount'), running: tasks('RunningTaskCount') },
        period: Duration.minutes(1),
      }),
      above: 0,
      minutes: 10,
      means: 'Fewer tasks of the front door run than should.',
      silence: true,
    },
    FrontDoorUnhealthy: {
      metric: targets.metrics.unHealthyHostCount(highest),
      above: 0,
      minutes: 3,
      means: 'The load balancer sends no new clients to a task of the front door.',
    },
    FrontDoorUnavailable: {
      metric: measured('RejectedUnavailable', 'frontdoor'),
      above: 5,
      minutes: 3,
      means: 'CONNECTs are refused at the front door because the table does not answer in time.',
    },
    FrontDoorSlow: {
      metric: measured('ConnectLatency', 'frontdoor', Stats.percentile(99)),
      above: 1_500,
      minutes: 5,
      means: 'Deciding about a CONNECT takes long at the front door.',
    },
    FrontDoorFull: {
      metric: measured('Connections', 'frontdoor', Stats.AVERAGE),
      above: connectionsPerTask * 1.2,
      minutes: 15,
      means: 'Tasks of the front door carry more than they are scaled for, and no more of them come.',
    },
  });
}
