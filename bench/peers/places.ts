// Where the programs of the peers are: installed on this machine, or unpacked into a folder by somebody who may not
// install them (`apt-get download` and `dpkg -x`), which PEERS_ROOT names.

import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { basename, delimiter, dirname, join, resolve } from 'node:path';

export interface Places {
  /** Value of PATH. */
  readonly path: string;
  /** The folder that stands for `/`; empty where the packages are installed. */
  readonly root: string;
}

export function parsePlaces(env: Readonly<Record<string, string | undefined>>): Places {
  const given = env.PEERS_ROOT?.trim() ?? '';
  const root = given === '' ? '' : resolve(given);
  if (root !== '' && !existsSync(join(root, 'usr')))
    throw new Error(`PEERS_ROOT is "${root}", where there is no folder usr: it names where packages were unpacked`);
  return { path: env.PATH ?? '', root };
}

/** Daemons stand where the PATH of a plain user does not look. */
const folders = ['/usr/sbin', '/usr/local/sbin', '/usr/bin'];

/** In the folder that was named, or else where packages are installed; and on the PATH. */
export function findProgram({ path, root }: Places, name: string): string | undefined {
  const candidates = [...folders.map((folder) => join('/', root, folder)), ...path.split(delimiter)];
  return candidates
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((candidate) => existsSync(candidate));
}

export interface RabbitMq {
  /** Where rabbitmq-server and rabbitmqctl themselves are. */
  readonly scripts: string;
  readonly epmd: string;
  /** Erlang where it was unpacked: its own scripts know only where it would have been installed. */
  readonly unpackedErlang: string | undefined;
}

/** Debian's programs on the PATH only change the user and then start these. */
function findScripts(places: Places): string | undefined {
  const lib = join('/', places.root, 'usr/lib/rabbitmq/lib');
  const versions = existsSync(lib) ? readdirSync(lib).filter((name) => name.startsWith('rabbitmq_server-')) : [];
  const last = versions.sort().at(-1);
  if (last !== undefined) return join(lib, last, 'sbin');
  const onPath = findProgram(places, 'rabbitmq-server');
  const real = onPath === undefined ? undefined : realpathSync(onPath);
  return real !== undefined && basename(real) === 'rabbitmq-server' ? dirname(real) : undefined;
}

export function findRabbitMq(places: Places): RabbitMq | undefined {
  const scripts = findScripts(places);
  const own = join(places.root, 'usr/lib/erlang');
  const unpackedErlang = places.root !== '' && existsSync(own) ? own : undefined;
  const epmd = unpackedErlang === undefined ? findProgram(places, 'epmd') : join(unpackedErlang, 'bin/epmd');
  if (scripts === undefined || epmd === undefined) return undefined;
  if (unpackedErlang === undefined && findProgram(places, 'erl') === undefined) return undefined;
  return { scripts, epmd, unpackedErlang };
}
