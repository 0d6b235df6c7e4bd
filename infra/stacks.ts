// What an installation consists of. Bound to no account and no region: the one that is logged in to gets it.

import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { FrontDoorStack } from './front-door-stack.ts';
import { readInstallation } from './installation.ts';
import { StatefulStack } from './stateful-stack.ts';
import { StatelessStack } from './stateless-stack.ts';
import { WebStack } from './web-stack.ts';

export interface Stacks {
  readonly stateful: StatefulStack;
  readonly stateless: StatelessStack;
  readonly web: WebStack;
  /** Where the context asks for it. */
  readonly frontDoor: FrontDoorStack | undefined;
}

export function addStacks(app: App): Stacks {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const installation = readInstallation(app.node);
  const stateful = new StatefulStack(app, 'HeadcountState', {
    description: 'Headcount: what must survive every deployment',
    terminationProtection: true,
    ...(installation.restoredTable === undefined ? {} : { restoredTable: installation.restoredTable }),
  });
  const { table, ticketSecret, passwordKeysSecret, signIn } = stateful;
  const stateless = new StatelessStack(app, 'Headcount', {
    description: 'Headcount: limits how many MQTT sessions one username may hold',
    table,
    ticketSecret,
    passwordKeysSecret,
    installation,
  });
  const web = new WebStack(app, 'HeadcountWeb', {
    description: 'Headcount: HTTP API and console',
    installation,
    api: stateless.api,
    signIn,
    table,
    connectDomain: stateless.connectDomain,
    alarmTopic: stateless.alarmTopic,
  });
  const choice = installation.frontDoor;
  const frontDoor =
    choice === undefined
      ? undefined
      : new FrontDoorStack(app, 'HeadcountFrontDoor', {
          description: 'Headcount: the MQTT proxy that gives the exact CONNACK',
          ...choice,
          table,
          ticketSecret,
          passwordKeysSecret,
          presenceQueue: stateless.presenceQueue,
          connect:
            installation.connectName === undefined
              ? {
                  domainConfigurationName: stateless.connectDomain.ref,
                  domainConfigurationArn: stateless.connectDomain.attrArn,
                }
              : { domainName: installation.connectName.domainName },
          alarmTopic: stateless.alarmTopic,
        });
  return { stateful, stateless, web, frontDoor };
}
