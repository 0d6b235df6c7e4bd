// The commands of the help. What goes into a shell is quoted for one.

import type { Deployment } from '../client/types.ts';
import type { MqttEntry } from '../session/config.ts';

export interface Wanted {
  readonly username: string;
  readonly clientId: string;
}

export interface Command {
  readonly title: string;
  readonly about: string;
  readonly text: string;
}

export interface Help {
  readonly address: readonly { readonly label: string; readonly value: string }[];
  readonly commands: readonly Command[];
  readonly notes: readonly string[];
}

/** One word of a POSIX shell, whatever it holds. */
function quote(word: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

const hostAndPort = (host: string, port: number): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

const joined = (words: readonly string[]): string => words.map(quote).join(' ');

export function buildHelp(
  { deploymentId, mqttHost }: Pick<Deployment, 'deploymentId' | 'mqttHost'>,
  { tcp, tls, frontDoor }: MqttEntry,
  wanted: Wanted,
): Help {
  // The suffix names the deployment also where no server name does.
  const username = `${wanted.username || 'USERNAME'}?deployment=${deploymentId}`;
  const clientId = frontDoor ? wanted.clientId : `${deploymentId}:${wanted.clientId}`;
  const topic = `${deploymentId}/hello`;
  const who = (id: string): readonly string[] => ['-u', username, '-P', 'PASSWORD', '-i', id, '-t', topic];
  const tlsHost = tls.host ?? mqttHost;
  const overTls =
    tlsHost === null
      ? undefined
      : ['-C', 'mqtts', ...(tls.ownCertificate ? ['--insecure'] : []), '-h', tlsHost, '-p', String(tls.port)];
  const overTcp = tcp === undefined ? undefined : ['-h', tcp.host, '-p', String(tcp.port)];
  const way = overTcp ?? overTls;
  const mqtt = ['npx', 'mqtt'];
  const version = ['--protocolVersion', '5'];

  const commands: Command[] = [];
  if (overTcp !== undefined)
    commands.push({
      title: 'Subscribe',
      about: 'Stays connected, and so holds a session.',
      text: joined([...mqtt, 'sub', ...version, ...overTcp, ...who(clientId)]),
    });
  if (overTls !== undefined)
    commands.push({
      title: 'Subscribe over TLS',
      about: 'The same, encrypted.',
      text: joined([...mqtt, 'sub', ...version, ...overTls, ...who(clientId)]),
    });
  if (way !== undefined) {
    commands.push({
      title: 'Publish',
      about: 'From a second terminal, with a client id of its own.',
      text: joined([...mqtt, 'pub', ...version, ...way, ...who(`${clientId}-2`), '-m', 'hello']),
    });
    const trust = overTcp === undefined ? ['--capath', '/etc/ssl/certs'] : [];
    const host = overTcp ?? ['-h', tlsHost ?? '', '-p', String(tls.port)];
    commands.push({
      title: 'With mosquitto',
      about: 'Exits with 151 where the quota is exceeded.',
      text: joined(['mosquitto_sub', '-V', '5', ...trust, ...host, ...who(clientId)]),
    });
  }

  const notes: string[] = [];
  if (way === undefined)
    notes.push('This deployment has no MQTT host of its own yet: edit the deployment to give it one.');
  if (!frontDoor)
    notes.push(
      `Devices go straight to IoT Core here: their client id begins with "${deploymentId}:", and who is turned away gets IoT Core's own answer.`,
    );
  if (tls.ownCertificate)
    notes.push(
      'This server made its certificate itself, and no machine knows it; hence --insecure. Not for use elsewhere.',
    );
  return {
    address: [
      ...(tcp === undefined ? [] : [{ label: 'MQTT over TCP', value: hostAndPort(tcp.host, tcp.port) }]),
      ...(tlsHost === null ? [] : [{ label: 'MQTT over TLS', value: hostAndPort(tlsHost, tls.port) }]),
      { label: 'Topics', value: `${deploymentId}/…` },
    ],
    commands,
    notes,
  };
}
