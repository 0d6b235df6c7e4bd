// One clean life of a session, counted at the socket: CONNECT, CONNACK, DISCONNECT, over the whole product.

import { createServer } from 'node:net';
import { parseConfig } from '../../local/config.ts';
import { startEngine } from '../../local/engine.ts';
import { startProduct } from '../../local/product.ts';
import { systemClock as clock } from '../../shared/adapters/node/clock.ts';
import { type Device, openLightClient, type Place } from '../clients/light-client.ts';
import { listenAnywhere } from '../clients/listen.ts';
import { type Counted, countAtSocket } from './socket-count.ts';

export interface Life {
  readonly beforeConnack: number;
  readonly inAll: number;
  /** Operations and kinds of items, in their order. */
  readonly detail: string;
}

export interface Lives {
  readonly frontDoor: Life;
  readonly straight: Life;
  /** Requests of each of `crowd` lives at the same moment. */
  readonly inCrowd: number;
}

const waitMs = 10_000;
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

const isRank = ({ kind }: Counted): boolean => kind === 'R';

export async function countLives(crowd: number): Promise<Lives> {
  const engine = await startEngine({ dataDir: ':memory:' });
  const counter = await countAtSocket(engine.endpoint);
  const env = { MQTT_PORT: '0', MQTTS_PORT: '0', HTTP_PORT: '0', DATA_DIR: ':memory:' };
  const product = await startProduct({
    config: parseConfig({ ...env, DYNAMODB_ENDPOINT: counter.endpoint }),
    clock,
    log: quiet,
  });
  const brokerServer = createServer({ noDelay: true }, (socket) => product.acceptStraight(socket, '127.0.0.1'));
  const door: Place = { port: product.mqttPort };
  const broker: Place = { port: await listenAnywhere(brokerServer) };
  let numbered = 0;
  const nextDevice = (isStraight: boolean): Device => {
    const clientId = `life-${++numbered}`;
    const login = { password: 'alice-secret', protocolVersion: 4 } as const;
    return isStraight
      ? { clientId: `demo:${clientId}`, login: { ...login, username: 'alice?deployment=demo' } }
      : { clientId, login: { ...login, username: 'alice' } };
  };

  async function live(
    place: Place,
    device: Device,
  ): Promise<{ before: readonly Counted[]; after: readonly Counted[] }> {
    const client = await openLightClient(place, device);
    counter.take();
    const { told } = await client.connect(waitMs);
    if (told !== 0) throw new Error(`${device.clientId} was answered ${told}`);
    const before = counter.take();
    await product.quiet();
    await client.leave(waitMs);
    await settled();
    return { before, after: counter.take() };
  }

  /** The broker tells the end a moment after the socket's. */
  async function settled(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await product.quiet();
  }

  /** The rank is refreshed every two seconds at most, for all lives of a username together. */
  async function count(place: Place, isStraight: boolean): Promise<Life> {
    for (let tries = 0; tries < 5; tries++) {
      const { before, after } = await live(place, nextDevice(isStraight));
      const all = [...before, ...after];
      const isDisturbed = all.some((one) => isRank(one) || one.kind === 'P' || one.kind === 'D');
      if (!isDisturbed)
        return {
          beforeConnack: before.length,
          inAll: all.length,
          detail: all.map(({ operation, kind }) => `${operation} ${kind}`).join(', '),
        };
    }
    throw new Error('each life met a reading of settings, passwords or ranks');
  }

  try {
    const staying = await openLightClient(door, nextDevice(false));
    await staying.connect(waitMs);
    for (let seen: readonly Counted[] = []; !seen.some(isRank); seen = counter.take())
      await new Promise((resolve) => setTimeout(resolve, 50));
    const frontDoor = await count(door, false);
    const straight = await count(broker, true);
    counter.take();
    const clients = await Promise.all(Array.from({ length: crowd }, () => openLightClient(door, nextDevice(false))));
    await Promise.all(clients.map((client) => client.connect(waitMs)));
    await product.quiet();
    await Promise.all(clients.map((client) => client.leave(waitMs)));
    await settled();
    return { frontDoor, straight, inCrowd: counter.take().length / crowd };
  } finally {
    await product.stop();
    brokerServer.close();
    counter.close();
    await engine.stop();
  }
}
