// What the console must know of where it runs, from a file beside it: one build serves every installation. Locally the
// server answers it, on AWS it lies in the bucket.

import { type Scope, scopes } from '../client/types.ts';

export interface TokenSignIn {
  readonly kind: 'token';
  /** The local API token; absent where the server does not hand it out. */
  readonly apiToken: string | undefined;
  readonly scopes: readonly Scope[] | undefined;
}

export interface CognitoSignIn {
  readonly kind: 'cognito';
  /** Of the hosted page, as `https://headcount.auth.eu-west-1.amazoncognito.com`. */
  readonly baseUrl: string;
  readonly clientId: string;
  /** As the user pool names them: `<resource server>/<scope>`. */
  readonly scopes: readonly string[];
}

export interface MqttEntry {
  /** Plain TCP, where there is one. */
  readonly tcp: { readonly host: string; readonly port: number } | undefined;
  readonly tls: {
    /** Undefined: a deployment's own `mqttHost`. */
    readonly host: string | undefined;
    readonly port: number;
    /** The server's certificate is one that no machine knows. */
    readonly ownCertificate: boolean;
  };
  /** Without a front door a device itself puts the deployment before its client id. */
  readonly frontDoor: boolean;
}

export interface ConsoleConfig {
  /** Where `/v1` is; empty for the page's own origin. */
  readonly apiBaseUrl: string;
  readonly signIn: TokenSignIn | CognitoSignIn;
  readonly mqtt: MqttEntry;
}

const mqttsPort = 8883;

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function required(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new Error(`config.json: "signIn.${name}" is missing`);
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}

/** Where there is a sign-in page, people sign in there; else with a token of the API. */
function parseSignIn(raw: unknown): TokenSignIn | CognitoSignIn {
  const fields = fieldsOf(raw);
  if (fields.baseUrl !== undefined)
    return {
      kind: 'cognito',
      baseUrl: required(fields, 'baseUrl').replace(/\/$/, ''),
      clientId: required(fields, 'clientId'),
      scopes: strings(fields.scopes),
    };
  const named = fields.scopes === undefined ? undefined : strings(fields.scopes);
  return {
    kind: 'token',
    apiToken: typeof fields.apiToken === 'string' ? fields.apiToken : undefined,
    scopes: named === undefined ? undefined : scopes.filter((scope) => named.includes(scope)),
  };
}

function parseMqtt(raw: unknown): MqttEntry {
  const fields = fieldsOf(raw);
  const [tcp, tls] = [fieldsOf(fields.tcp), fieldsOf(fields.tls)];
  const { host, port } = tcp;
  return {
    tcp: typeof host === 'string' && typeof port === 'number' ? { host, port } : undefined,
    tls: {
      host: typeof tls.host === 'string' ? tls.host : undefined,
      port: typeof tls.port === 'number' ? tls.port : mqttsPort,
      ownCertificate: tls.ownCertificate === true,
    },
    frontDoor: fields.frontDoor === true,
  };
}

/** Throws, and says what is missing, for a file that cannot be meant. */
export function parseConsoleConfig(raw: unknown): ConsoleConfig {
  const fields = fieldsOf(raw);
  if (fields.signIn === undefined) throw new Error('config.json: "signIn" is missing');
  return {
    apiBaseUrl: typeof fields.apiBaseUrl === 'string' ? fields.apiBaseUrl.replace(/\/$/, '') : '',
    signIn: parseSignIn(fields.signIn),
    mqtt: parseMqtt(fields.mqtt),
  };
}
