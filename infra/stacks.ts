// What an installation consists of: thin stacks over the constructs. Bound to no account and no region: the one that is
// logged in to gets it.

import { type App, Stack, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { ChoicesFile } from './choices-file.ts';
import { EndpointName } from './endpoint-name.ts';
import { HeadcountConsole } from './headcount-console.ts';
import { HeadcountCore } from './headcount-core.ts';
import { HeadcountFrontDoor } from './headcount-front-door.ts';
import { HeadcountState } from './headcount-state.ts';
import { HeadcountWeb } from './headcount-web.ts';
import { type Installation, readInstallation } from './installation.ts';
import { sayConsole, sayCore, sayWeb } from './next-steps.ts';
import { RecordedChoices } from './recorded-choices.ts';

export interface Stacks {
  readonly state: Stack;
  readonly core: Stack;
  readonly web: Stack;
  /** Where the choices ask for it. */
  readonly frontDoor: Stack | undefined;
  /** Unless the choices leave it out. */
  readonly console: Stack | undefined;
}

/** With this id a construct leaves no trace in the logical ids of what it holds: they are those of the stack's own. */
const whole = 'Default';

/** `file`: the operator's choices; without it those of the context alone count. */
export function addStacks(app: App, file?: ChoicesFile): Stacks {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const installation = readInstallation(app.node, file);
  const { restoredTable, machineClients } = installation;

  const stateStack = new Stack(app, 'HeadcountState', {
    description: 'Headcount: what must survive every deployment',
    terminationProtection: true,
  });
  const state = new HeadcountState(stateStack, whole, restoredTable === undefined ? {} : { restoredTable });
  new RecordedChoices(stateStack, 'Choices', installation);

  const coreStack = new Stack(app, 'Headcount', {
    description: 'Headcount: limits how many MQTT sessions one username may hold',
  });
  const core = new HeadcountCore(coreStack, whole, { ...state, ...coreChoices(installation) });
  sayCore(coreStack, core, restoredTable === undefined ? undefined : state.madeTable);

  const web = new Stack(app, 'HeadcountWeb', { description: 'Headcount: HTTP API' });
  const { signIn } = state;
  const { api, alarmTopic, connect } = core;
  const headcountWeb = new HeadcountWeb(web, whole, { api, alarmTopic, signIn, machineClients });
  const endpoint = new EndpointName(web, 'Endpoint', connect);
  sayWeb(web, { web: headcountWeb, state, connect, endpoint });

  const frontDoor = addFrontDoor(app, installation, state, core);
  const console = addConsole(app, installation, state, core, endpoint);
  // The last one: an account that CloudFront does not serve yet has all the others by then.
  for (const before of [web, frontDoor]) if (before !== undefined) console?.addStackDependency(before);
  return { state: stateStack, core: coreStack, web, frontDoor, console };
}

function coreChoices({ connectName, noticeBus, frontDoor, authorizerConcurrency }: Installation) {
  return {
    ...(connectName === undefined ? {} : { connectName }),
    ...(noticeBus === undefined ? {} : { noticeBus }),
    ...(frontDoor === undefined ? {} : { mqttDomain: frontDoor.mqttDomain }),
    authorizerConcurrency: authorizerConcurrency ?? false,
  } as const;
}

function addFrontDoor(
  app: App,
  { frontDoor: choice }: Installation,
  { table, ticketSecret, passwordKeysSecret }: HeadcountState,
  { presenceQueue, connect, alarmTopic }: HeadcountCore,
): Stack | undefined {
  if (choice === undefined) return undefined;
  const stack = new Stack(app, 'HeadcountFrontDoor', {
    description: 'Headcount: the MQTT proxy that gives the exact CONNACK',
  });
  new HeadcountFrontDoor(stack, whole, {
    ...choice,
    table,
    ticketSecret,
    passwordKeysSecret,
    presenceQueue,
    connect: connect.target,
    alarmTopic,
  });
  return stack;
}

function addConsole(
  app: App,
  { console: wanted, consoleName, frontDoor }: Installation,
  { signIn }: HeadcountState,
  { api, alarmTopic }: HeadcountCore,
  { hostName }: EndpointName,
): Stack | undefined {
  if (!wanted) return undefined;
  const folder: unknown = app.node.tryGetContext('consoleFolder');
  const stack = new Stack(app, 'HeadcountConsole', { description: 'Headcount: console' });
  const console = new HeadcountConsole(stack, whole, {
    api,
    signIn,
    alarmTopic,
    ...(consoleName === undefined ? {} : { name: consoleName }),
    devices: frontDoor === undefined ? { hostName } : 'frontDoor',
    ...(folder === undefined ? {} : { folder: String(folder) }),
  });
  sayConsole(stack, console);
  return stack;
}
