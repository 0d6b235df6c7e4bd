// Everything that can be made anew from this repository: functions, the queue between broker and presence function,
// the endpoint that devices connect to. Each function is granted what it needs, one action at a time.

import { CfnOutput, Duration, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { CfnDomainConfiguration } from 'aws-cdk-lib/aws-iot';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { FunctionName } from '../shared/config/env.ts';
import { BundledFunction } from './bundled-function.ts';
import { ConnectEndpoint } from './connect-endpoint.ts';
import type { Installation } from './installation.ts';
import { PresenceQueue } from './presence-queue.ts';
import { grantTableAccess, tableAccess } from './table-access.ts';

export interface StatelessStackProps extends StackProps {
  readonly table: Table;
  readonly ticketSecret: Secret;
  readonly installation: Installation;
}

const presenceTimeoutSeconds = 30;

export class StatelessStack extends Stack {
  readonly api: BundledFunction<'api'>;
  readonly presenceQueue: Queue;
  readonly connectDomain: CfnDomainConfiguration;

  constructor(scope: Construct, id: string, props: StatelessStackProps) {
    super(scope, id, props);
    const { queue } = new PresenceQueue(this, 'Presence', { consumerTimeoutSeconds: presenceTimeoutSeconds });
    this.presenceQueue = queue;
    this.connectDomain = this.addAuthorizer(props, queue);
    this.addPresence(props, queue);
    this.addSweeper(props);
    this.api = this.addApi(props);
  }

  private addAuthorizer(
    { table, ticketSecret, installation }: StatelessStackProps,
    queue: Queue,
  ): CfnDomainConfiguration {
    const authorizer = new BundledFunction(this, 'Authorizer', {
      name: 'authorizer',
      description: 'Answers every CONNECT: credentials, limit, policy',
      environment: {
        TABLE_NAME: table.tableName,
        TICKET_SECRET_ARN: ticketSecret.secretArn,
        PRESENCE_QUEUE_URL: queue.queueUrl,
      },
      // IoT Core waits no longer.
      timeoutSeconds: 5,
      // A whole processor's worth, for scrypt.
      memoryMb: 1769,
    });
    grantTableAccess(table, tableAccess.authorizer, authorizer);
    authorizer.addToRolePolicy(
      new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [ticketSecret.secretArn] }),
    );
    // Where clients wait to be counted that it let in while the table did not answer.
    authorizer.addToRolePolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [queue.queueArn] }));
    const endpoint = new ConnectEndpoint(this, 'Connect', {
      authorizerFunction: authorizer,
      name: installation.connectName,
    });
    new CfnOutput(this, 'DomainConfigurationName', { value: endpoint.domain.ref });
    return endpoint.domain;
  }

  private addPresence({ table }: StatelessStackProps, queue: Queue): void {
    const presence = new BundledFunction(this, 'PresenceFunction', {
      name: 'presence',
      description: 'Turns presence events into session states',
      environment: { TABLE_NAME: table.tableName },
      timeoutSeconds: presenceTimeoutSeconds,
      memoryMb: 512,
    });
    // Without partial answers one bad message would bring back, and count again, the nine that were settled.
    presence.addEventSource(new SqsEventSource(queue, { batchSize: 10, reportBatchItemFailures: true }));
    grantTableAccess(table, tableAccess.presence, presence);
    this.grantBroker(presence, ['iot:GetConnection']);
  }

  private addSweeper({ table }: StatelessStackProps): void {
    const sweeper = new BundledFunction(this, 'Sweeper', {
      name: 'sweeper',
      description: 'Frees what has expired and checks what nobody confirmed',
      environment: { TABLE_NAME: table.tableName },
      // Done before the next minute begins.
      timeoutSeconds: 55,
      memoryMb: 512,
      // Two at a time would be harmless, and pay for every check twice.
      reservedConcurrency: 1,
    });
    grantTableAccess(table, tableAccess.sweeper, sweeper);
    this.grantBroker(sweeper, ['iot:GetConnection']);
    // A run that failed or was missed is made up for by the next; kept and retried, it would only crowd that one out.
    const onlyNow = { retryAttempts: 0, maxEventAge: Duration.minutes(1) };
    sweeper.configureAsyncInvoke(onlyNow);
    new Rule(this, 'EveryMinute', {
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaFunction(sweeper, onlyNow)],
    });
  }

  private addApi({ table }: StatelessStackProps): BundledFunction<'api'> {
    const api = new BundledFunction(this, 'Api', {
      name: 'api',
      description: 'HTTP API',
      environment: { TABLE_NAME: table.tableName },
      timeoutSeconds: 20,
      memoryMb: 1024,
    });
    grantTableAccess(table, tableAccess.api, api);
    return api;
  }

  private grantBroker(grantee: BundledFunction<FunctionName>, actions: readonly string[]): void {
    const anyClient = this.formatArn({ service: 'iot', resource: 'client', resourceName: '*' });
    grantee.addToRolePolicy(new PolicyStatement({ actions: [...actions], resources: [anyClient] }));
    Validations.of(grantee.ownRole).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:client/*]',
      reason:
        'Client ids are chosen by devices and not known when this is deployed. The actions are named one by one, and ' +
        'reach connections only.',
    });
  }
}
