// What cannot be made anew: the table, the keys of passwords and tickets, and who may sign in. It belongs into a stack
// apart from the rest, so that no deployment of code can replace or remove it. It knows nothing of its users.

import { CfnOutput, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import {
  AttributeType,
  BillingMode,
  type ITable,
  ProjectionType,
  StreamViewType,
  Table,
} from 'aws-cdk-lib/aws-dynamodb';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { type IndexDefinition, tableDefinition } from '../shared/config/table.ts';
import { exportNothing } from './cross-stack.ts';
import type { RestoredTable } from './installation.ts';
import { SignIn } from './sign-in.ts';

export interface HeadcountStateProps {
  /** A table that was restored from a backup. Absent: the one that is made here. */
  readonly restoredTable?: RestoredTable;
}

/**
 * One for each account and region: whoever has two would have them share what IoT Core answers to one account, and each
 * would take all of it. Give its stack termination protection.
 */
export class HeadcountState extends Construct {
  /** The one that is made here, or one that was restored in its place. */
  readonly table: ITable;
  /** The one that is made here, also where another has taken its place. */
  readonly madeTable: ITable;
  /** Key of the tickets that a front door issues. */
  readonly ticketSecret: ISecret;
  /** Keys that MQTT passwords are stored under. */
  readonly passwordKeysSecret: ISecret;
  /** People and machines that call the HTTP API. */
  readonly signIn: SignIn;

  constructor(scope: Construct, id: string, { restoredTable }: HeadcountStateProps = {}) {
    super(scope, id);

    // A name that only one stack can hold: the creation of a second one fails, and its message shows this name.
    new StringParameter(this, 'OneInstallation', {
      parameterName: '/headcount/one-installation-per-account-and-region',
      description: 'Stack of the Headcount installation here; docs/operate.md says why there is one',
      stringValue: Stack.of(this).stackName,
    });

    const table = new Table(this, 'Table', {
      partitionKey: { name: tableDefinition.partitionKey, type: AttributeType.STRING },
      sortKey: { name: tableDefinition.sortKey, type: AttributeType.STRING },
      timeToLiveAttribute: tableDefinition.timeToLive,
      billingMode: BillingMode.PAY_PER_REQUEST,
      // No function reads it. The stream stays on for one release: `keepStreamOutput` says why.
      stream: StreamViewType.KEYS_ONLY,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const indexes: readonly IndexDefinition[] = tableDefinition.indexes;
    for (const index of indexes)
      table.addGlobalSecondaryIndex({
        indexName: index.name,
        partitionKey: { name: index.partitionKey, type: AttributeType.STRING },
        sortKey: {
          name: index.sortKey,
          type: index.sortKeyType === 'number' ? AttributeType.NUMBER : AttributeType.STRING,
        },
        ...(index.projects === undefined
          ? { projectionType: ProjectionType.KEYS_ONLY }
          : { projectionType: ProjectionType.INCLUDE, nonKeyAttributes: [...index.projects] }),
      });

    this.madeTable = table as ITable;
    this.table =
      restoredTable === undefined
        ? this.madeTable
        : Table.fromTableName(this, 'RestoredTable', restoredTable.tableName);

    this.ticketSecret = new Secret(this, 'TicketSecret', {
      description: 'Key of the tickets that the front door issues and the authorizer verifies',
      // 43 of 62 characters are 256 bits; the HMAC takes them as they are.
      generateSecretString: { passwordLength: 43, excludePunctuation: true },
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    }) as ISecret;
    Validations.of(this.ticketSecret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'Both sides read the key at start. A rotation on a schedule would reject every ticket until both have started ' +
        'anew, so the key is changed by hand, together with a deployment.',
    });

    this.passwordKeysSecret = new Secret(this, 'PasswordKeysSecret', {
      description: 'Keys that MQTT passwords are stored under; without them no password can be checked',
      // AWS writes a value when this is created and when these properties change, so they never change: a new value
      // would be a key that no stored password is under. A rotation writes its own (docs/operate.md).
      generateSecretString: {
        secretStringTemplate: '{}',
        generateStringKey: 'current',
        passwordLength: 43,
        excludePunctuation: true,
      },
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    }) as ISecret;
    Validations.of(this.passwordKeysSecret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'Stored passwords name their key and are stored anew as their users log in. A rotation on a schedule would drop ' +
        'the older key before all of them have, so it is done by hand (docs/operate.md).',
    });

    this.signIn = new SignIn(this, 'SignIn');
    keepStreamOutput(table);
    exportNothing(this);
  }
}

/**
 * Keeps the output that the core stack of the previous release reads, under the id that CDK gives such an output. If an
 * upgrade of the core stack fails, CloudFormation rolls that stack back to a template that reads this output. The output
 * and the stream go together, in the release after this one.
 */
function keepStreamOutput(table: Table): void {
  const stack = Stack.of(table);
  const scope = stack.node.tryFindChild('Publish') ?? new Construct(stack, 'Publish');
  const value = table.tableStreamArn;
  new CfnOutput(scope, `Output${JSON.stringify(stack.resolve(value))}`, { value: String(value) });
}
