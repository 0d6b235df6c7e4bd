// Which connections of IoT Core a function or a task may reach: those of this product's clients, whose ids at the broker are
// `<deploymentId>:<clientId>`. Other things that connect in the same account are out of its reach.

import { Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { shown } from './findings.ts';

export type BrokerAction = 'iot:DeleteConnection' | 'iot:GetConnection';

export function grantBroker(role: Role, actions: readonly BrokerAction[]): void {
  const stack = Stack.of(role);
  const ourClients = '*:*';
  const resources = [stack.formatArn({ service: 'iot', resource: 'client', resourceName: ourClients })];
  role.addToPolicy(new PolicyStatement({ actions: [...actions], resources }));
  const where = [
    shown(stack.partition, 'Partition'),
    'iot',
    shown(stack.region, 'Region'),
    shown(stack.account, 'AccountId'),
  ];
  Validations.of(role).acknowledge({
    id: `AwsSolutions-IAM5[Resource::arn:${where.join(':')}:client/${ourClients}]`,
    reason:
      'Client ids are chosen by devices and not known when this is deployed. The actions are named one by one, and ' +
      'reach connections only.',
  });
}
