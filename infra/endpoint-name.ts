// Names of IoT Core that CloudFormation does not hand on, so they are asked for while this is deployed: the one that AWS
// gave to the endpoint, which devices and the console need, or the one that an own name has to lead to.

import { Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import type { ConnectEndpoint } from './connect-endpoint.ts';
import { domainConfigurationArns } from './domain-configuration.ts';

/** What of the endpoint is needed to ask for its name. */
export type Endpoint = Pick<ConnectEndpoint, 'domain' | 'ownName'>;

export class EndpointName extends Construct {
  /** Where devices connect that go straight to IoT Core. */
  readonly hostName: string;
  /** Where the DNS record of an own name leads. Absent: AWS's name needs none. */
  readonly recordTarget: string | undefined;

  constructor(scope: Construct, id: string, { domain, ownName }: Endpoint) {
    super(scope, id);
    const logGroup = new LogGroup(this, 'Log', { retention: RetentionDays.THREE_MONTHS });
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    // Neither ever changes, so it is asked for anew only where the endpoint is another one.
    const call =
      ownName === undefined
        ? {
            action: 'describeDomainConfiguration',
            parameters: { domainConfigurationName: domain.ref },
            outputPaths: ['domainName'],
            physicalResourceId: PhysicalResourceId.of(domain.ref),
          }
        : {
            action: 'describeEndpoint',
            parameters: { endpointType: 'iot:Data-ATS' },
            outputPaths: ['endpointAddress'],
            physicalResourceId: PhysicalResourceId.of(ownName),
          };
    const may = (action: string, resources: string[]): PolicyStatement =>
      new PolicyStatement({ actions: [action], resources });
    const asked = new AwsCustomResource(this, 'Ask', {
      onUpdate: { service: 'IoT', ...call },
      // The runtime brings it along; fetching the latest would need a minute and the network at every deployment.
      installLatestAwsSdk: false,
      role,
      logGroup,
      // Both, whichever is asked: a right that comes a moment before the question may not hold yet.
      policy: AwsCustomResourcePolicy.fromStatements([
        may('iot:DescribeDomainConfiguration', domainConfigurationArns(Stack.of(this), domain.ref, domain.attrArn)),
        may('iot:DescribeEndpoint', ['*']),
      ]),
    });
    Validations.of(asked).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: "It asks for the account's own endpoint, which AWS holds against no resource.",
    });
    const found = asked.getResponseField(call.outputPaths[0] ?? '');
    this.hostName = ownName ?? found;
    this.recordTarget = ownName === undefined ? undefined : found;
  }
}
