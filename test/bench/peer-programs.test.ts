// Programs of others: where they are looked for, how they are asked, and that none of them outlives the benchmark.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { findProgram, findRabbitMq, parsePlaces } from '../../bench/peers/places.ts';
import {
  findRabbit,
  parseUsed,
  rabbitMqConfig,
  rabbitMqEnvironment,
  usedArguments,
  userDefinitions,
  userLimitArguments,
} from '../../bench/peers/rabbitmq.ts';
import { until } from '../support/until.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'headcount-peers-'));
  folders.push(folder);
  return folder;
}

/** Files of this kind, with their folders; all of them executable. */
async function unpack(files: readonly string[]): Promise<string> {
  const root = await makeFolder();
  for (const file of files) {
    await mkdir(join(root, file, '..'), { recursive: true });
    await writeFile(join(root, file), '');
    await chmod(join(root, file), 0o755);
  }
  return root;
}

test('what was unpacked is found before what is installed', async () => {
  const root = await unpack([
    'usr/bin/epmd',
    'usr/lib/erlang/bin/epmd',
    'usr/lib/rabbitmq/lib/rabbitmq_server-3.10.8/sbin/rabbitmq-server',
  ]);
  const places = parsePlaces({ PATH: '/usr/bin', PEERS_ROOT: root });
  expect(findProgram(places, 'epmd')).toBe(join(root, 'usr/bin/epmd'));
  expect(findRabbitMq(places)).toEqual({
    scripts: join(root, 'usr/lib/rabbitmq/lib/rabbitmq_server-3.10.8/sbin'),
    epmd: join(root, 'usr/lib/erlang/bin/epmd'),
    unpackedErlang: join(root, 'usr/lib/erlang'),
  });
});

test('on the PATH the program itself is taken, not what only changes the user and starts it', async () => {
  const home = await unpack(['lib/sbin/rabbitmq-server', 'lib/sbin/rabbitmq-script-wrapper', 'bin/erl', 'bin/epmd']);
  const other = await unpack([]);
  await symlink(join(home, 'lib/sbin/rabbitmq-server'), join(home, 'bin/rabbitmq-server'));
  await symlink(join(home, 'lib/sbin/rabbitmq-script-wrapper'), join(other, 'rabbitmq-server'));
  const root = await unpack(['usr/empty']);
  const epmd = join(home, 'bin/epmd');
  expect(findRabbitMq({ path: join(home, 'bin'), root })).toEqual({
    scripts: join(home, 'lib/sbin'),
    epmd,
    unpackedErlang: undefined,
  });
  expect(findRabbitMq({ path: `${other}:${join(home, 'bin')}`, root })).toBeUndefined();
});

test('a folder that PEERS_ROOT names and nothing was unpacked into is an error; unset it is nothing', async () => {
  const empty = await makeFolder();
  expect(() => parsePlaces({ PEERS_ROOT: empty })).toThrow(`PEERS_ROOT is "${empty}"`);
  expect(parsePlaces({ PATH: '/bin' })).toEqual({ path: '/bin', root: '' });
});

test('what is not there says how to install it', async () => {
  const nowhere = { path: '', root: await unpack(['usr/empty']) };
  expect(findRabbit(nowhere)).toEqual({ kind: 'missing', install: 'apt-get install rabbitmq-server' });
});

test('RabbitMQ is asked for a limit of connections per user, and for the count that it is held against', () => {
  expect(userLimitArguments('alice', 10)).toEqual(['set_user_limits', 'alice', '{"max-connections":10}']);
  expect(usedArguments('alice')).toEqual([
    'eval',
    'rabbit_connection_tracking:count_tracked_items_in({user, <<"alice">>}).',
  ]);
  expect(parseUsed('12\n')).toBe(12);
  expect(() => parseUsed('Error: unable to perform an operation')).toThrow('instead of a number');
});

test('users of RabbitMQ are made with one call: a salted digest, a limit, and no tags', () => {
  const login = { username: 'device-1', password: 'secret', protocolVersion: 4 } as const;
  expect(JSON.parse(userDefinitions([login], 9, Buffer.from([1, 2, 3, 4])))).toEqual({
    users: [
      {
        name: 'device-1',
        password_hash: 'AQIDBDB9kM21iEUzN1lZ+6VReCsdNqS0sERdAQTcY6Xs3PMz',
        hashing_algorithm: 'rabbit_password_hashing_sha256',
        tags: [],
        limits: { 'max-connections': 9 },
      },
    ],
    permissions: [{ user: 'device-1', vhost: '/', configure: '.*', write: '.*', read: '.*' }],
  });
});

test('everything of RabbitMQ listens on loopback and lies in the folder that goes with it', () => {
  const login = { username: 'alice', password: 'secret', protocolVersion: 4 } as const;
  const config = rabbitMqConfig(21_883, login);
  expect(config).toContain('listeners.tcp = none\nmqtt.listeners.tcp.1 = 127.0.0.1:21883\n');
  expect(config).toContain('default_user = alice\ndefault_pass = secret\n');
  const ports = { mqtt: 1, distribution: 2, registry: 3 };
  const env = rabbitMqEnvironment('/data', ports, '/bin');
  expect(env).toMatchObject({ ERL_EPMD_ADDRESS: '127.0.0.1', ERL_EPMD_PORT: '3', RABBITMQ_DIST_PORT: '2' });
  for (const name of ['RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS', 'RABBITMQ_CTL_ERL_ARGS'])
    expect(env[name]).toContain('inet_dist_use_interface {127,0,0,1}');
  for (const name of ['HOME', 'RABBITMQ_MNESIA_BASE', 'RABBITMQ_LOG_BASE', 'RABBITMQ_CONFIG_FILE'])
    expect(env[name]).toMatch(/^\/data/);
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test.each(['SIGKILL', 'SIGINT', 'stop'])(
  '%s: a program that was started is killed, and its folder removed',
  async (how) => {
    const folder = await makeFolder();
    const module = join(import.meta.dirname, '../../bench/peers/guarded-process.ts');
    // The program says its process id, and would go on for ten minutes.
    const source = `
    const { startGuarded } = await import(${JSON.stringify(module)});
    const guarded = startGuarded({
      path: '/bin/sh', args: ['-c', 'echo $$; exec sleep 600'], folder: ${JSON.stringify(folder)},
    });
    while (guarded.said() === '') await new Promise((resolve) => setTimeout(resolve, 20));
    process.stdout.write(guarded.said());
    process.stdin.once('data', async () => { await guarded.stop(); process.exit(0); });
  `;
    const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    try {
      const [said] = (await once(parent.stdout, 'data')) as [Buffer];
      const pid = Number(said.toString().trim());
      expect(isThere(pid)).toBe(true);
      const gone = once(parent, 'exit');
      if (how === 'stop') parent.stdin.write('stop\n');
      else parent.kill(how as NodeJS.Signals);
      await gone;
      await until(() =>
        expect({ program: isThere(pid), folder: existsSync(folder) }).toEqual({ program: false, folder: false }),
      );
    } finally {
      parent.kill('SIGKILL');
    }
  },
);
