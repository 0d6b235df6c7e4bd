// Presence events of IoT Core on their way to the presence function: topic rule, queue, dead-letter queue. A rule
// takes standard queues only, so events arrive in any order and more than once, and the consumer is made for that.

import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnTopicRule } from 'aws-cdk-lib/aws-iot';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

export interface PresenceQueueProps {
  /** Time-out of the function that reads the queue. */
  readonly consumerTimeoutSeconds: number;
}

export class PresenceQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;
  /** What the rule could not deliver, as it tells of it. */
  readonly lost: LogGroup;

  constructor(scope: Construct, id: string, props: PresenceQueueProps) {
    super(scope, id);

    this.deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    this.queue = new Queue(this, 'Queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(4),
      // Six times the consumer's time-out, as Lambda asks for: a batch that is slow must not be handed out twice.
      visibilityTimeout: Duration.seconds(props.consumerTimeoutSeconds * 6),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 5 },
    });

    const role = new Role(this, 'RuleRole', {
      assumedBy: new ServicePrincipal('iot.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
          ArnLike: {
            'aws:SourceArn': Stack.of(this).formatArn({ service: 'iot', resource: 'rule', resourceName: '*' }),
          },
        },
      }),
    });
    role.addToPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [this.queue.queueArn] }));
    this.lost = new LogGroup(this, 'Lost', { retention: RetentionDays.THREE_MONTHS });
    this.lost.grant(role, 'logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents');

    const rule = new CfnTopicRule(this, 'Rule', {
      topicRulePayload: {
        description: 'Presence events to the presence queue',
        // `#`, because a client id may hold `/`, and `+` would miss those.
        sql: "SELECT * FROM '$aws/events/presence/#'",
        awsIotSqlVersion: '2016-03-23',
        ruleDisabled: false,
        actions: [{ sqs: { queueUrl: this.queue.queueUrl, roleArn: role.roleArn, useBase64: false } }],
        // To a log and not to the dead-letter queue: what the rule reports there is wrapped, and a redrive would hand
        // it to a consumer that cannot read it. Reconciling with the broker finds what such an event would have told.
        errorAction: { cloudwatchLogs: { logGroupName: this.lost.logGroupName, roleArn: role.roleArn } },
      },
    });
    // The rule must not see events before its role may pass them on.
    rule.node.addDependency(role);
  }
}
