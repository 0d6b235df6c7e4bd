// What an installation may choose, and what each choice means. Nothing has to be chosen. A choice that is half given, or
// has a value that is not allowed, ends the synthesis: it must not deploy something else than was meant.

import type { Node } from 'constructs';
import { type ChoiceName, type Choices, readChoices, recordedNames, retiredNames } from './choices.ts';
import type { ChoicesFile } from './choices-file.ts';
import { imageForms, parseImageName } from './container-image.ts';
import { frontDoorDefaults } from './headcount-front-door.ts';
import { type MachineClient, readMachineClients, recordedMachine } from './machine-clients.ts';
import { authorizerConcurrencyDefault } from './reservations.ts';

export interface OwnName {
  readonly domainName: string;
  /** Of AWS Certificate Manager. For the console it lies in us-east-1, as CloudFront wants it. */
  readonly certificateArn: string;
}

export interface FrontDoorChoice {
  /** `<deploymentId>.<mqttDomain>`, or another label that it sets, is where the devices of a deployment connect. */
  readonly mqttDomain: string;
  /** Of `{"certificate": "<PEM, the chain>", "key": "<PEM>"}` for `*.<mqttDomain>`, with or without its last six characters. */
  readonly certificateSecretArn: string;
  readonly minTasks: number;
  readonly maxTasks: number;
  readonly connectionsPerTask: number;
  /** A container image that has Node 24 as `node`, public or of a private repository of ECR. A digest makes it exact. */
  readonly image: string;
}

/** A table that was restored from a backup, in the place of the one that was deployed. */
export interface RestoredTable {
  readonly tableName: string;
  /** Ignored, because no function reads the stream. The next release has no such property. */
  readonly streamArn?: string;
}

export interface Installation {
  readonly restoredTable?: RestoredTable;
  /** Own name of the endpoint of IoT Core that devices connect to; AWS gives one where this is absent. */
  readonly connectName?: OwnName;
  readonly consoleName?: OwnName;
  /**
   * Places of Lambda kept for the authorizer, and the most that it may take: nothing else in the account can take them
   * from CONNECTs. Undefined where nothing is reserved, for an account that is too small for it.
   */
  readonly authorizerConcurrency: number | undefined;
  readonly machineClients: readonly MachineClient[];
  /** Name of an EventBridge bus that threshold notices go to; `default` is the account's own. Absent: nobody is told. */
  readonly noticeBus?: string;
  readonly frontDoor?: FrontDoorChoice;
  /** Whether there is a web console. */
  readonly console: boolean;
  /**
   * What was chosen, by name and as it was given; each machine client under a name of its own, with its scopes. The
   * state stack records it. JSON, without secrets.
   */
  readonly recorded: Readonly<Record<string, unknown>>;
  /** Names as in `recorded` that the operator set to `null`. `machineClients` stands for all of them. */
  readonly dropped: readonly string[];
}

const hostName = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;

/** `file`: what the operator's file holds; without it the context alone counts. */
export function readInstallation(node: Node, file?: ChoicesFile): Installation {
  const choices = readChoices(node, file);
  const connectName = ownName(choices, 'connectDomain', 'connectCertificateArn');
  const consoleName = ownName(choices, 'consoleDomain', 'consoleCertificateArn');
  const frontDoor = frontDoorChoice(choices);
  // A server name below the MQTT domain is a deployment's, so the endpoint that all of them share must have another.
  if (frontDoor !== undefined && connectName?.domainName.endsWith(`.${frontDoor.mqttDomain}`))
    choices.refuse('connectDomain', `a name that does not lie below mqttDomain, ${frontDoor.mqttDomain}`);
  const restoredTable = restored(choices);
  const noticeBus = eventBus(choices);
  const machines = readMachineClients(choices);
  return {
    ...(restoredTable === undefined ? {} : { restoredTable }),
    ...(connectName === undefined ? {} : { connectName }),
    ...(consoleName === undefined ? {} : { consoleName }),
    ...(frontDoor === undefined ? {} : { frontDoor }),
    console: flag(choices, 'console', true),
    authorizerConcurrency: authorizerConcurrency(choices),
    ...(noticeBus === undefined ? {} : { noticeBus }),
    machineClients: machines.clients,
    recorded: record(choices, machines.clients),
    dropped: [...retiredNames, ...choices.dropped, ...machines.dropped.map(recordedMachine)],
  };
}

function record(choices: Choices, machines: readonly MachineClient[]): Readonly<Record<string, unknown>> {
  const names = recordedNames.filter((name) => name !== 'machineClients' && choices.given(name) !== undefined);
  return Object.fromEntries([
    ...names.map((name) => [name, choices.given(name)]),
    ...machines.map(({ name, scopes }) => [recordedMachine(name), scopes]),
  ]);
}

