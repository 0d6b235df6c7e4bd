// Where devices connect: an endpoint of IoT Core that asks the authorizer function about every CONNECT, and lets no
// client choose another authorizer.

import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnAuthorizer, CfnDomainConfiguration } from 'aws-cdk-lib/aws-iot';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { OwnName } from './installation.ts';

export interface ConnectEndpointProps {
  readonly authorizerFunction: IFunction;
  /** Absent: AWS gives one. */
  readonly name: OwnName | undefined;
}

export class ConnectEndpoint extends Construct {
  readonly domain: CfnDomainConfiguration;

  constructor(scope: Construct, id: string, props: ConnectEndpointProps) {
    super(scope, id);

    const authorizer = new CfnAuthorizer(this, 'Authorizer', {
      authorizerFunctionArn: props.authorizerFunction.functionArn,
      // Devices send user name and password, and no signed token: there is nothing to verify a signature of.
      signingDisabled: true,
      status: 'ACTIVE',
    });

    // IoT Core may call on behalf of this one authorizer of this account, and of nobody else's.
    props.authorizerFunction.addPermission('IotCore', {
      principal: new ServicePrincipal('iot.amazonaws.com'),
      sourceArn: authorizer.attrArn,
      sourceAccount: Stack.of(this).account,
    });

    this.domain = new CfnDomainConfiguration(this, 'Domain', {
      authenticationType: 'CUSTOM_AUTH',
      applicationProtocol: 'SECURE_MQTT',
      authorizerConfig: { defaultAuthorizerName: authorizer.ref, allowAuthorizerOverride: false },
      domainConfigurationStatus: 'ENABLED',
      serviceType: 'DATA',
      ...(props.name === undefined
        ? {}
        : { domainName: props.name.domainName, serverCertificateArns: [props.name.certificateArn] }),
      tlsConfig: { securityPolicy: 'IoTSecurityPolicy_TLS13_1_2_2022_10' },
    });
    // Devices hold its name, and AWS deletes an AWS-managed one only after it has been disabled for 7 days.
    this.domain.applyRemovalPolicy(RemovalPolicy.RETAIN);
  }
}
