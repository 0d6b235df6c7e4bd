// The environment variables of the local run (README, "Run"). All of them are read here, and a bad one ends the start
// with a word that says what was wrong, what was given and what is allowed.

export interface LocalConfig {
  readonly mqttPort: number;
  readonly mqttsPort: number;
  readonly httpPort: number;
  readonly bindHost: string;
  /** A folder, or `:memory:`. */
  readonly dataDir: string;
  readonly apiToken: string;
  /** As given; functions/api/tokens.ts reads it. */
  readonly apiTokens: string | undefined;
  readonly dynamodbEndpoint: string | undefined;
}

class ConfigProblem extends Error {
  override readonly name = 'ConfigProblem';
}

type Environment = Readonly<Record<string, string | undefined>>;

export function parseConfig(env: Environment): LocalConfig {
  return {
    mqttPort: readPort(env, 'MQTT_PORT', 1883),
    mqttsPort: readPort(env, 'MQTTS_PORT', 8883),
    httpPort: readPort(env, 'HTTP_PORT', 3000),
    bindHost: readText(env, 'BIND_HOST') ?? '127.0.0.1',
    dataDir: readText(env, 'DATA_DIR') ?? '.data',
    apiToken: readText(env, 'API_TOKEN') ?? 'local',
    apiTokens: readText(env, 'API_TOKENS'),
    dynamodbEndpoint: readEndpoint(env, 'DYNAMODB_ENDPOINT'),
  };
}

function readText(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === undefined || value === '' ? undefined : value;
}

function readPort(env: Environment, name: string, absent: number): number {
  const given = readText(env, name);
  if (given === undefined) return absent;
  const port = Number(given);
  if (/^\d{1,5}$/.test(given) && port <= 65_535) return port;
  throw new ConfigProblem(`${name} is "${given}"; a port is a whole number from 0 to 65535, and 0 picks a free one`);
}

function readEndpoint(env: Environment, name: string): string | undefined {
  const given = readText(env, name);
  if (given === undefined) return undefined;
  if (URL.canParse(given) && /^https?:$/.test(new URL(given).protocol)) return given;
  throw new ConfigProblem(`${name} is "${given}"; an endpoint is a URL such as http://127.0.0.1:8000`);
}
