// RabbitMQ with its MQTT plugin and a connection limit per user: what somebody would run who wants a limit per username
// and no Headcount. Everything of it lies in a folder of its own and listens on loopback.

import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { Login } from '../clients/light-client.ts';
import { findFreePorts } from './free-port.ts';
import { type Guarded, startGuarded, untilListening } from './guarded-process.ts';
import { type Found, farAway, type Peer } from './peer.ts';
import { findRabbitMq, type Places, type RabbitMq } from './places.ts';

export interface RabbitMqPorts {
  readonly mqtt: number;
  /** Between its node and rabbitmqctl. */
  readonly distribution: number;
  /** Its own registry of nodes: one that runs already is left alone. */
  readonly registry: number;
}

/** A wide queue of waiting sockets, as Headcount's front door has one; everything else as it comes. */
export function rabbitMqConfig(port: number, { username, password }: Login): string {
  const lines = [
    'listeners.tcp = none',
    `mqtt.listeners.tcp.1 = 127.0.0.1:${port}`,
    'mqtt.tcp_listen_options.backlog = 4096',
    'mqtt.tcp_listen_options.nodelay = true',
    'mqtt.allow_anonymous = false',
    `default_user = ${username}`,
    `default_pass = ${password}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** `path` is the value of PATH with which `erl` is found. */
export function rabbitMqEnvironment(
  folder: string,
  ports: RabbitMqPorts,
  path: string,
): Readonly<Record<string, string>> {
  const loopbackOnly = '-kernel inet_dist_use_interface {127,0,0,1}';
  return {
    PATH: path,
    // Its cookie is made there.
    HOME: folder,
    RABBITMQ_NODENAME: `headcount-peer-${ports.mqtt}@localhost`,
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    // What is configured for the whole machine is not for this one.
    RABBITMQ_CONF_ENV_FILE: join(folder, 'none'),
    RABBITMQ_DIST_PORT: String(ports.distribution),
    ERL_EPMD_PORT: String(ports.registry),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: loopbackOnly,
    RABBITMQ_CTL_ERL_ARGS: loopbackOnly,
    // The node takes the place of its script, so that whoever kills the script kills the node; it reads no input.
    RABBITMQ_ALLOW_INPUT: 'true',
    RABBITMQ_SERVER_START_ARGS: '-noinput',
  };
}

export function userLimitArguments(username: string, limit: number): readonly string[] {
  return ['set_user_limits', username, JSON.stringify({ 'max-connections': limit })];
}

/** Users and what they may do, as `rabbitmqctl import_definitions` takes them: one call for all of them. */
export function userDefinitions(logins: readonly Login[], limit: number, salt = randomBytes(4)): string {
  const hashOf = (password: string): string =>
    Buffer.concat([salt, createHash('sha256').update(salt).update(password).digest()]).toString('base64');
  const users = logins.map(({ username, password }) => ({
    name: username,
    password_hash: hashOf(password),
    hashing_algorithm: 'rabbit_password_hashing_sha256',
    tags: [],
    limits: { 'max-connections': limit },
  }));
  const all = { vhost: '/', configure: '.*', write: '.*', read: '.*' };
  return JSON.stringify({ users, permissions: logins.map(({ username }) => ({ user: username, ...all })) });
}

/** The count that the limit is held against. */
export function usedArguments(username: string): readonly string[] {
  const name = `<<"${username}">>`;
  return ['eval', `rabbit_connection_tracking:count_tracked_items_in({user, ${name}}).`];
}

/** From what `rabbitmqctl eval` prints. Throws where it is not a number. */
export function parseUsed(printed: string): number {
  const word = printed.trim().split('\n').at(-1)?.trim() ?? '';
  if (/^-?\d+$/.test(word)) return Number(word);
  throw new Error(`rabbitmqctl answered "${printed.trim()}" instead of a number`);
}

/** An `erl` for an Erlang that stands where it was unpacked. */
function erlScript(erlang: string): string {
  return `#!/bin/sh
ROOTDIR='${erlang}'
BINDIR=$(echo "$ROOTDIR"/erts-*/bin)
EMU=beam
PROGNAME=erl
export ROOTDIR BINDIR EMU PROGNAME
exec "$BINDIR/erlexec" "$@"
`;
}

async function writeFolder(found: RabbitMq, port: number, login: Login): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'headcount-rabbitmq-'));
  await writeFile(join(folder, 'rabbitmq.conf'), rabbitMqConfig(port, login));
  await writeFile(join(folder, 'enabled_plugins'), '[rabbitmq_mqtt].\n');
  if (found.unpackedErlang !== undefined) {
    await writeFile(join(folder, 'erl'), erlScript(found.unpackedErlang));
    await chmod(join(folder, 'erl'), 0o755);
  }
  return folder;
}

async function start(found: RabbitMq, places: Places): Promise<Peer> {
  // Debian's speaks no MQTT 5.
  const login = { username: 'alice', password: 'alice-secret', protocolVersion: 4 } as const;
  const [mqtt = 0, distribution = 0, registry = 0] = await findFreePorts(3);
  const folder = await writeFolder(found, mqtt, login);
  const path = found.unpackedErlang === undefined ? places.path : `${folder}${delimiter}${places.path}`;
  const env = rabbitMqEnvironment(folder, { mqtt, distribution, registry }, path);
  const running: Guarded[] = [];
  const stop = async (): Promise<void> => {
    for (const one of running.reverse()) await one.stop();
  };
  const ctl = async (args: readonly string[]): Promise<string> => {
    const options = { env: { ...process.env, ...env }, timeout: 60_000 };
    return (await promisify(execFile)(join(found.scripts, 'rabbitmqctl'), ['-q', ...args], options)).stdout;
  };
  try {
    // Without one that is ours, the node would start one that outlives it. It ends last, and takes the folder with it.
    const args = ['-address', '127.0.0.1', '-port', String(registry)];
    const epmd = startGuarded({ path: found.epmd, args, folder });
    running.push(epmd);
    await untilListening('epmd', epmd, registry);
    const server = startGuarded({ path: join(found.scripts, 'rabbitmq-server'), args: [], env });
    running.push(server);
    await untilListening('RabbitMQ', server, mqtt);
    await ctl(['await_startup']);
    const version = (await ctl(['version'])).trim();
    return {
      name: `RabbitMQ ${version}`,
      port: mqtt,
      login,
      setLimit: async (limit) => void (await ctl(userLimitArguments(login.username, limit))),
      used: async () => parseUsed(await ctl(usedArguments(login.username))),
      async addUsers(logins) {
        const file = join(folder, 'users.json');
        await writeFile(file, userDefinitions(logins, farAway));
        await ctl(['import_definitions', file]);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

export function findRabbit(places: Places): Found {
  const found = findRabbitMq(places);
  return found === undefined
    ? { kind: 'missing', install: 'apt-get install rabbitmq-server' }
    : { kind: 'installed', start: () => start(found, places) };
}
