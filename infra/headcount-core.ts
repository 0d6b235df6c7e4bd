// Everything of the path of a CONNECT that can be made anew: functions, the queue between broker and presence function,
// the endpoint that devices connect to. Each function is granted what it needs, one action at a time.

import { Duration, Stack } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue, Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { presenceProcessesMax } from '../shared/config/constants.ts';
import type { FunctionName } from '../shared/config/env.ts';
import { noNoticeBus, noticeSource } from '../shared/config/notices.ts';
import { grantBroker } from './broker-access.ts';
import { BundledFunction } from './bundled-function.ts';
import { ConnectEndpoint } from './connect-endpoint.ts';
import { exportNothing } from './cross-stack.ts';
import type { OwnName } from './installation.ts';
import { Monitoring } from './monitoring.ts';
import { Operations } from './operations-queue.ts';
import { PresenceQueue } from './presence-queue.ts';
import { authorizerConcurrencyDefault } from './reservations.ts';
import { grantTableAccess, noticing, tableAccess } from './table-access.ts';

export interface HeadcountCoreProps {
  /** Of `HeadcountState`, as the two keys. */
  readonly table: ITable;
  readonly ticketSecret: ISecret;
  readonly passwordKeysSecret: ISecret;
  /** Own name of the endpoint that devices connect to, with its certificate. Absent: AWS gives a name. */
  readonly connectName?: OwnName;
  /** Names below it are deployments'. Absent where there is no front door. */
  readonly mqttDomain?: string;
  /**
   * Places of Lambda's concurrency kept for the authorizer, and the most that it may take; 500 unless told. With `false`
   * nothing is reserved for any function, as an account needs it whose quota is less than 203 more than this number.
   */
  readonly authorizerConcurrency?: number | false;
  /** Name of the EventBridge bus that threshold notices go to. Absent: nobody is told. */
  readonly noticeBus?: string;
}

const presenceTimeoutSeconds = 30;

const reserved = ({ authorizerConcurrency }: HeadcountCoreProps, reservedConcurrency: number) =>
  authorizerConcurrency === false ? {} : { reservedConcurrency };

const busOf = ({ noticeBus }: HeadcountCoreProps): { readonly NOTICE_BUS: string } => ({
  NOTICE_BUS: noticeBus ?? noNoticeBus,
});

/**
 * Decides about each CONNECT and keeps count: authorizer and endpoint of IoT Core, presence rule, queues, functions,
 * dashboard and alarms. All of it can be made anew.
 */
export class HeadcountCore extends Construct {
  /** The HTTP API's function, for `HeadcountWeb` and `HeadcountConsole`. */
  readonly api: IFunction;
  /** What came of connections, on its way to the function that counts it. */
  readonly presenceQueue: IQueue;
  /** Where devices connect. */
  readonly connect: ConnectEndpoint;
  /** Who is told of alarms: subscribe to it. */
  readonly alarmTopic: ITopic;

  constructor(scope: Construct, id: string, props: HeadcountCoreProps) {
    super(scope, id);
    const presenceQueue = new PresenceQueue(this, 'Presence', { consumerTimeoutSeconds: presenceTimeoutSeconds });
    const { queue } = presenceQueue;
    this.presenceQueue = queue;
    const { authorizer, connect } = this.#addAuthorizer(props, queue);
    this.connect = connect;
    const presence = this.#addPresence(props, queue);
    this.#addSweeper(props);
    this.#addReconciler(props);
    const operations = new Operations(this, 'Operations', { table: props.table });
    const tokenKeys = this.#addTokenKeys(props, operations);
    this.api = this.#addApi(props, queue, operations);
    const { topic } = new Monitoring(this, 'Monitoring', {
      authorizer,
      presence,
      operations: operations.worker,
      tokenKeys,
      table: props.table,
      presenceQueue,
      operationsQueue: operations,
      presenceLost: presenceQueue.lost,
    });
    this.alarmTopic = topic;
    // The last of all: no device comes before there is all that counts it. And one of AWS's names stays where it was once
    // made, so nothing that fails may come after it.
    for (const child of this.node.children) if (child !== connect) connect.domain.node.addDependency(child);
    exportNothing(this);
  }

