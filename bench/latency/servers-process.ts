// What MQTT clients connect to, all of it in one process: aedes alone, a front door before it that admits whoever comes
// at once, and the whole product, whose own broker is the same aedes.

import { createServer, connect as dial, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { parseConfig } from '../../local/config.ts';
import { startProduct } from '../../local/product.ts';
import { systemClock as clock } from '../../shared/adapters/node/clock.ts';
import { answerParent } from '../child/child.ts';
import { listenAnywhere } from '../clients/listen.ts';
import { createInstantDoor } from '../front-door/instant-door.ts';

interface Servers {
  readonly broker: number;
  readonly door: number;
  readonly productDoor: number;
  readonly productBroker: number;
}

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const listen = (handle: (socket: Socket) => unknown): Promise<number> =>
  listenAnywhere(createServer({ noDelay: true }, (socket) => void handle(socket)));

async function start(): Promise<Servers> {
  const aedes = await Aedes.createBroker({ maxClientsIdLength: 128 });
  const broker = await listen((socket) => aedes.handle(socket));
  const door = await createInstantDoor(() => dial({ host: '127.0.0.1', port: broker, noDelay: true })).listenTcp({
    host: '127.0.0.1',
    port: 0,
  });
  const config = parseConfig({ MQTT_PORT: '0', MQTTS_PORT: '0', HTTP_PORT: '0', DATA_DIR: ':memory:' });
  const product = await startProduct({ config, clock, log: quiet });
  return {
    broker,
    door: door.port,
    productDoor: product.mqttPort,
    productBroker: await listen((socket) => product.acceptStraight(socket, '127.0.0.1')),
  };
}

const api = answerParent({ start });

export type ServersApi = typeof api;
