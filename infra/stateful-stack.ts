// What cannot be made anew: the table, the keys of passwords and tickets, and who may sign in. It lies apart from the
// rest, so that no deployment of code can replace or remove it. It knows nothing of its users.

import { RemovalPolicy, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import {
  AttributeType,
  BillingMode,
  type ITable,
  ProjectionType,
  StreamViewType,
  Table,
} from 'aws-cdk-lib/aws-dynamodb';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { type IndexDefinition, tableDefinition } from '../shared/config/table.ts';
import type { RestoredTable } from './installation.ts';
import { SignIn } from './sign-in.ts';

export interface StatefulStackProps extends StackProps {
  readonly restoredTable?: RestoredTable;
}

export class StatefulStack extends Stack {
  /** The one of this stack, or one that was restored in its place. */
  readonly table: ITable;
  readonly ticketSecret: Secret;
  readonly passwordKeysSecret: Secret;
  readonly signIn: SignIn;

  constructor(scope: Construct, id: string, { restoredTable, ...props }: StatefulStackProps) {
    super(scope, id, props);

    const table = new Table(this, 'Table', {
      partitionKey: { name: tableDefinition.partitionKey, type: AttributeType.STRING },
      sortKey: { name: tableDefinition.sortKey, type: AttributeType.STRING },
      timeToLiveAttribute: tableDefinition.timeToLive,
      billingMode: BillingMode.PAY_PER_REQUEST,
      // A TTL removal only says whose sessions to recount, and the key says that. Images would carry password hashes.
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

    this.table =
      restoredTable === undefined
        ? (table as ITable)
        : Table.fromTableAttributes(this, 'RestoredTable', {
            tableName: restoredTable.tableName,
            tableStreamArn: restoredTable.streamArn,
          });

    this.ticketSecret = new Secret(this, 'TicketSecret', {
      description: 'Key of the tickets that the front door issues and the authorizer verifies',
      // 43 of 62 characters are 256 bits; the HMAC takes them as they are.
      generateSecretString: { passwordLength: 43, excludePunctuation: true },
      removalPolicy: RemovalPolicy.RETAIN,
    });
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
      removalPolicy: RemovalPolicy.RETAIN,
    });
    Validations.of(this.passwordKeysSecret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'Stored passwords name their key and are stored anew as their users log in. A rotation on a schedule would drop ' +
        'the older key before all of them have, so it is done by hand (docs/operate.md).',
    });

    this.signIn = new SignIn(this, 'SignIn');
  }
}
