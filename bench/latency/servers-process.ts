// What MQTT clients connect to, all of it in one process: aedes alone, a front door before it that admits whoever comes
// at once, and the whole product, whose own broker is the same aedes.

import { randomBytes } from 'node:crypto';
import { createServer, connect as dial } from 'node:net';
import { Aedes } from 'aedes';
import { createFrontDoor } from '../../frontdoor/front-door.ts';
import { parseConfig } from '../../local/config.ts';
import { startProduct } from '../../local/product.ts';
import { systemClock as clock } from '../../shared/adapters/node/clock.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { createTickets } from '../../shared/adapters/node/tickets.ts';
import { parseClientId, parseDeploymentId, parseUsername } from '../../shared/domain/ids.ts';
import { seconds } from '../../shared/domain/time.ts';
import { answerParent } from '../child/child.ts';

export interface Servers {
  readonly broker: number;
  readonly door: number;
  readonly productDoor: number;
  readonly productBroker: number;
}

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
/** As the product's: a burst overflows Node's default. */
const backlog = 4_096;

async function startBroker(): Promise<number> {
  const aedes = await Aedes.createBroker({ maxClientsIdLength: 128 });
  const server = createServer({ noDelay: true }, (socket) => void aedes.handle(socket));
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0, backlog }, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}

/** Tickets are made as in the product: they are part of what the door does for each CONNECT. */
async function startDoor(brokerPort: number): Promise<number> {
  const tickets = createTickets(randomBytes(32), clock);
  const door = createFrontDoor({
    connect: async (request) => {
      const deploymentId = parseDeploymentId(request.deploymentId ?? '');
      const username = parseUsername(request.username ?? '');
      if (!deploymentId.ok || !username.ok) throw new Error('the CONNECT has no names');
      const clientId = parseClientId(deploymentId.value, request.clientId);
      if (!clientId.ok) throw new Error(clientId.problem);
      return {
        kind: 'admitted',
        deploymentId: deploymentId.value,
        username: username.value,
        clientId: clientId.value,
        attempt: cryptoRandom.attemptId(),
        expirySeconds: seconds(0),
        reconnect: false,
        mustCleanStart: false,
      };
    },
    report: async () => undefined,
    issueTicket: (claims, from) => tickets.issue(claims, from),
    dialBroker: () => dial({ host: '127.0.0.1', port: brokerPort, noDelay: true }),
    deploymentOfServerName: () => undefined,
    defaultDeployment: 'demo',
    clock,
    log: quiet,
  });
  return (await door.listenTcp({ host: '127.0.0.1', port: 0 })).port;
}

async function start(): Promise<Servers> {
  const broker = await startBroker();
  const config = parseConfig({ MQTT_PORT: '0', MQTTS_PORT: '0', HTTP_PORT: '0', DATA_DIR: ':memory:' });
  const product = await startProduct({ config, clock, log: quiet });
  return {
    broker,
    door: await startDoor(broker),
    productDoor: product.mqttPort,
    productBroker: product.brokerPort,
  };
}

answerParent(start);
