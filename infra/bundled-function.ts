// One Lambda function of this repository, as one file, with a role that holds nothing but the right to write its own log,
// and the environment that shared/config/env.ts lists for it. Its maker adds the grants.

import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { EnvironmentVariable, environmentOf, FunctionName } from '../shared/config/env.ts';
import { functionCode } from './code.ts';

export interface BundledFunctionProps<Name extends FunctionName> {
  /** The folder under functions/. */
  readonly name: Name;
  readonly description: string;
  readonly environment: Readonly<Record<(typeof environmentOf)[Name][number], string>>;
  /** Of optionalEnvironmentOf, what this installation has. */
  readonly optionalEnvironment?: Readonly<Partial<Record<EnvironmentVariable, string>>>;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly reservedConcurrency?: number;
}

export class BundledFunction<Name extends FunctionName> extends LambdaFunction {
  readonly ownRole: Role;

  constructor(scope: Construct, id: string, props: BundledFunctionProps<Name>) {
    const logGroup = new LogGroup(scope, `${id}Log`, {
      retention: RetentionDays.THREE_MONTHS,
      // Goes with a creation that failed: nothing was logged that a later deployment would find again.
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    // A role of our own: the one that CDK would make carries a managed policy that may write to every log group.
    const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);

    super(scope, id, {
      description: props.description,
      code: functionCode(props.name),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout: Duration.seconds(props.timeoutSeconds),
      memorySize: props.memoryMb,
      environment: { ...props.environment, ...props.optionalEnvironment, NODE_OPTIONS: '--enable-source-maps' },
      role,
      logGroup,
      ...(props.reservedConcurrency === undefined ? {} : { reservedConcurrentExecutions: props.reservedConcurrency }),
    });
    this.ownRole = role;
  }
}
