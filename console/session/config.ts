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
  readonly domain: string;
  readonly clientId: string;
  /** As the user pool names them: `<resource server>/<scope>`. */
  readonly scopes: readonly string[];
}

export interface MqttEntry {
  /** Plain TCP, where there is one. */
  readonly tcp: { readonly host: string; readonly port: number } | undefined;
  readonly tlsPort: number;
  /** The server's certificate is one that no machine knows. */
  readonly ownCertificate: boolean;
  /** Without a front door a device itself puts the deployment before its client id. */
  readonly frontDoor: boolean;
}

export interface ConsoleConfig {
  /** Where `/v1` is; empty for the page's own origin. */
  readonly apiBaseUrl: string;
  readonly signIn: TokenSignIn | CognitoSignIn;
  readonly mqtt: MqttEntry;
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function required(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new Error(`console-config.json: "${name}" is missing`);
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}

function parseSignIn(raw: unknown): TokenSignIn | CognitoSignIn {
  const fields = fieldsOf(raw);
  switch (fields.kind) {
    case 'cognito':
      return {
        kind: 'cognito',
        domain: required(fields, 'domain').replace(/\/$/, ''),
        clientId: required(fields, 'clientId'),
        scopes: strings(fields.scopes),
      };
    case 'token': {
      const named = fields.scopes === undefined ? undefined : strings(fields.scopes);
      return {
        kind: 'token',
        apiToken: typeof fields.apiToken === 'string' ? fields.apiToken : undefined,
        scopes: named === undefined ? undefined : scopes.filter((scope) => named.includes(scope)),
      };
    }
    default:
      throw new Error('console-config.json: "signIn.kind" must be "token" or "cognito"');
  }
}

function parseMqtt(raw: unknown): MqttEntry {
  const fields = fieldsOf(raw);
  const tcp = fieldsOf(fields.tcp);
  const { host, port } = tcp;
  return {
    tcp: typeof host === 'string' && typeof port === 'number' ? { host, port } : undefined,
    tlsPort: typeof fields.tlsPort === 'number' ? fields.tlsPort : 8883,
    ownCertificate: fields.ownCertificate === true,
    frontDoor: fields.frontDoor === true,
  };
}

/** Throws, and says what is missing, for a file that cannot be meant. */
export function parseConsoleConfig(raw: unknown): ConsoleConfig {
  const fields = fieldsOf(raw);
  return {
    apiBaseUrl: typeof fields.apiBaseUrl === 'string' ? fields.apiBaseUrl.replace(/\/$/, '') : '',
    signIn: parseSignIn(fields.signIn),
    mqtt: parseMqtt(fields.mqtt),
  };
}

/** With a token, the local server says what that token is good for. */
export async function loadConsoleConfig(token?: string): Promise<ConsoleConfig> {
  const answer = await fetch('/console-config.json', {
    cache: 'no-store',
    credentials: 'omit',
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
  });
  if (answer.status === 401) throw new Error('The server does not know this token.');
  if (!answer.ok) throw new Error(`console-config.json could not be read: the server answered ${answer.status}.`);
  return parseConsoleConfig(await answer.json());
}
