// How many tasks a release of the front door replaces at a time: asked of ECS before each one, since autoscaling changes
// what a tenth of them is.

import { CustomResource, Duration, Token, Validations } from 'aws-cdk-lib';
import type { FargateTaskDefinition, ICluster } from 'aws-cdk-lib/aws-ecs';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { rolloutWorkSeconds } from '../shared/config/front-door.ts';
import { BundledFunction } from './bundled-function.ts';

export interface RolloutProps {
  /** Has the one service and no other. The service is found by it: its own name would be known only after its release. */
  readonly cluster: ICluster;
  /** A new one is a new release. */
  readonly taskDefinition: FargateTaskDefinition;
  /** Tasks to reckon with where there is no service yet. */
  readonly minTasks: number;
}

export class Rollout extends Construct {
  /** ECS's `maximumPercent`. */
  readonly maximumPercent: number;

  constructor(scope: Construct, id: string, { cluster, taskDefinition, minTasks }: RolloutProps) {
    super(scope, id);
    const ask = new BundledFunction(this, 'Function', {
      name: 'rollout',
      description: 'Says how many tasks of the front door a release replaces at a time',
      environment: {},
      // The answer to CloudFormation takes up to 30 s.
      timeoutSeconds: rolloutWorkSeconds + 30,
      memoryMb: 256,
    });
    ask.addToRolePolicy(
      new PolicyStatement({
        actions: ['ecs:DescribeServices', 'ecs:ListServices'],
        // ListServices knows no resource, so the condition limits both to the cluster. [AWS: service authorization, ECS]
        resources: ['*'],
        conditions: { ArnEquals: { 'ecs:cluster': cluster.clusterArn } },
      }),
    );
    Validations.of(ask.ownRole).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'ListServices knows no resource. What may be asked of ECS is limited to one cluster by a condition.',
    });
    const percent = new CustomResource(this, 'Percent', {
      serviceToken: ask.functionArn,
      resourceType: 'Custom::HeadcountRollout',
      // Should the function never run, for want of concurrency, the deployment fails after this and not after an hour.
      serviceTimeout: Duration.minutes(5),
      properties: {
        Cluster: cluster.clusterName,
        MinTasks: minTasks,
        // Not read: a change of it makes CloudFormation ask again.
        TaskDefinition: taskDefinition.taskDefinitionArn,
      },
    });
    this.maximumPercent = Token.asNumber(percent.getAtt('MaximumPercent'));
  }
}
