// MQTT clients: mqtt.js where a client's view matters, bare sockets where the bytes do.

import { connect as dialTcp, type Socket } from 'node:net';
import { connect as dialTls } from 'node:tls';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { generate, type IConnectPacket } from 'mqtt-packet';

export type Version = 3 | 4 | 5;
export type Transport = 'tcp' | 'tls';

export interface Target {
  readonly mqttPort: number;
  readonly mqttsPort: number;
}

export interface ClientSpec {
  readonly version: Version;
  readonly transport?: Transport;
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  readonly clean?: boolean;
  readonly expirySeconds?: number;
  readonly serverName?: string;
}

/** Rejects with mqtt.js's error where the CONNECT is refused; its `code` is the CONNACK's. */
export function join(target: Target, spec: ClientSpec): Promise<MqttClient> {
  const { version, transport = 'tcp', clientId, username = 'alice', clean = true } = spec;
  const options: IClientOptions = {
    protocolVersion: version,
    ...(version === 3 ? { protocolId: 'MQIsdp' } : {}),
    clientId,
    username,
    password: spec.password ?? `${username.split('?')[0]}-secret`,
    clean,
    reconnectPeriod: 0,
    // A machine that does other things beside it may take long to accept the last of hundreds.
    connectTimeout: 90_000,
    ...(version === 5 && spec.expirySeconds !== undefined
      ? { properties: { sessionExpiryInterval: spec.expirySeconds } }
      : {}),
    ...(transport === 'tls' ? { rejectUnauthorized: false, servername: spec.serverName ?? 'demo.mqtt.localhost' } : {}),
  };
  const url = transport === 'tls' ? `mqtts://127.0.0.1:${target.mqttsPort}` : `mqtt://127.0.0.1:${target.mqttPort}`;
  return connectAsync(url, options, false);
}

/** The code that a refused CONNECT was told, as mqtt.js read it. */
export async function refusalOf(attempt: Promise<MqttClient>): Promise<number> {
  try {
    const client = await attempt;
    await client.endAsync(true);
  } catch (error) {
    return Number((error as { code?: unknown }).code);
  }
  throw new Error('the CONNECT was not refused');
}

export function buildConnect(spec: ClientSpec): Buffer {
  const { version, clientId, username = 'alice', clean = true } = spec;
  const packet: IConnectPacket = {
    cmd: 'connect',
    protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
    protocolVersion: version,
    clean,
    clientId,
    keepalive: 60,
    username,
    password: Buffer.from(spec.password ?? `${username.split('?')[0]}-secret`),
    ...(version === 5 ? { properties: { sessionExpiryInterval: spec.expirySeconds ?? 0 } } : {}),
  };
  return generate(packet, { protocolVersion: version });
}

export interface RawClient {
  readonly socket: Socket;
  /** All bytes received until the other side closed. */
  closed(): Promise<Buffer>;
  /** The first `count` bytes received. */
  bytes(count: number): Promise<Buffer>;
}

export async function dialRaw(
  target: Target,
  transport: Transport = 'tcp',
  serverName = 'demo.mqtt.localhost',
): Promise<RawClient> {
  const socket: Socket =
    transport === 'tls'
      ? dialTls({ host: '127.0.0.1', port: target.mqttsPort, servername: serverName, rejectUnauthorized: false })
      : dialTcp({ host: '127.0.0.1', port: target.mqttPort });
  await new Promise<void>((resolve, reject) => {
    socket.once(transport === 'tls' ? 'secureConnect' : 'connect', () => resolve());
    socket.once('error', reject);
  });
  let received = Buffer.alloc(0);
  let over = false;
  const waiters = new Set<() => void>();
  const wake = (): void => {
    for (const waiter of waiters) waiter();
  };
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    wake();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    over = true;
    wake();
  });
  const until = (ready: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (!ready()) return;
        waiters.delete(check);
        resolve();
      };
      waiters.add(check);
      check();
    });
  return {
    socket,
    async closed() {
      await until(() => over);
      return received;
    },
    async bytes(count) {
      await until(() => received.length >= count || over);
      return received.subarray(0, count);
    },
  };
}

/** Sends one CONNECT and answers all that comes back until the other side closes, or the first `count` bytes. */
export async function connackBytes(target: Target, spec: ClientSpec): Promise<Buffer> {
  const client = await dialRaw(target, spec.transport, spec.serverName);
  client.socket.write(buildConnect(spec));
  const answer = await client.closed();
  client.socket.destroy();
  return answer;
}
