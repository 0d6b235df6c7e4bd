// Names of things, and the only places where something untrusted becomes one. A field that is absent or no string is no
// name: made into text, it would be the legal name `undefined`.
// A parse answers a value, never throws: a bad name is an expected outcome.

declare const brand: unique symbol;
type Brand<Name extends string> = string & { readonly [brand]: Name };

export type TenantId = Brand<'TenantId'>;
export type DeploymentId = Brand<'DeploymentId'>;
export type Username = Brand<'Username'>;
/** The client identifier as its user knows it, without the deployment's prefix. */
export type ClientId = Brand<'ClientId'>;
/** The client identifier as the broker knows it: `<deploymentId>:<clientId>`. */
export type BrokerClientId = Brand<'BrokerClientId'>;
/** One CONNECT's admission. */
export type AttemptId = Brand<'AttemptId'>;
/** The place a session holds in its username's roster; new for each life of a session, never used again. */
export type Place = Brand<'Place'>;
/** A key that verifies signed tokens, together with the issuer that it verifies them for. */
export type SignerId = Brand<'SignerId'>;
/** Something that goes on in the background. */
export type OperationId = Brand<'OperationId'>;

/** What a session is found by. */
export interface Names {
  readonly deploymentId: DeploymentId;
  readonly username: Username;
  readonly clientId: ClientId;
}

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

const good = <T>(value: T): Parsed<T> => ({ ok: true, value });
const bad = (problem: string): Parsed<never> => ({ ok: false, problem });
const fits = (raw: unknown, pattern: RegExp): raw is string => typeof raw === 'string' && pattern.test(raw);

const idPattern = /^[a-z0-9][a-z0-9-]{0,31}$/;
const idRule = '1 to 32 characters of a-z, 0-9 and -, not starting with -';

export function parseTenantId(raw: unknown): Parsed<TenantId> {
  return fits(raw, idPattern) ? good(raw as TenantId) : bad(`a tenant id is ${idRule}`);
}

export function parseDeploymentId(raw: unknown): Parsed<DeploymentId> {
  return fits(raw, idPattern) ? good(raw as DeploymentId) : bad(`a deployment id is ${idRule}`);
}

export const usernameMaxBytes = 256;

/** The MQTT CONNECT user name less its suffix: 1 to 256 bytes of UTF-8, no `?`, no U+0000 [MQTT-1.5.4-2]. */
export function parseUsername(raw: unknown): Parsed<Username> {
  if (typeof raw !== 'string') return bad('a username is a string');
  const bytes = Buffer.byteLength(raw, 'utf8');
  if (bytes === 0) return bad('a username is not empty');
  if (bytes > usernameMaxBytes)
    return bad(`a username is at most ${usernameMaxBytes} bytes of UTF-8, this one has ${bytes}`);
  if (raw.includes('?')) return bad('a username holds no "?"');
  if (raw.includes('\u0000')) return bad('a username holds no U+0000');
  if (!raw.isWellFormed()) return bad('a username is well-formed Unicode');
  return good(raw as Username);
}

/** IoT Core's bound on a client id, the deployment's prefix included. */
const brokerClientIdMaxBytes = 128;

// `#` and `+` get no presence events; `*`, `?` and `${` mean something inside an IoT policy; `$` first is refused by
// GetConnection. An id with one of them could be neither tracked nor confined (S8).
const untrackable = /[#+*?\p{Cc}]|\$\{/u;

/** A client id that can be tracked and put into a policy (S8). */
export function parseClientId(deploymentId: DeploymentId, raw: unknown): Parsed<ClientId> {
  if (raw === undefined || raw === '') return bad('a client id is required; none is assigned');
  if (typeof raw !== 'string') return bad('a client id is a string');
  if (!raw.isWellFormed()) return bad('a client id is well-formed Unicode');
  const bytes = Buffer.byteLength(`${deploymentId}:${raw}`, 'utf8');
  if (bytes > brokerClientIdMaxBytes)
    return bad(
      `a client id with "${deploymentId}:" before it is at most ${brokerClientIdMaxBytes} bytes, this has ${bytes}`,
    );
  if (raw.startsWith('$')) return bad('a client id does not start with "$"');
  if (untrackable.test(raw)) return bad('a client id holds no "#", "+", "*", "?", "${" or control character');
  return good(raw as ClientId);
}

export function toBrokerClientId(deploymentId: DeploymentId, clientId: ClientId): BrokerClientId {
  return `${deploymentId}:${clientId}` as BrokerClientId;
}

/** Takes the broker's client id apart; a deployment id holds no `:`, so the first one is the border. */
export function parseBrokerClientId(
  raw: string,
): Parsed<{ readonly deploymentId: DeploymentId; readonly clientId: ClientId }> {
  const border = raw.indexOf(':');
  if (border < 0) return bad('a client id at the broker is <deploymentId>:<clientId>');
  const deploymentId = parseDeploymentId(raw.slice(0, border));
  if (!deploymentId.ok) return deploymentId;
  const clientId = parseClientId(deploymentId.value, raw.slice(border + 1));
  if (!clientId.ok) return clientId;
  return good({ deploymentId: deploymentId.value, clientId: clientId.value });
}

const attemptPattern = /^[A-Za-z0-9_-]{16,43}$/;

export function parseAttemptId(raw: unknown): Parsed<AttemptId> {
  return fits(raw, attemptPattern) ? good(raw as AttemptId) : bad('an attempt id is 16 to 43 base64url characters');
}

const operationPattern = /^[a-z0-9][a-z0-9-]{0,63}$/;

export function parseOperationId(raw: unknown): Parsed<OperationId> {
  return fits(raw, operationPattern)
    ? good(raw as OperationId)
    : bad('an operation id is 1 to 64 characters of a-z, 0-9 and -');
}
