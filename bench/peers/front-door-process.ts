// Headcount's front door before another broker than the embedded one, the one on BROKER_PORT. As on AWS, all that it
// needs is a table and a queue; the broker tells nothing, so the door's own reports are all there is.

import { connect as dial } from 'node:net';
import { createFrontDoor } from '../../frontdoor/front-door.ts';
import { applyPresence } from '../../functions/presence/apply.ts';
import { createTable } from '../../local/create-table.ts';
import { startEngine } from '../../local/engine.ts';
import { createLocalQueue } from '../../local/queue.ts';
import { seed } from '../../local/seed.ts';
import { createDocumentClient } from '../../shared/adapters/dynamodb/common/client.ts';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credentials/credential-store.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { createTenantStore } from '../../shared/adapters/dynamodb/tenancy/tenant-store.ts';
import { createRankStore } from '../../shared/adapters/dynamodb/usage/rank-store.ts';
import { systemClock as clock } from '../../shared/adapters/node/clock.ts';
import { withDeadline } from '../../shared/adapters/node/deadline.ts';
import { createJsonLog } from '../../shared/adapters/node/json-log.ts';
import { createPasswordCrypto } from '../../shared/adapters/node/password-crypto.ts';
import { cryptoRandom as random } from '../../shared/adapters/node/random.ts';
import { createTickets } from '../../shared/adapters/node/tickets.ts';
import { createPasswords } from '../../shared/app/credentials/passwords.ts';
import { tellingRefusals } from '../../shared/app/rejections/refusals.ts';
import { doorAnswerMs, doorBudgetMs } from '../../shared/config/constants.ts';
import { createCoreConnect, createCoreRejections } from '../../shared/core/connect.ts';
import { createCore } from '../../shared/core/core.ts';
import { answerParent } from '../child/child.ts';
import { benchKeys } from '../passwords.ts';

const brokerPort = Number(process.env.BROKER_PORT);
const tableName = 'headcount';
const log = { ...createJsonLog((line) => process.stderr.write(`${line}\n`)), info: () => undefined };

async function open(): Promise<number> {
  const engine = await startEngine({ dataDir: ':memory:' });
  const client = createDocumentClient({ endpoint: engine.endpoint, requestTimeoutMs: 5_000, maxSockets: 256 });
  await createTable(client, tableName);
  const settings = createSettingsStore(client, tableName, log);
  const credentials = createCredentialStore(client, tableName);
  const passwords = createPasswords({ crypto: createPasswordCrypto(), keys: benchKeys, clock });
  await seed({ settings, credentials, passwords, tenants: createTenantStore(client, tableName), clock, tenantIds: [] });

  const broker = {
    getConnection: async () => ({ kind: 'unknown' as const }),
    deleteConnection: async () => 'unknown' as const,
  };
  const adapters = { client, tableName, clock, random, broker, log };
  const ports = createCore({ ...adapters, credentials, ranks: createRankStore(client, tableName, random) });
  const queue = createLocalQueue({ clock, handler: (event) => applyPresence(ports, event) });
  const rejections = createCoreRejections(adapters);
  const tickets = createTickets(Buffer.alloc(32, 1), clock);
  const connect = createCoreConnect({
    ...adapters,
    budgetMs: doorBudgetMs,
    passwords,
    queue: { put: (message) => queue.send(message) },
  });
  const door = createFrontDoor({
    connect: tellingRefusals(withDeadline(connect, doorAnswerMs), { rejections, clock, log }),
    report: (report) => queue.send(report),
    issueTicket: (claims, from) => tickets.issue(claims, from),
    dialBroker: () => dial({ host: '127.0.0.1', port: brokerPort, noDelay: true }),
    deploymentOfServerName: () => undefined,
    defaultDeployment: 'demo',
    clock,
    log,
  });
  const { port } = await door.listenTcp({ host: '127.0.0.1', port: 0 });
  return port;
}

const opening = open();
answerParent(() => opening);
