// What an installation consists of. Bound to no account and no region: the one that is logged in to gets it.

import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { StatefulStack } from './stateful-stack.ts';
import { StatelessStack } from './stateless-stack.ts';

export function addStacks(app: App): { readonly stateful: StatefulStack; readonly stateless: StatelessStack } {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const stateful = new StatefulStack(app, 'HeadcountState', {
    description: 'Headcount: what must survive every deployment',
    terminationProtection: true,
  });
  const stateless = new StatelessStack(app, 'Headcount', {
    description: 'Headcount: limits how many MQTT sessions one username may hold',
    table: stateful.table,
    ticketSecret: stateful.ticketSecret,
  });
  return { stateful, stateless };
}
