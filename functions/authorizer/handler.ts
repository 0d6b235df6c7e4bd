// IoT Core's custom authorizer. Wires the core to the table and asks it once per CONNECT.

import type { Context } from 'aws-lambda';
import { createIotConnections } from '../../shared/adapters/aws/iot-connections.ts';
import { readSecret } from '../../shared/adapters/aws/secret.ts';
import { createSqsQueue } from '../../shared/adapters/aws/sqs-queue.ts';
import { createDocumentClient } from '../../shared/adapters/dynamodb/common/client.ts';
import { createHostReader } from '../../shared/adapters/dynamodb/tenancy/host-reader.ts';
import { systemClock } from '../../shared/adapters/node/clock.ts';
import { askedWithin, withDeadline } from '../../shared/adapters/node/deadline.ts';
import { createEmfMeasure } from '../../shared/adapters/node/emf-metrics.ts';
import { createJsonLog } from '../../shared/adapters/node/json-log.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { createTickets } from '../../shared/adapters/node/tickets.ts';
import { startingClean } from '../../shared/app/admission/clean-start.ts';
import { createHostLookup } from '../../shared/app/admission/host-lookup.ts';
import { measuredConnect } from '../../shared/app/admission/measured-connect.ts';
import { afterOpening } from '../../shared/app/common/open-data.ts';
import { tellingRefusals } from '../../shared/app/rejections/refusals.ts';
import { connectBudgetMs, hostLookupBudgetMs } from '../../shared/config/constants.ts';
import { environmentVariables } from '../../shared/config/env.ts';
import { createCoreConnect, createCoreRejections } from '../../shared/core/connect.ts';
import type { Tickets } from '../../shared/ports/credentials/tickets.ts';
import type { RejectionRecorder } from '../../shared/ports/rejections/rejections.ts';
import { readOptionalVariable, readVariable } from '../environment.ts';
import { openPasswordKeys } from '../open-data.ts';
import { authorize } from './authorize.ts';
import type { AuthorizerAnswer, AuthorizerEvent } from './event.ts';
import { parseArnScope } from './policy.ts';

const clock = systemClock;
const log = createJsonLog();
const tableName = readVariable(environmentVariables.tableName);
const measure = createEmfMeasure('authorizer', clock);
const client = createDocumentClient({ requestTimeoutMs: 800, measure });
const keys = openPasswordKeys(client, tableName, log);
const core = { client, tableName, clock, random: cryptoRandom, log };
const recorder = createCoreRejections(core);
/** Whether the CONNECT of this invocation was recorded; a process has one invocation at a time. */
let recorded = false;
const rejections: RejectionRecorder = {
  record(refusal) {
    recorded = true;
    recorder.record(refusal);
  },
};
const { getDeploymentOfHost } = createHostReader(client, tableName);
const deploymentOfServerName = createHostLookup(
  { getDeploymentOfHost: askedWithin(getDeploymentOfHost, hostLookupBudgetMs) },
  clock,
  readOptionalVariable(environmentVariables.mqttDomain),
);
const region = readVariable(environmentVariables.region);
const broker = createIotConnections(region);
const decided = createCoreConnect({
  ...core,
  broker,
  budgetMs: connectBudgetMs,
  keys,
  queue: createSqsQueue(readVariable(environmentVariables.presenceQueueUrl), region),
});
// A client with a ticket comes through the front door, which has seen to its clean start.
const decide = withDeadline(afterOpening(keys, startingClean(decided, broker)), connectBudgetMs);
const connect = measuredConnect(tellingRefusals(decide, { rejections, clock, log }), measure, clock);
/** Read at the first ticket, and again if that failed: clients without one never wait for it. */
let tickets: Promise<Tickets> | undefined;

function ticketsOnce(): Promise<Tickets> {
  tickets ??= readSecret(readVariable(environmentVariables.ticketSecretArn)).then((secret) =>
    createTickets(secret, clock),
  );
  tickets.catch(() => {
    tickets = undefined;
  });
  return tickets;
}

export async function handler(event: AuthorizerEvent, context: Context): Promise<AuthorizerAnswer> {
  const ports = { connect, tickets: ticketsOnce, deploymentOfServerName, clock };
  recorded = false;
  // What earlier CONNECTs left to write goes out beside this one. Only a client whose own
  // refusal was recorded waits for it: an admission is not slowed, and a client without credentials learns nothing. A process may be
  // frozen as soon as it has answered; a write that this cuts off is repeated, and counts once.
  const earlier = recorder.flush();
  const answer = await authorize(ports, parseArnScope(context.invokedFunctionArn), event);
  if (recorded) await Promise.all([earlier, recorder.flush()]);
  return answer;
}
