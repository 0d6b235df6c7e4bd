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
import { createSessionStore } from '../../shared/adapters/dynamodb/presence/session-store.ts';
import { createRejectionStore } from '../../shared/adapters/dynamodb/rejections/rejection-store.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { createTenantStore } from '../../shared/adapters/dynamodb/tenancy/tenant-store.ts';
import { createRankStore } from '../../shared/adapters/dynamodb/usage/rank-store.ts';
import { systemClock as clock } from '../../shared/adapters/node/clock.ts';
import { withDeadline } from '../../shared/adapters/node/deadline.ts';
import { createJsonLog } from '../../shared/adapters/node/json-log.ts';
import { createPasswordCrypto } from '../../shared/adapters/node/password-crypto.ts';
import { cryptoRandom as random } from '../../shared/adapters/node/random.ts';
import { createTickets } from '../../shared/adapters/node/tickets.ts';
import { createTokenCheck } from '../../shared/adapters/node/token-check.ts';
import { createConnect } from '../../shared/app/admission/connect.ts';
import { createPasswords } from '../../shared/app/credentials/passwords.ts';
import { tokenAlgorithms } from '../../shared/app/credentials/public-keys.ts';
import { tellingRefusals } from '../../shared/app/rejections/refusals.ts';
import { createRejectionRecorder } from '../../shared/app/rejections/rejection-recorder.ts';
import { createCredentialCache, createSettingsCache } from '../../shared/app/settings/settings-cache.ts';
import { doorAnswerMs, doorBudgetMs, leaseSeconds, maxConnectionSeconds } from '../../shared/config/constants.ts';
import { seconds } from '../../shared/domain/time.ts';
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

  const store = createSessionStore(client, tableName, random);
  const policy = { leaseSeconds: seconds(leaseSeconds), maxConnectionSeconds: seconds(maxConnectionSeconds) };
  const broker = {
    getConnection: async () => ({ kind: 'unknown' as const }),
    deleteConnection: async () => 'unknown' as const,
  };
  const ranks = createRankStore(client, tableName, random);
  const queue = createLocalQueue({
    clock,
    handler: (event) => applyPresence({ store, credentials, ranks, clock, random, broker, policy, log }, event),
  });
  const rejections = createRejectionRecorder({
    store: createRejectionStore(client, tableName),
    clock,
    log,
    newSumId: () => random.attemptId(),
  });
  const tickets = createTickets(Buffer.alloc(32, 1), clock);
  const connect = createConnect({
    budgetMs: doorBudgetMs,
    broker,
    store,
    settings: createSettingsCache(settings, clock),
    credentials: createCredentialCache(credentials, clock),
    passwords,
    tokens: createTokenCheck(tokenAlgorithms),
    clock,
    random,
    queue: { put: (message) => queue.send(message) },
    log,
    policy,
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
