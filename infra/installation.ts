// What an installation may choose, read from CDK's context (`-c name=value`, or cdk.json). Nothing has to be chosen.
// A word that is misspelt or half given ends the synthesis: it must not deploy something else than was meant.

import type { Node } from 'constructs';
import { imageForms, parseImageName } from './container-image.ts';
import { frontDoorDefaults } from './headcount-front-door.ts';

export interface OwnName {
  readonly domainName: string;
  /** Of AWS Certificate Manager. For the console it lies in us-east-1, as CloudFront wants it. */
  readonly certificateArn: string;
}

/** An OAuth client without a person behind it. Its tenant is an item of the table, which the operator writes. */
export interface MachineClient {
  readonly name: string;
  readonly scopes: readonly string[];
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
  readonly streamArn: string;
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
}

const names = [
  'restoredTable',
  'restoredTableStreamArn',
  'connectDomain',
  'connectCertificateArn',
  'consoleDomain',
  'consoleCertificateArn',
  'authorizerConcurrency',
  'reserve',
  'machineClients',
  'noticeBus',
  'frontDoor',
  'mqttDomain',
  'mqttCertificateSecretArn',
  'frontDoorMinTasks',
  'frontDoorMaxTasks',
  'frontDoorConnectionsPerTask',
  'frontDoorImage',
  'consoleFolder',
] as const;

type Name = (typeof names)[number];

const hostName = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;

/** What CDK and its CLI keep in the context for themselves: flags, lookups, and how the CLI was called. */
const ofCdk = /[@:/]|^cli-/;

function refuseUnknown(node: Node): void {
  const known: readonly string[] = names;
  const unknown = Object.keys(node.getAllContext() as object).filter(
    (name) => !ofCdk.test(name) && !known.includes(name),
  );
  if (unknown.length > 0)
    throw new Error(`no choice is named ${unknown.join(', ')}; those that there are: ${names.join(', ')}`);
}

export function readInstallation(node: Node): Installation {
  refuseUnknown(node);
  const given = (name: Name): unknown => node.tryGetContext(name);
  const connectName = ownName(given, 'connectDomain', 'connectCertificateArn');
  const consoleName = ownName(given, 'consoleDomain', 'consoleCertificateArn');
  const frontDoor = frontDoorChoice(given);
  // A server name below the MQTT domain is a deployment's, so the endpoint that all of them share must have another.
  if (frontDoor !== undefined && connectName?.domainName.endsWith(`.${frontDoor.mqttDomain}`))
    throw new Error('connectDomain must not lie below mqttDomain');
  const restoredTable = restored(given);
  const noticeBus = eventBus(given('noticeBus'));
  return {
    ...(restoredTable === undefined ? {} : { restoredTable }),
    ...(connectName === undefined ? {} : { connectName }),
    ...(consoleName === undefined ? {} : { consoleName }),
    ...(frontDoor === undefined ? {} : { frontDoor }),
    authorizerConcurrency: authorizerConcurrency(given),
    ...(noticeBus === undefined ? {} : { noticeBus }),
    machineClients: machineClients(given('machineClients')),
  };
}

type Given = (name: Name) => unknown;

function ownName(given: Given, domain: Name, certificate: Name): OwnName | undefined {
  if (given(domain) === undefined && given(certificate) === undefined) return undefined;
  return { domainName: host(given, domain), certificateArn: arn(given, certificate, 'acm') };
}

function restored(given: Given): RestoredTable | undefined {
  const tableName = given('restoredTable');
  if (tableName === undefined && given('restoredTableStreamArn') === undefined) return undefined;
  if (typeof tableName !== 'string' || !/^[\w.-]{3,255}$/.test(tableName))
    throw new Error('restoredTable must be the name of a table');
  const streamArn = arn(given, 'restoredTableStreamArn', 'dynamodb');
  if (!streamArn.includes(`:table/${tableName}/stream/`))
    throw new Error('restoredTableStreamArn must be the stream of restoredTable');
  return { tableName, streamArn };
}

