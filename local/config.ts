// The environment variables of the local run (README, "Run"). All of them are read here, and a bad one ends the start
// with a word that says what was wrong, what was given and what is allowed.

import { type LogLevel, logLevels } from '../shared/adapters/node/json-log.ts';
import { isLoopback, parseHost } from './hosts.ts';

export interface LocalConfig {
  readonly mqttPort: number;
  readonly mqttsPort: number;
  readonly httpPort: number;
  /** In lower case, without brackets. */
  readonly bindHost: string;
  /** More names that HTTP answers to, written the same way. */
  readonly allowedHosts: readonly string[];
  /** A folder, or `:memory:`. */
  readonly dataDir: string;
  readonly apiToken: string;
  /** As given; functions/api/tokens.ts reads it. */
  readonly apiTokens: string | undefined;
  readonly dynamodbEndpoint: string | undefined;
  readonly logLevel: LogLevel;
}

class ConfigProblem extends Error {
  override readonly name = 'ConfigProblem';
}

type Environment = Readonly<Record<string, string | undefined>>;

export function parseConfig(env: Environment): LocalConfig {
  const bindHost = readBindHost(env);
  return {
    mqttPort: readPort(env, 'MQTT_PORT', 1883),
    mqttsPort: readPort(env, 'MQTTS_PORT', 8883),
    httpPort: readPort(env, 'HTTP_PORT', 3000),
    bindHost,
    allowedHosts: readHosts(env, 'ALLOWED_HOSTS'),
    dataDir: readText(env, 'DATA_DIR') ?? '.data',
    apiToken: readText(env, 'API_TOKEN') ?? 'local',
    apiTokens: readText(env, 'API_TOKENS'),
    dynamodbEndpoint: readEndpoint(env, 'DYNAMODB_ENDPOINT'),
    logLevel: readLogLevel(env),
  };
}

function readText(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === undefined || value === '' ? undefined : value;
}

function readBindHost(env: Environment): string {
  const given = readText(env, 'BIND_HOST') ?? '127.0.0.1';
  const host = parseHost(given);
  if (host === undefined)
    throw new ConfigProblem(`BIND_HOST is "${given}"; it is a name or an address of this machine`);
  if (isLoopback(host) || readText(env, 'API_TOKEN') !== undefined) return host;
  throw new ConfigProblem(
    `BIND_HOST is "${given}", which other machines reach; set API_TOKEN to a token that they cannot guess`,
  );
}

function readHosts(env: Environment, name: string): readonly string[] {
  const given = (readText(env, name) ?? '').split(',').map((host) => host.trim());
  return given
    .filter((host) => host !== '')
    .map((host) => {
      const parsed = parseHost(host);
      if (parsed !== undefined && parsed !== '*') return parsed;
      throw new ConfigProblem(`${name} holds "${host}"; it is a list of host names, comma separated`);
    });
}

function readPort(env: Environment, name: string, absent: number): number {
  const given = readText(env, name);
  if (given === undefined) return absent;
  const port = Number(given);
  if (/^\d{1,5}$/.test(given) && port <= 65_535) return port;
  throw new ConfigProblem(`${name} is "${given}"; a port is a whole number from 0 to 65535, and 0 picks a free one`);
}

/** Warnings unless told otherwise: what is expected in daily running is not worth a line in a terminal. */
function readLogLevel(env: Environment): LogLevel {
  const given = readText(env, 'LOG_LEVEL') ?? 'warn';
  const level = logLevels.find((known) => known === given);
  if (level !== undefined) return level;
  throw new ConfigProblem(`LOG_LEVEL is "${given}"; it is one of ${logLevels.join(', ')}`);
}

function readEndpoint(env: Environment, name: string): string | undefined {
  const given = readText(env, name);
  if (given === undefined) return undefined;
  if (URL.canParse(given) && /^https?:$/.test(new URL(given).protocol)) return given;
  throw new ConfigProblem(`${name} is "${given}"; an endpoint is a URL such as http://127.0.0.1:8000`);
}