  #addAuthorizer(
    props: HeadcountCoreProps,
    queue: Queue,
  ): { readonly authorizer: BundledFunction<'authorizer'>; readonly connect: ConnectEndpoint } {
    const { table, ticketSecret, passwordKeysSecret, connectName } = props;
    const authorizer = new BundledFunction(this, 'Authorizer', {
      name: 'authorizer',
      description: 'Answers every CONNECT: credentials, limit, policy',
      environment: {
        TABLE_NAME: table.tableName,
        PASSWORD_KEYS_SECRET_ARN: passwordKeysSecret.secretArn,
        TICKET_SECRET_ARN: ticketSecret.secretArn,
        PRESENCE_QUEUE_URL: queue.queueUrl,
      },
      optionalEnvironment: mqttDomainOf(props),
      // IoT Core waits no longer.
      timeoutSeconds: 5,
      // A whole processor's worth.
      memoryMb: 1769,
      // Its own, so that neither the API nor any other function of the account can take the places that CONNECTs need.
      ...reserved(props, props.authorizerConcurrency || authorizerConcurrencyDefault),
    });
    grantTableAccess(table, tableAccess.authorizer, authorizer);
    this.#letRead(authorizer, [ticketSecret, passwordKeysSecret]);
    // Where clients wait to be counted that it let in while the table did not answer.
    authorizer.addToRolePolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [queue.queueArn] }));
    // A client id that comes from another username finds nothing of it at the broker.
    grantBroker(authorizer.ownRole, ['iot:DeleteConnection']);
    const connect = new ConnectEndpoint(this, 'Connect', {
      authorizerFunction: authorizer,
      ...(connectName === undefined ? {} : { name: connectName }),
    });
    return { authorizer, connect };
  }

  #addPresence(props: HeadcountCoreProps, queue: Queue): BundledFunction<'presence'> {
    const { table } = props;
    const presence = new BundledFunction(this, 'PresenceFunction', {
      name: 'presence',
      description: 'Turns presence events into session states',
      environment: { TABLE_NAME: table.tableName, PRESENCE_QUEUE_URL: queue.queueUrl, ...busOf(props) },
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
    grantBroker(presence.ownRole, ['iot:DeleteConnection', 'iot:GetConnection']);
    this.#letNotice(presence, props);
    return presence;
  }

  #addSweeper(props: HeadcountCoreProps): void {
    const { table } = props;
    const sweeper = new BundledFunction(this, 'Sweeper', {
      name: 'sweeper',
      description: 'Frees what has expired and checks what nobody confirmed',
      environment: { TABLE_NAME: table.tableName, ...busOf(props) },
      // Done before the next minute begins.
      timeoutSeconds: 55,
      memoryMb: 512,
      // Two at a time would be harmless, and pay for every check twice.
      ...reserved(props, 1),
    });
    grantTableAccess(table, tableAccess.sweeper, sweeper);
    grantBroker(sweeper.ownRole, ['iot:GetConnection']);
    this.#letNotice(sweeper, props);
    this.#runEveryMinute(sweeper, 'EveryMinute');
  }

  #addReconciler(props: HeadcountCoreProps): void {
    const { table } = props;
    const reconciler = new BundledFunction(this, 'Reconciler', {
      name: 'reconciler',
      description: 'Compares what is counted with what is there, and with what the broker says',
      environment: { TABLE_NAME: table.tableName, ...busOf(props) },
      timeoutSeconds: 55,
      memoryMb: 512,
      // It keeps to a share of the questions that IoT Core answers; two of them would take two.
      ...reserved(props, 1),
    });
    grantTableAccess(table, tableAccess.reconciler, reconciler);
    grantBroker(reconciler.ownRole, ['iot:GetConnection']);
    this.#letNotice(reconciler, props);
    this.#runEveryMinute(reconciler, 'Reconcile');
  }

  #runEveryMinute(worker: BundledFunction<FunctionName>, id: string): void {
    // A run that failed or was missed is made up for by the next; kept and retried, it would only crowd that one out.
    const onlyNow = { retryAttempts: 0, maxEventAge: Duration.minutes(1) };
    worker.configureAsyncInvoke(onlyNow);
    new Rule(this, id, {
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaFunction(worker, onlyNow)],
    });
  }

  #addTokenKeys(props: HeadcountCoreProps, operations: Operations): BundledFunction<'token-keys'> {
    const { table } = props;
    const refresh = new BundledFunction(this, 'TokenKeys', {
      name: 'token-keys',
      description: 'Fetches the keys that signed tokens are verified with',
      environment: { TABLE_NAME: table.tableName, OPERATIONS_QUEUE_URL: operations.queue.queueUrl },
      timeoutSeconds: 300,
      memoryMb: 512,
      ...reserved(props, 1),
    });
    grantTableAccess(table, tableAccess['token-keys'], refresh);
    operations.letStart(refresh);
    // What a run did not fetch the next one will.
    const onlyNow = { retryAttempts: 0, maxEventAge: Duration.minutes(5) };
    refresh.configureAsyncInvoke(onlyNow);
    new Rule(this, 'EveryTenMinutes', {
      schedule: Schedule.rate(Duration.minutes(10)),
      targets: [new LambdaFunction(refresh, onlyNow)],
    });
    return refresh;
  }

  #addApi(props: HeadcountCoreProps, queue: Queue, operations: Operations): BundledFunction<'api'> {
    const { table, passwordKeysSecret } = props;
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
      optionalEnvironment: mqttDomainOf(props),
      timeoutSeconds: 20,
      memoryMb: 1024,
      // A caller in a loop must not take the places that CONNECTs need. The gateway's 500 requests a second need 50.
      ...reserved(props, 100),
    });
    grantTableAccess(table, tableAccess.api, api);
    // It stores what the authorizer checks.
    this.#letRead(api, [passwordKeysSecret]);
    // Whoever reads a count that the order by used has missed asks there for it to be made right.
    api.addToRolePolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [queue.queueArn] }));
    operations.letStart(api);
    operations.letKick(api);
    return api;
  }

  /** Tells of usernames near their limit on the bus that was chosen, and as nobody else; without one, nothing. */
  #letNotice(grantee: BundledFunction<FunctionName>, { table, noticeBus }: HeadcountCoreProps): void {
    if (noticeBus === undefined) return;
    grantTableAccess(table, noticing, grantee);
    grantee.addToRolePolicy(
      new PolicyStatement({
        actions: ['events:PutEvents'],
        resources: [Stack.of(this).formatArn({ service: 'events', resource: 'event-bus', resourceName: noticeBus })],
        conditions: { StringEquals: { 'events:source': noticeSource } },
      }),
    );
  }

  #letRead(grantee: BundledFunction<FunctionName>, secrets: readonly ISecret[]): void {
    const resources = secrets.map(({ secretArn }) => secretArn);
    grantee.addToRolePolicy(new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources }));
  }
}

/** Without a front door there is none. */
function mqttDomainOf({ mqttDomain }: HeadcountCoreProps): { readonly MQTT_DOMAIN?: string } {
  return mqttDomain === undefined ? {} : { MQTT_DOMAIN: mqttDomain };
}
