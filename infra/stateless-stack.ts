// Everything that can be made anew from this repository: functions, the queue between broker and presence function,
// the endpoint that devices connect to. Each function is granted what it needs, one action at a time.

import { CfnOutput, Duration, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { CfnDomainConfiguration } from 'aws-cdk-lib/aws-iot';
import { FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { SqsDlq, SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { presenceProcessesMax } from '../shared/config/constants.ts';
import type { FunctionName } from '../shared/config/env.ts';
import { noNoticeBus, noticeSource } from '../shared/config/notices.ts';
import { BundledFunction } from './bundled-function.ts';
import { ConnectEndpoint } from './connect-endpoint.ts';
import type { Installation } from './installation.ts';
import { Monitoring } from './monitoring.ts';
import { Operations } from './operations-queue.ts';
import { PresenceQueue } from './presence-queue.ts';
import { grantTableAccess, noticing, tableAccess } from './table-access.ts';

export interface StatelessStackProps extends StackProps {
  readonly table: ITable;
  readonly ticketSecret: Secret;
  readonly passwordKeysSecret: Secret;
  readonly installation: Installation;
}

const presenceTimeoutSeconds = 30;

/** Nothing is reserved where an installation says so: an account with few places refuses every reservation. */
const reserved = ({ authorizerConcurrency }: Installation, reservedConcurrency: number) =>
  authorizerConcurrency === undefined ? {} : { reservedConcurrency };

const busOf = ({ noticeBus }: Installation): { readonly NOTICE_BUS: string } => ({
  NOTICE_BUS: noticeBus ?? noNoticeBus,
});

export class StatelessStack extends Stack {
  readonly api: BundledFunction<'api'>;
  readonly presenceQueue: Queue;
  readonly connectDomain: CfnDomainConfiguration;
  /** Who is told of alarms. */
  readonly alarmTopic: ITopic;

  constructor(scope: Construct, id: string, props: StatelessStackProps) {
    super(scope, id, props);
    const presenceQueue = new PresenceQueue(this, 'Presence', { consumerTimeoutSeconds: presenceTimeoutSeconds });
    const { queue } = presenceQueue;
    this.presenceQueue = queue;
    const { authorizer, domain } = this.addAuthorizer(props, queue);
    this.connectDomain = domain;
    const presence = this.addPresence(props, queue);
    this.addSweeper(props);
    this.addReconciler(props);
    const expiryLost = this.addExpiry(props);
    const tokenKeys = this.addTokenKeys(props);
    const operations = new Operations(this, 'Operations', { table: props.table });
    this.api = this.addApi(props, queue, operations);
    const { topic } = new Monitoring(this, 'Monitoring', {
      authorizer,
      presence,
      operations: operations.worker,
      tokenKeys,
      table: props.table,
      presenceQueue,
      operationsQueue: operations,
      expiryLost,
      presenceLost: presenceQueue.lost,
    });
    this.alarmTopic = topic;
    new CfnOutput(this, 'NextAlarms', {
      description: 'Be told of alarms',
      value: `aws sns subscribe --topic-arn ${topic.topicArn} --protocol email --notification-endpoint you@example.com`,
    });
  }

  private addAuthorizer(
    { table, ticketSecret, passwordKeysSecret, installation }: StatelessStackProps,
    queue: Queue,
  ): { readonly authorizer: BundledFunction<'authorizer'>; readonly domain: CfnDomainConfiguration } {
    const authorizer = new BundledFunction(this, 'Authorizer', {
      name: 'authorizer',
      description: 'Answers every CONNECT: credentials, limit, policy',
      environment: {
        TABLE_NAME: table.tableName,
        PASSWORD_KEYS_SECRET_ARN: passwordKeysSecret.secretArn,
        TICKET_SECRET_ARN: ticketSecret.secretArn,
        PRESENCE_QUEUE_URL: queue.queueUrl,
      },
      optionalEnvironment: mqttDomainOf(installation),
      // IoT Core waits no longer.
      timeoutSeconds: 5,
      // A whole processor's worth.
      memoryMb: 1769,
      // Its own, so that neither the API nor any other function of the account can take the places that CONNECTs need.
      ...reserved(installation, installation.authorizerConcurrency ?? 0),
    });
    grantTableAccess(table, tableAccess.authorizer, authorizer);
    this.letRead(authorizer, [ticketSecret, passwordKeysSecret]);
    // Where clients wait to be counted that it let in while the table did not answer.
    authorizer.addToRolePolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [queue.queueArn] }));
    // A client id that comes from another username finds nothing of it at the broker.
    this.grantBroker(authorizer, ['iot:DeleteConnection']);
    const endpoint = new ConnectEndpoint(this, 'Connect', {
      authorizerFunction: authorizer,
      name: installation.connectName,
    });
    new CfnOutput(this, 'DomainConfigurationName', { value: endpoint.domain.ref });
    return { authorizer, domain: endpoint.domain };
  }

  private addPresence({ table, installation }: StatelessStackProps, queue: Queue): BundledFunction<'presence'> {
    const presence = new BundledFunction(this, 'PresenceFunction', {
      name: 'presence',
      description: 'Turns presence events into session states',
      environment: { TABLE_NAME: table.tableName, PRESENCE_QUEUE_URL: queue.queueUrl, ...busOf(installation) },
      timeoutSeconds: presenceTimeoutSeconds,
      memoryMb: 512,
    });
    // Without partial answers one bad message would bring back, and count again, the nine that were settled.
    presence.addEventSource(
      new SqsEventSource(queue, {
        batchSize: 10,
        reportBatchItemFailures: true,
        // They share what IoT Core answers, each of them as if there were so many.
        maxConcurrency: presenceProcessesMax,
      }),
    );
    grantTableAccess(table, tableAccess.presence, presence);
    // It puts back, with a delay, what the database did not answer to.
    presence.addToRolePolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [queue.queueArn] }));
    // DeleteConnection is the proof that a session which its client has given up is over.
    this.grantBroker(presence, ['iot:DeleteConnection', 'iot:GetConnection']);
    this.letNotice(presence, table, installation);
    return presence;
  }

  private addSweeper({ table, installation }: StatelessStackProps): void {
    const sweeper = new BundledFunction(this, 'Sweeper', {
      name: 'sweeper',
      description: 'Frees what has expired and checks what nobody confirmed',
      environment: { TABLE_NAME: table.tableName, ...busOf(installation) },
      // Done before the next minute begins.
      timeoutSeconds: 55,
      memoryMb: 512,
      // Two at a time would be harmless, and pay for every check twice.
      ...reserved(installation, 1),
    });
    grantTableAccess(table, tableAccess.sweeper, sweeper);
    this.grantBroker(sweeper, ['iot:GetConnection']);
    this.letNotice(sweeper, table, installation);
    this.runEveryMinute(sweeper, 'EveryMinute');
  }

  private addReconciler({ table, installation }: StatelessStackProps): void {
    const reconciler = new BundledFunction(this, 'Reconciler', {
      name: 'reconciler',
      description: 'Compares what is counted with what is there, and with what the broker says',
      environment: { TABLE_NAME: table.tableName, ...busOf(installation) },
      timeoutSeconds: 55,
      memoryMb: 512,
      // It keeps to a share of the questions that IoT Core answers; two of them would take two.
      ...reserved(installation, 1),
    });
    grantTableAccess(table, tableAccess.reconciler, reconciler);
    this.grantBroker(reconciler, ['iot:GetConnection']);
    this.letNotice(reconciler, table, installation);
    this.runEveryMinute(reconciler, 'Reconcile');
  }

  private addExpiry({ table }: StatelessStackProps): Queue {
    const expiry = new BundledFunction(this, 'Expiry', {
      name: 'expiry',
      description: 'Recounts usernames whose sessions the time to live has removed',
      environment: { TABLE_NAME: table.tableName },
      timeoutSeconds: 55,
      memoryMb: 512,
    });
    const { tableStreamArn } = table;
    if (tableStreamArn === undefined) throw new Error('the table has no stream');
    const lost = new Queue(this, 'ExpiryLost', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    // It is where others' messages end, and has nowhere to pass them on to.
    Validations.of(lost).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'This is the dead-letter queue of the stream.',
    });
    const removal = { userIdentity: { principalId: FilterRule.isEqual('dynamodb.amazonaws.com') } };
    expiry.addEventSourceMapping('Stream', {
      eventSourceArn: tableStreamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: 100,
      maxBatchingWindow: Duration.seconds(10),
      reportBatchItemFailures: true,
      bisectBatchOnError: true,
      // A removal comes a day after it stopped to count, and the reconciler finds what is given up here.
      retryAttempts: 5,
      onFailure: new SqsDlq(lost),
      // Every write of the product is on this stream; only what the time to live removed is worth an invocation.
      filters: [FilterCriteria.filter({ eventName: FilterRule.isEqual('REMOVE'), ...removal })],
    });
    expiry.addToRolePolicy(
      new PolicyStatement({
        actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
        resources: [tableStreamArn],
      }),
    );
    grantTableAccess(table, tableAccess.expiry, expiry);
    return lost;
  }

  private runEveryMinute(worker: BundledFunction<FunctionName>, id: string): void {
    // A run that failed or was missed is made up for by the next; kept and retried, it would only crowd that one out.
    const onlyNow = { retryAttempts: 0, maxEventAge: Duration.minutes(1) };
    worker.configureAsyncInvoke(onlyNow);
    new Rule(this, id, {
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaFunction(worker, onlyNow)],
    });
  }

  private addTokenKeys({ table, installation }: StatelessStackProps): BundledFunction<'token-keys'> {
    const refresh = new BundledFunction(this, 'TokenKeys', {
      name: 'token-keys',
      description: 'Fetches the keys that signed tokens are verified with',
      environment: { TABLE_NAME: table.tableName },
      timeoutSeconds: 300,
      memoryMb: 512,
      ...reserved(installation, 1),
    });
    grantTableAccess(table, tableAccess['token-keys'], refresh);
    // What a run did not fetch the next one will.
    const onlyNow = { retryAttempts: 0, maxEventAge: Duration.minutes(5) };
    refresh.configureAsyncInvoke(onlyNow);
    new Rule(this, 'EveryTenMinutes', {
      schedule: Schedule.rate(Duration.minutes(10)),
      targets: [new LambdaFunction(refresh, onlyNow)],
    });
    return refresh;
  }

  private addApi(
    { table, passwordKeysSecret, installation }: StatelessStackProps,
    queue: Queue,
    operations: Operations,
  ): BundledFunction<'api'> {
    const api = new BundledFunction(this, 'Api', {
      name: 'api',
      description: 'HTTP API',
      environment: {
        TABLE_NAME: table.tableName,
        PASSWORD_KEYS_SECRET_ARN: passwordKeysSecret.secretArn,
        PRESENCE_QUEUE_URL: queue.queueUrl,
        OPERATIONS_QUEUE_URL: operations.queue.queueUrl,
      },
      // IoT Core has one name for all deployments: only a front door can serve one for each.
      optionalEnvironment: mqttDomainOf(installation),
      timeoutSeconds: 20,
      memoryMb: 1024,
      // A caller in a loop must not take the places that CONNECTs need. The gateway's 500 requests a second need 50.
      ...reserved(installation, 100),
    });
    grantTableAccess(table, tableAccess.api, api);
    // It stores what the authorizer checks.
    this.letRead(api, [passwordKeysSecret]);
    // Whoever reads a count that the order by used has missed asks there for it to be made right.
    api.addToRolePolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [queue.queueArn] }));
    operations.letStart(api);
    operations.letKick(api);
    return api;
  }

  /** Tells of usernames near their limit on the bus that was chosen, and as nobody else; without one, nothing. */
  private letNotice(grantee: BundledFunction<FunctionName>, table: ITable, { noticeBus }: Installation): void {
    if (noticeBus === undefined) return;
    grantTableAccess(table, noticing, grantee);
    grantee.addToRolePolicy(
      new PolicyStatement({
        actions: ['events:PutEvents'],
        resources: [this.formatArn({ service: 'events', resource: 'event-bus', resourceName: noticeBus })],
        conditions: { StringEquals: { 'events:source': noticeSource } },
      }),
    );
  }

  private letRead(grantee: BundledFunction<FunctionName>, secrets: readonly Secret[]): void {
    const resources = secrets.map(({ secretArn }) => secretArn);
    grantee.addToRolePolicy(new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources }));
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

/** Without a front door there is none. */
function mqttDomainOf({ frontDoor }: Installation): { readonly MQTT_DOMAIN?: string } {
  return frontDoor === undefined ? {} : { MQTT_DOMAIN: frontDoor.mqttDomain };
}
