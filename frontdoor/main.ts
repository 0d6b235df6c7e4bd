// The front door on AWS: TLS from the devices, TLS to IoT Core, admissions from the table. One process of many behind a
// load balancer that passes TCP on as it is, with the client's own address.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect as dialTls } from 'node:tls';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { readOptionalVariable, readVariable } from '../functions/environment.ts';
import { openPasswordKeys } from '../functions/open-data.ts';
import { createIotConnections } from '../shared/adapters/aws/iot-connections.ts';
import { findIotEndpoint } from '../shared/adapters/aws/iot-endpoint.ts';
import { readSecret } from '../shared/adapters/aws/secret.ts';
import { createSqsQueue } from '../shared/adapters/aws/sqs-queue.ts';
import { createDocumentClient } from '../shared/adapters/dynamodb/common/client.ts';
import { createHostReader } from '../shared/adapters/dynamodb/tenancy/host-reader.ts';
import { systemClock } from '../shared/adapters/node/clock.ts';
import { askedWithin, withDeadline } from '../shared/adapters/node/deadline.ts';
import { createEmfMeasure } from '../shared/adapters/node/emf-metrics.ts';
import { createJsonLog } from '../shared/adapters/node/json-log.ts';
import { cryptoRandom } from '../shared/adapters/node/random.ts';
import { createTickets } from '../shared/adapters/node/tickets.ts';
import { createHostLookup } from '../shared/app/admission/host-lookup.ts';
import { measuredConnect } from '../shared/app/admission/measured-connect.ts';
import { createTally } from '../shared/app/common/tally.ts';
import { tellingRefusals } from '../shared/app/rejections/refusals.ts';
import { doorAnswerMs, doorBudgetMs } from '../shared/config/constants.ts';
import { type EnvironmentVariable, environmentVariables as names } from '../shared/config/env.ts';
import { frontDoorDrainMs } from '../shared/config/front-door.ts';
import { createCoreConnect, createCoreRejections } from '../shared/core/connect.ts';
import { parseCertificate } from './certificate-secret.ts';
import { createFrontDoor } from './front-door.ts';

const clock = systemClock;
const log = createJsonLog();
const measure = createEmfMeasure('frontdoor', clock);
const tally = createTally(measure);
const tableName = readVariable(names.tableName);
const region = readVariable(names.region);
/** The SDK's own search, which finds a task's role; it remembers them, and asks again before they expire. */
const credentialsOfTask = defaultProvider();
const client = createDocumentClient({
  requestTimeoutMs: 2_000,
  maxSockets: 256,
  measure,
  credentials: credentialsOfTask,
});

const keys = openPasswordKeys(client, tableName, log, credentialsOfTask);
const [ticketSecret, certificateSecret, iotHost] = await Promise.all([
  readSecret(readVariable(names.ticketSecretArn), undefined, credentialsOfTask),
  readSecret(readVariable(names.certificateSecretArn), undefined, credentialsOfTask),
  // An own name is known; the one that AWS gave has to be asked for.
  readOptionalVariable(names.connectDomain) ??
    findIotEndpoint({
      domainConfiguration: readVariable(names.domainConfiguration),
      region,
      credentials: credentialsOfTask,
    }),
  keys.open(),
]);
// IoT Core names no port; whoever stands for it may.
const [brokerHost = '', brokerPort = '8883'] = iotHost.split(':');
const tickets = createTickets(ticketSecret, clock);
const core = { client, tableName, clock, random: cryptoRandom, log };
const rejections = createCoreRejections(core);
const queue = createSqsQueue(readVariable(names.presenceQueueUrl), region, credentialsOfTask);
const connect = measuredConnect(
  tellingRefusals(
    withDeadline(
      createCoreConnect({
        ...core,
        budgetMs: doorBudgetMs,
        keys,
        queue,
        broker: createIotConnections(region, undefined, credentialsOfTask),
      }),
      doorAnswerMs,
    ),
    { rejections, clock, log },
  ),
  tally.measure,
  clock,
);

const door = createFrontDoor({
  connect,
  report: queue.report,
  issueTicket: (claims, from) => tickets.issue(claims, from),
  dialBroker: () => dialTls({ host: brokerHost, port: Number(brokerPort), servername: brokerHost }).setNoDelay(true),
  deploymentOfServerName: askedWithin(
    createHostLookup(createHostReader(client, tableName), clock, readVariable(names.mqttDomain)),
    doorBudgetMs,
  ),
  clock,
  log,
});

// Healthy until it is told to stop: from then on the load balancer sends nobody here.
let draining = false;
const health = createServer((_request, response) => response.writeHead(draining ? 503 : 200).end());

const each = (ms: number, work: () => void): NodeJS.Timeout => setInterval(work, ms).unref();
each(1_000, () => void rejections.flush());
each(1_000, () => tally.flush());
each(60_000, () => measure({ Connections: door.connections(), Unadmitted: door.unadmitted(), Shed: door.takeShed() }));

async function stop(): Promise<void> {
  if (draining) return;
  draining = true;
  // It takes no new clients from here on, so the line is true when it is read.
  const drained = door.drain(frontDoorDrainMs);
  log.info('the front door closes', { connections: door.connections() });
  await drained;
  await rejections.flush({ all: true });
  tally.flush();
  process.exit(0);
}
process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => void stop());

// The load balancer comes over IPv4, and a machine without IPv6 has no other.
const host = '0.0.0.0';
const portOf = (name: EnvironmentVariable): number => Number(readVariable(name));
const mqtts = await door.listenTls({ host, port: portOf(names.mqttsPort), ...parseCertificate(certificateSecret) });
health.listen({ host, port: portOf(names.healthPort) });
await once(health, 'listening');
const told = health.address();
const healthPort = typeof told === 'object' ? told?.port : undefined;
log.info('the front door is open', { port: mqtts.port, healthPort, iotHost });
