// Which connections of IoT Core a function may reach: those of this product's clients, whose ids at the broker are
// `<deploymentId>:<clientId>`. Other things that connect in the same account are out of its reach.

import { Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { FunctionName } from '../shared/config/env.ts';
import type { BundledFunction } from './bundled-function.ts';
import { shown } from './findings.ts';

export type BrokerAction = 'iot:DeleteConnection' | 'iot:GetConnection';

export function grantBroker(grantee: BundledFunction<FunctionName>, actions: readonly BrokerAction[]): void {
  const stack = Stack.of(grantee);
  const ourClients = '*:*';
  const resources = [stack.formatArn({ service: 'iot', resource: 'client', resourceName: ourClients })];
  grantee.addToRolePolicy(new PolicyStatement({ actions: [...actions], resources }));
  const where = [
    shown(stack.partition, 'Partition'),
    'iot',
    shown(stack.region, 'Region'),
    shown(stack.account, 'AccountId'),
  ];
  Validations.of(grantee.ownRole).acknowledge({
    id: `AwsSolutions-IAM5[Resource::arn:${where.join(':')}:client/${ourClients}]`,
    reason:
      'Client ids are chosen by devices and not known when this is deployed. The actions are named one by one, and ' +
      'reach connections only.',
  });
}
