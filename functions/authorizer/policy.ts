// The policy of one connection (S20): its own client id, and topics under `<deploymentId>/` only. What goes in has
// been parsed, so nothing of it is a wildcard or a policy variable.

import type { BrokerClientId, DeploymentId } from '../../shared/domain/ids.ts';
import type { PolicyDocument } from './event.ts';

/** Where the authorizer runs: the policy names resources of that account and region only. */
export interface ArnScope {
  readonly partition: string;
  readonly region: string;
  readonly accountId: string;
}

/** From the ARN of the function itself: `arn:<partition>:lambda:<region>:<account>:function:…`. */
export function parseArnScope(functionArn: string): ArnScope {
  const [, partition = 'aws', , region = '', accountId = ''] = functionArn.split(':');
  return { partition, region, accountId };
}

export function buildPolicy(scope: ArnScope, deploymentId: DeploymentId, clientId: BrokerClientId): PolicyDocument {
  const arn = (resource: string): string => `arn:${scope.partition}:iot:${scope.region}:${scope.accountId}:${resource}`;
  return {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 'iot:Connect', Resource: arn(`client/${clientId}`) },
      {
        Effect: 'Allow',
        Action: ['iot:Publish', 'iot:RetainPublish', 'iot:Receive'],
        Resource: arn(`topic/${deploymentId}/*`),
      },
      {
        Effect: 'Allow',
        Action: 'iot:Subscribe',
        Resource: [arn(`topicfilter/${deploymentId}/*`), arn(`topicfilter/$share/*/${deploymentId}/*`)],
      },
      // `*` spans slashes, so the shared pattern alone would also match `$share/<group>/<another>/<deploymentId>/…`.
      { Effect: 'Deny', Action: 'iot:Subscribe', Resource: arn(`topicfilter/$share/*/*/${deploymentId}/*`) },
    ],
  };
}
