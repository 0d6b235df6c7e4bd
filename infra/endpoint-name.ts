// The name that AWS gave to the endpoint of IoT Core. CloudFormation does not hand it on, so it is asked for while this is
// deployed: the console and the commands that follow show it.

import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { CfnDomainConfiguration } from 'aws-cdk-lib/aws-iot';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';

export class EndpointName extends Construct {
  readonly hostName: string;

  constructor(scope: Construct, id: string, domain: CfnDomainConfiguration) {
    super(scope, id);
    const logGroup = new LogGroup(this, 'Log', { retention: RetentionDays.THREE_MONTHS });
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    // A managed name never changes, so it is asked for anew only where there is another domain configuration.
    const call = {
      service: 'IoT',
      action: 'describeDomainConfiguration',
      parameters: { domainConfigurationName: domain.ref },
      outputPaths: ['domainName'],
      physicalResourceId: PhysicalResourceId.of(domain.ref),
    };
    const asked = new AwsCustomResource(this, 'Ask', {
      onUpdate: call,
      // The runtime brings it along; fetching the latest would need a minute and the network at every deployment.
      installLatestAwsSdk: false,
      role,
      logGroup,
      policy: AwsCustomResourcePolicy.fromStatements([
        new PolicyStatement({ actions: ['iot:DescribeDomainConfiguration'], resources: [domain.attrArn] }),
      ]),
    });
    this.hostName = asked.getResponseField('domainName');
  }
}