function frontDoorChoice(given: Given): FrontDoorChoice | undefined {
  const wanted = given('frontDoor');
  if (wanted === undefined || wanted === false || wanted === 'false') return undefined;
  if (wanted !== true && wanted !== 'true') throw new Error('frontDoor must be true or false');
  const minTasks = count(given, 'frontDoorMinTasks', frontDoorDefaults.minTasks);
  const maxTasks = count(given, 'frontDoorMaxTasks', Math.max(frontDoorDefaults.maxTasks, minTasks));
  if (maxTasks < minTasks) throw new Error('frontDoorMaxTasks must not be less than frontDoorMinTasks');
  return {
    mqttDomain: host(given, 'mqttDomain'),
    certificateSecretArn: secretArn(given, 'mqttCertificateSecretArn'),
    minTasks,
    maxTasks,
    connectionsPerTask: count(given, 'frontDoorConnectionsPerTask', frontDoorDefaults.connectionsPerTask),
    image: containerImage(given('frontDoorImage') ?? frontDoorDefaults.image),
  };
}

/** With or without the six characters that Secrets Manager puts at the end. */
function secretArn(given: Given, name: Name): string {
  const value = arn(given, name, 'secretsmanager');
  if (!/^arn:aws[\w-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+$/.test(value))
    throw new Error(
      `${name} must be the whole ARN of a secret, as arn:aws:secretsmanager:<region>:<account>:secret:<name>`,
    );
  return value;
}

function containerImage(value: unknown): string {
  if (typeof value !== 'string' || parseImageName(value) === undefined)
    throw new Error(`frontDoorImage must be ${imageForms}`);
  return value;
}

/**
 * What IoT Core's quota of CONNECTs takes at 150 ms each. With what is kept for the other functions (103) and the 100 that
 * Lambda wants left unreserved it fits into the 1,000 that an account has as a rule.
 */
const authorizerConcurrencyDefault = 500;

function authorizerConcurrency(given: Given): number | undefined {
  const reserve = given('reserve') ?? true;
  if (reserve === true || reserve === 'true')
    return count(given, 'authorizerConcurrency', authorizerConcurrencyDefault);
  if (reserve !== false && reserve !== 'false') throw new Error('reserve must be true or false');
  if (given('authorizerConcurrency') !== undefined)
    throw new Error('authorizerConcurrency is a reservation; leave it out with reserve=false');
  return undefined;
}

function host(given: Given, name: Name): string {
  const value = given(name);
  if (typeof value !== 'string' || !hostName.test(value)) throw new Error(`${name} must be a domain name`);
  return value;
}

function arn(given: Given, name: Name, service: string): string {
  const value = given(name);
  if (typeof value !== 'string' || !value.startsWith('arn:') || value.split(':')[2] !== service)
    throw new Error(`${name} must be the ARN of something in ${service}`);
  return value;
}

function count(given: Given, name: Name, otherwise: number): number {
  const value = given(name) ?? otherwise;
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${name} must be a whole number of at least 1`);
  return number;
}

function eventBus(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  // A word for "no" would be taken for a bus of that name, and nobody would notice that it does not exist.
  const sayNo = ['', 'none', 'no', 'false', 'off'];
  if (typeof value !== 'string' || sayNo.includes(value) || !/^[\w./-]{1,256}$/.test(value))
    throw new Error('noticeBus must be the name of an EventBridge bus, as "default"; leave it out for none');
  return value;
}

/** `name:scope+scope`, comma separated, as `acme-ci:settings:read+settings:write`. */
function machineClients(value: unknown): readonly MachineClient[] {
  if (value === undefined || value === '') return [];
  if (typeof value !== 'string') throw new Error('machineClients must be text');
  const clients = value.split(',').map((entry): MachineClient => {
    const match = /^([a-z][a-z0-9-]{0,62}):(.+)$/.exec(entry.trim());
    if (match === null) throw new Error('machineClients must be name:scope+scope, comma separated');
    const [, name = '', scopes = ''] = match;
    return { name, scopes: scopes.split('+') };
  });
  if (new Set(clients.map((client) => client.name)).size < clients.length)
    throw new Error('machineClients must have different names');
  return clients;
}
