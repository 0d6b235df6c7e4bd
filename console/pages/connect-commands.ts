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

/** One word of a POSIX shell, whatever it holds. */
export function quote(word: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

export function buildCommands(
  { deploymentId, mqttHost }: Pick<Deployment, 'deploymentId' | 'mqttHost'>,
  mqtt: MqttEntry,
  wanted: Wanted,
): {
  readonly address: readonly { readonly label: string; readonly value: string }[];
  readonly commands: readonly Command[];
  readonly notes: readonly string[];
} {
  const { tcp, tlsPort, frontDoor, ownCertificate } = mqtt;
  // The suffix names the deployment wherever the server name does not.
  const suffixed = `${wanted.username || 'USERNAME'}?deployment=${deploymentId}`;
  const clientId = frontDoor ? wanted.clientId : `${deploymentId}:${wanted.clientId}`;
  const who = (name: string): string => `-u ${quote(name)} -P PASSWORD -i ${quote(clientId)}`;
  const topic = quote(`${deploymentId}/hello`);
  const tlsName = frontDoor ? wanted.username || 'USERNAME' : suffixed;
  const plain =
    tcp === undefined
      ? ''
      : `npx mqtt sub --protocolVersion 5 -h ${tcp.host} -p ${tcp.port} ${who(suffixed)} -t ${topic}`;
  const trust = ownCertificate ? ' --insecure' : '';
  const tls = `npx mqtt sub --protocolVersion 5 -C mqtts${trust} -h ${mqttHost} -p ${tlsPort} ${who(tlsName)} -t ${topic}`;
  const sending =
    tcp === undefined
      ? `npx mqtt pub --protocolVersion 5 -C mqtts${trust} -h ${mqttHost} -p ${tlsPort} -u ${quote(tlsName)} -P PASSWORD -i ${quote(`${clientId}-2`)} -t ${topic} -m hello`
      : `npx mqtt pub --protocolVersion 5 -h ${tcp.host} -p ${tcp.port} -u ${quote(suffixed)} -P PASSWORD -i ${quote(`${clientId}-2`)} -t ${topic} -m hello`;
  const mosquitto =
    tcp === undefined
      ? `mosquitto_sub -V 5 --capath /etc/ssl/certs -h ${mqttHost} -p ${tlsPort} ${who(tlsName)} -t ${topic}`
      : `mosquitto_sub -V 5 -h ${tcp.host} -p ${tcp.port} ${who(suffixed)} -t ${topic}`;

  return {
    address: [
      ...(tcp === undefined ? [] : [{ label: 'MQTT over TCP', value: `${tcp.host}:${tcp.port}` }]),
      { label: 'MQTT over TLS', value: `${mqttHost}:${tlsPort}` },
      { label: 'Topics', value: `${deploymentId}/…` },
    ],
    commands: [
      ...(tcp === undefined
        ? []
        : [{ title: 'Subscribe', about: 'Stays connected, and so holds a session.', text: plain }]),
      {
        title: 'Subscribe over TLS',
        about: frontDoor
          ? 'The server name says which deployment is meant; the username needs no suffix.'
          : 'Stays connected, and so holds a session.',
        text: tls,
      },
      { title: 'Publish', about: 'From a second terminal, with a client id of its own.', text: sending },
      { title: 'With mosquitto', about: 'Exits with 151 where the quota is exceeded (MQTT 5).', text: mosquitto },
    ],
    notes: [
      ...(frontDoor
        ? []
        : [
            `Here devices go straight to IoT Core: the client id begins with "${deploymentId}:", and a client that is turned away gets IoT Core's own answer.`,
          ]),
      ...(ownCertificate
        ? [
            'The certificate of this server is its own, which no machine knows; hence --insecure. Do not use it elsewhere.',
          ]
        : []),
    ],
  };
}
