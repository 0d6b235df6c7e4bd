// What goes on in the background: its queue, and the worker that reads it. A message only names an operation, whose
// record says what is left to do; so a message that is lost, or comes twice, costs nothing but time.

import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { operationWorkers } from '../shared/config/constants.ts';
import type { FunctionName } from '../shared/config/env.ts';
import { grantBroker } from './broker-access.ts';
import { BundledFunction } from './bundled-function.ts';
import { grantTableAccess, tableAccess } from './table-access.ts';

export interface OperationsProps {
  readonly table: ITable;
}

const workerTimeoutSeconds = 60;

export class Operations extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;
  readonly worker: BundledFunction<'operations'>;

  constructor(scope: Construct, id: string, { table }: OperationsProps) {
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
      visibilityTimeout: Duration.seconds(workerTimeoutSeconds * 6),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 5 },
    });

    this.worker = new BundledFunction(this, 'Worker', {
      name: 'operations',
      description: 'Ends sessions and removes deployments, slice by slice',
      environment: { TABLE_NAME: table.tableName, OPERATIONS_QUEUE_URL: this.queue.queueUrl },
      timeoutSeconds: workerTimeoutSeconds,
      memoryMb: 512,
    });
    // Each worker has its share of the account's DeleteConnection calls; more of them would be throttled, all of them.
    this.worker.addEventSource(
      new SqsEventSource(this.queue, { batchSize: 1, reportBatchItemFailures: true, maxConcurrency: operationWorkers }),
    );
    grantTableAccess(table, tableAccess.operations, this.worker);
    this.letStart(this.worker);
    this.letKick(this.worker);
    // A look that failed or was missed is made up for by the next.
    const onlyNow = { retryAttempts: 0, maxEventAge: Duration.minutes(1) };
    this.worker.configureAsyncInvoke(onlyNow);
    new Rule(this, 'EveryMinute', {
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [
        new LambdaFunction(this.worker, { ...onlyNow, event: RuleTargetInput.fromObject({ lookForOverdue: true }) }),
      ],
    });
  }

  /** Lets it wake a worker. */
  letStart(grantee: BundledFunction<FunctionName>): void {
    grantee.addToRolePolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [this.queue.queueArn] }));
  }

  /** Lets it end connections, and ask what became of them. */
  letKick(grantee: BundledFunction<FunctionName>): void {
    grantBroker(grantee.ownRole, ['iot:DeleteConnection', 'iot:GetConnection']);
  }
}
