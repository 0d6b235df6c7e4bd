// Real MQTT clients, one after another: how long a CONNECT takes, and a message's acknowledgement, at each place that
// they can connect to.

import { connectAsync, type MqttClient } from 'mqtt';
import { startChild } from '../child/child.ts';
import { type Subject, type Times, takeTurns, timed } from './rounds.ts';
import type { ServersApi } from './servers-process.ts';

export interface ConnectTimes {
  readonly connects: Times;
  readonly messages: Times;
}

interface Place {
  readonly name: string;
  readonly port: number;
  /** Straight to a broker, clients bring the deployment's prefix and suffix themselves. */
  readonly straight: boolean;
}

let numbered = 0;

function open({ port, straight }: Place): Promise<MqttClient> {
  const clientId = `latency-${++numbered}`;
  return connectAsync(
    `mqtt://127.0.0.1:${port}`,
    {
      protocolVersion: 5,
      clientId: straight ? `demo:${clientId}` : clientId,
      username: straight ? 'alice?deployment=demo' : 'alice',
      password: 'alice-secret',
      reconnectPeriod: 0,
      connectTimeout: 30_000,
    },
    false,
  );
}

async function timeConnect(place: Place): Promise<number> {
  let client: MqttClient | undefined;
  const spentMs = await timed(async () => {
    client = await open(place);
  });
  await client?.endAsync();
  return spentMs;
}

export async function timeConnects(rounds: number, turns: number): Promise<ConnectTimes> {
  const servers = startChild<ServersApi>(new URL('./servers-process.ts', import.meta.url));
  const staying: MqttClient[] = [];
  try {
    const ports = await servers.call.start();
    const places: readonly Place[] = [
      { name: 'broker', port: ports.broker, straight: true },
      { name: 'door', port: ports.door, straight: false },
      { name: 'product, straight', port: ports.productBroker, straight: true },
      { name: 'product', port: ports.productDoor, straight: false },
    ];
    const connects = await takeTurns(
      places.map((place) => ({ name: place.name, work: () => timeConnect(place) })),
      rounds,
      turns,
    );
    const senders: Subject[] = [];
    for (const place of places.slice(0, 2)) {
      const client = await open(place);
      staying.push(client);
      const work = (): Promise<number> =>
        timed(() => client.publishAsync('demo/latency', 'a small message', { qos: 1 }));
      senders.push({ name: place.name, work });
    }
    const messages = await takeTurns(senders, rounds, turns * 5);
    return { connects, messages };
  } finally {
    for (const client of staying) await client.endAsync(true);
    await servers.stop();
  }
}
