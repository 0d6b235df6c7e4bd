// What MQTT clients connect to, all of it in one process: aedes alone, a front door before it that admits whoever comes
// at once, and the whole product, whose own broker is the same aedes.

import { createServer, connect as dial, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { parseConfig } from '../../local/config.ts';
import { startProduct } from '../../local/product.ts';
import { systemClock as clock } from '../../shared/adapters/node/clock.ts';
import { answerParent } from '../child/child.ts';
import { createInstantDoor } from '../front-door/instant-door.ts';

export interface Servers {
  readonly broker: number;
  readonly door: number;
  readonly productDoor: number;
  readonly productBroker: number;
}

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
/** As the product's: a burst overflows Node's default. */
const backlog = 4_096;

async function listen(handle: (socket: Socket) => unknown): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => void handle(socket));
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0, backlog }, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}

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

answerParent(start);
