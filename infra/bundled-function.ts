// One Lambda function of this repository: bundled with the local esbuild, with a role that holds nothing but the right
// to write its own log, and the environment that shared/config/env.ts lists for it. Whoever makes one adds the grants.

import { fileURLToPath } from 'node:url';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Runtime } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { EnvironmentVariable, environmentOf, FunctionName } from '../shared/config/env.ts';

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

const repository = fileURLToPath(new URL('..', import.meta.url));

export class BundledFunction<Name extends FunctionName> extends NodejsFunction {
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
      entry: `${repository}functions/${props.name}/handler.ts`,
      handler: 'handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout: Duration.seconds(props.timeoutSeconds),
      memorySize: props.memoryMb,
      environment: { ...props.environment, ...props.optionalEnvironment, NODE_OPTIONS: '--enable-source-maps' },
      role,
      logGroup,
      depsLockFilePath: `${repository}package-lock.json`,
      projectRoot: repository,
      // Keep-alive is the default of the bundled SDK; the variable would only be one more that nobody reads.
      awsSdkConnectionReuse: false,
      bundling: {
        format: OutputFormat.ESM,
        target: 'node24',
        // ES modules first: the tree shakes, and the bundle is smaller by a third.
        mainFields: ['module', 'main'],
        // The runtime's own SDK may lack GetConnection and DeleteConnection, so ours goes in.
        externalModules: [],
        minify: true,
        // Functions run with their role's credentials, and need no search for others.
        esbuildArgs: {
          '--alias:@aws-sdk/credential-provider-node': `${repository}shared/adapters/aws/lambda-credentials.ts`,
        },
        sourceMap: true,
        sourcesContent: false,
      },
      ...(props.reservedConcurrency === undefined ? {} : { reservedConcurrentExecutions: props.reservedConcurrency }),
    });
    this.ownRole = role;
  }
}