function ownName(choices: Choices, domain: ChoiceName, certificate: ChoiceName): OwnName | undefined {
  if (choices.given(domain) === undefined && choices.given(certificate) === undefined) return undefined;
  const domainName = host(choices, domain);
  const certificateArn = arn(choices, certificate, 'acm');
  // CloudFront has no certificates but those of this region.
  if (domain === 'consoleDomain' && certificateArn.split(':')[3] !== 'us-east-1')
    return choices.refuse(certificate, 'the ARN of a certificate in us-east-1');
  return { domainName, certificateArn };
}

function restored(choices: Choices): RestoredTable | undefined {
  const tableName = choices.given('restoredTable');
  if (tableName === undefined) return undefined;
  if (typeof tableName === 'string' && /^[\w.-]{3,255}$/.test(tableName)) return { tableName };
  return choices.refuse('restoredTable', 'the name of a table');
}

/** What has a meaning with a front door only. */
const ofFrontDoor: readonly ChoiceName[] = [
  'mqttDomain',
  'mqttCertificateSecretArn',
  'frontDoorMinTasks',
  'frontDoorMaxTasks',
  'frontDoorConnectionsPerTask',
  'frontDoorImage',
];

function frontDoorChoice(choices: Choices): FrontDoorChoice | undefined {
  const [lonely] = ofFrontDoor.filter((name) => choices.chosen.includes(name));
  if (lonely !== undefined && ![...choices.chosen, ...choices.dropped].includes('frontDoor'))
    return choices.refuse('frontDoor', `true with ${lonely}, or false to keep ${lonely} for later`);
  if (!flag(choices, 'frontDoor', false)) return undefined;
  const minTasks = count(choices, 'frontDoorMinTasks', frontDoorDefaults.minTasks);
  const maxTasks = count(choices, 'frontDoorMaxTasks', Math.max(frontDoorDefaults.maxTasks, minTasks));
  if (maxTasks < minTasks)
    return choices.refuse('frontDoorMaxTasks', `no less than frontDoorMinTasks, ${minTasks}`, maxTasks);
  return {
    mqttDomain: host(choices, 'mqttDomain'),
    certificateSecretArn: secretArn(choices, 'mqttCertificateSecretArn'),
    minTasks,
    maxTasks,
    connectionsPerTask: count(choices, 'frontDoorConnectionsPerTask', frontDoorDefaults.connectionsPerTask),
    image: image(choices),
  };
}

/** With or without the six characters that Secrets Manager puts at the end. */
function secretArn(choices: Choices, name: ChoiceName): string {
  const value = arn(choices, name, 'secretsmanager');
  if (/^arn:aws[\w-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+$/.test(value)) return value;
  return choices.refuse(name, 'the whole ARN of a secret, as arn:aws:secretsmanager:<region>:<account>:secret:<name>');
}

function image(choices: Choices): string {
  const value = choices.given('frontDoorImage') ?? frontDoorDefaults.image;
  if (typeof value === 'string' && parseImageName(value) !== undefined) return value;
  return choices.refuse('frontDoorImage', imageForms);
}

function authorizerConcurrency(choices: Choices): number | undefined {
  if (flag(choices, 'reserve', true)) return count(choices, 'authorizerConcurrency', authorizerConcurrencyDefault);
  // It is a reservation.
  if (choices.given('authorizerConcurrency') === undefined) return undefined;
  return choices.refuse('authorizerConcurrency', 'none, because reserve is false');
}

function host(choices: Choices, name: ChoiceName): string {
  const value = choices.given(name);
  if (typeof value === 'string' && hostName.test(value)) return value;
  return choices.refuse(name, 'a domain name in lower case, as mqtt.example.com');
}

function arn(choices: Choices, name: ChoiceName, service: string): string {
  const value = choices.given(name);
  if (typeof value === 'string' && new RegExp(`^arn:aws[\\w-]*:${service}:[a-z0-9-]+:\\d{12}:.+$`).test(value))
    return value;
  return choices.refuse(name, `a whole ARN, as arn:aws:${service}:<region>:<account>:…`);
}

/** A number, or a number in text: `-c` gives text only. */
function count(choices: Choices, name: ChoiceName, otherwise: number): number {
  const value = choices.given(name) ?? otherwise;
  const number = typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value)) ? Number(value) : 0;
  return Number.isSafeInteger(number) && number >= 1 ? number : choices.refuse(name, 'a whole number of at least 1');
}

function flag(choices: Choices, name: ChoiceName, otherwise: boolean): boolean {
  const value = choices.given(name) ?? otherwise;
  if (value === true || value === 'true') return true;
  return value === false || value === 'false' ? false : choices.refuse(name, 'true or false');
}

function eventBus(choices: Choices): string | undefined {
  const value = choices.given('noticeBus');
  if (value === undefined) return undefined;
  // A word for "no" would be taken for the name of a bus that does not exist, and no notice would arrive.
  const sayNo = ['', 'none', 'no', 'false', 'off', 'null'];
  if (typeof value === 'string' && !sayNo.includes(value) && /^[\w./-]{1,256}$/.test(value)) return value;
  return choices.refuse('noticeBus', 'the name of an EventBridge bus, as "default", or null for none');
}
