// Where devices connect: an endpoint of IoT Core that asks the authorizer function about every CONNECT, and lets no
// client choose another authorizer.

import { CfnDeletionPolicy } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnAuthorizer, CfnDomainConfiguration } from 'aws-cdk-lib/aws-iot';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { FrontDoorTarget } from './headcount-front-door.ts';
import type { OwnName } from './installation.ts';

/** Where IoT Core takes MQTT over TLS. */
export const mqttsPort = 8883;

export interface ConnectEndpointProps {
  readonly authorizerFunction: IFunction;
  /** Absent: AWS gives one. */
  readonly name?: OwnName;
}

export class ConnectEndpoint extends Construct {
  readonly authorizer: CfnAuthorizer;
  readonly domain: CfnDomainConfiguration;
  /** Where it was chosen. What AWS gives is known only once it is deployed, and has to be asked for. */
  readonly ownName: string | undefined;
  /** For a front door, which connects its clients here. */
  readonly target: FrontDoorTarget;

  constructor(scope: Construct, id: string, props: ConnectEndpointProps) {
    super(scope, id);
    this.ownName = props.name?.domainName;

    this.authorizer = new CfnAuthorizer(this, 'Authorizer', {
      authorizerFunctionArn: props.authorizerFunction.functionArn,
      // Devices send user name and password, and no signed token: there is nothing to verify a signature of.
      signingDisabled: true,
      status: 'ACTIVE',
    });

    // IoT Core may call on behalf of this one authorizer, whose ARN names the account. AWS documents no source account
    // for these calls, and a condition on one that is not sent would refuse each CONNECT.
    props.authorizerFunction.addPermission('IotCore', {
      principal: new ServicePrincipal('iot.amazonaws.com'),
      sourceArn: this.authorizer.attrArn,
    });

    this.domain = new CfnDomainConfiguration(this, 'Domain', {
      authenticationType: 'CUSTOM_AUTH',
      applicationProtocol: 'SECURE_MQTT',
      authorizerConfig: { defaultAuthorizerName: this.authorizer.ref, allowAuthorizerOverride: false },
      domainConfigurationStatus: 'ENABLED',
      serviceType: 'DATA',
      ...(props.name === undefined
        ? {}
        : { domainName: props.name.domainName, serverCertificateArns: [props.name.certificateArn] }),
      tlsConfig: { securityPolicy: 'IoTSecurityPolicy_TLS13_1_2_2022_10' },
    });
    this.target =
      this.ownName === undefined
        ? { domainConfigurationName: this.domain.ref, domainConfigurationArn: this.domain.attrArn }
        : { domainName: this.ownName };
    // Devices hold its name. One that another takes the place of goes on serving them, until it is deleted by hand.
    this.domain.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
    // AWS deletes one of its own only after it has been disabled for 7 days; one with an own name goes at once.
    this.domain.cfnOptions.deletionPolicy =
      props.name === undefined ? CfnDeletionPolicy.RETAIN : CfnDeletionPolicy.DELETE;
  }
}
