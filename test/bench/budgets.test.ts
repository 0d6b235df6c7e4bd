// The budgets of the connect path, metered on every request that the real use cases send to the real engine. Units,
// never times.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Meter, meter } from '../../bench/meter/meter.ts';
import { createDocumentClient } from '../../shared/adapters/dynamodb/client.ts';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credential-store.ts';
import { createRejectionStore } from '../../shared/adapters/dynamodb/rejection-store.ts';
import { createSessionStore } from '../../shared/adapters/dynamodb/session-store.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings-store.ts';
import { createUsageReader } from '../../shared/adapters/dynamodb/usage-reader.ts';
import { createPasswordCrypto } from '../../shared/adapters/node/password-crypto.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { createTokenCheck } from '../../shared/adapters/node/token-check.ts';
import { createConnect } from '../../shared/app/connect.ts';
import { applyDoorReport } from '../../shared/app/life-cycle.ts';
import { createPasswords } from '../../shared/app/passwords.ts';
import { tokenAlgorithms } from '../../shared/app/public-keys.ts';
import { createCredentialCache, createSettingsCache } from '../../shared/app/settings-cache.ts';
import { sweep } from '../../shared/app/sweep.ts';
import { tableDefinition } from '../../shared/config/table.ts';
import type { ConnectDecision } from '../../shared/domain/connect.ts';
import type { ClientId, DeploymentId, TenantId, Username } from '../../shared/domain/ids.ts';
import { type Ms, ms, seconds } from '../../shared/domain/time.ts';
import type { DoorReport } from '../../shared/ports/presence.ts';
import type { RejectionStore } from '../../shared/ports/rejections.ts';
import { createTestTable, startTestEngine, type TestEngine } from '../support/engine.ts';

const demo = 'demo' as DeploymentId;
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
let engine: TestEngine;
let meterOn: Meter;
let now = 1_790_000_000_000;
const clock = { now: (): Ms => ms(now) };
const policy = { leaseSeconds: seconds(30), maxConnectionSeconds: seconds(86_400) };
let connect: (username: string, clientId: string) => Promise<ConnectDecision>;
let report: (type: DoorReport['type'], admitted: ConnectDecision, expirySeconds?: number) => Promise<void>;
let sweepNow: () => Promise<unknown>;
let page: () => Promise<number>;
let rejections: RejectionStore;

beforeAll(async () => {
  engine = await startTestEngine();
  const { client, tableName } = await createTestTable(engine.endpoint);
  meterOn = meter(client, {
    tableDefinition,
    tableName,
    rawClient: createDocumentClient({ endpoint: engine.endpoint, requestTimeoutMs: 5_000 }),
  });
  const settings = createSettingsStore(client, tableName);
  const credentials = createCredentialStore(client, tableName);
  const passwords = createPasswords({ crypto: createPasswordCrypto(), clock });
  const store = createSessionStore(client, tableName, cryptoRandom);
  const broker = {
    getConnection: async () => ({ kind: 'absent' as const }),
    deleteConnection: async () => 'gone' as const,
  };
  const core = { store, budgetMs: 3_000, clock, random: cryptoRandom, policy, broker };
  await settings.createDeployment({
    deploymentId: demo,
    tenantId: 'local' as TenantId,
    name: 'Demo',
    mqttHost: 'demo.mqtt.localhost',
    status: 'active',
    sessionExpirySeconds: seconds(3_600),
    clientIdTakeover: 'deny',
    onStoreFailure: 'reject',
    createdAt: clock.now(),
  });
  const whitelist = ['somebody' as Username];
  const limit = { enabled: true, maxSessionsPerUsername: 3, whitelist };
  await settings.putSessionLimit(demo, limit, { actor: 'test', at: clock.now() });
  const { password, hash } = passwords.generate();
  for (const name of ['alice', 'bob'])
    await credentials.putCredential(demo, { username: name as Username, hash, createdAt: clock.now() });

  rejections = createRejectionStore(client, tableName);
  const decide = createConnect({
    ...core,
    settings: createSettingsCache(settings, clock),
    credentials: createCredentialCache(credentials, clock),
    passwords,
    tokens: createTokenCheck(tokenAlgorithms),
    rejections: { record: () => undefined },
    queue: { put: async () => undefined },
    log: quiet,
  });
  connect = (username, clientId) =>
    decide({
      deploymentId: 'demo',
      username,
      password: Buffer.from(password),
      clientId,
      hints: { protocolVersion: 5, cleanStart: true, ipAddress: '2001:db8:85a3:8d3:1319:8a2e:370:7348' },
    });
  report = async (type, admitted, expirySeconds = 0) => {
    if (admitted.kind !== 'admitted') throw new Error(`rejected: ${admitted.detail}`);
    const { deploymentId, username, clientId, attempt } = admitted;
    const message = {
      deploymentId,
      username,
      clientId,
      attempt,
      at: clock.now(),
      type,
      expirySeconds: seconds(expirySeconds),
    };
    await applyDoorReport(core, message as DoorReport);
  };
  sweepNow = () => sweep(core);
  const usage = createUsageReader(client, tableName, {
    sessions: store,
    settings,
    clock,
    ranks: { ask: async () => undefined },
  });
  page = async () => (await usage.listUsernames(demo, { limit: 50, order: 'asc' })).items.length;
  // Warm: settings cached, as in any process but a new one.
  await connect('nobody', 'warm');
}, 60_000);
afterAll(() => engine.stop());

/** Milliseconds pass, as they do between any two things that happen to one client. */
async function spent<T>(work: () => Promise<T>): Promise<{ write: number; read: number; answer: T }> {
  now += 5;
  meterOn.reset();
  const answer = await work();
  const { total } = meterOn.units();
  return { write: total.write, read: total.read, answer };
}

test('a whole clean life, alone in its username: new <= 6, confirm <= 2, in all <= 12 write units', async () => {
  const born = await spent(() => connect('alice', 'device-0001'));
  expect(born.answer.kind).toBe('admitted');
  const confirmed = await spent(() => report('door.connected', born.answer));
  const gone = await spent(() => report('door.disconnected', born.answer));
  expect(born.write).toBeLessThanOrEqual(6);
  expect(confirmed.write).toBeLessThanOrEqual(2);
  expect(born.write + confirmed.write + gone.write).toBeLessThanOrEqual(12);
});

test('coming again after that: a tombstone costs nothing more', async () => {
  const first = await spent(() => connect('alice', 'device-0002'));
  await report('door.connected', first.answer);
  await report('door.disconnected', first.answer);
  const again = await spent(() => connect('alice', 'device-0002'));
  expect(again.write).toBeLessThanOrEqual(6);
  await report('door.connected', again.answer);
  await report('door.disconnected', again.answer);
});

test('reconnecting to a retained or a live session: <= 2 write units, then confirm <= 2', async () => {
  const first = await connect('alice', 'device-0003');
  await report('door.connected', first, 600);
  await report('door.disconnected', first, 600);
  const resumed = await spent(() => connect('alice', 'device-0003'));
  expect(resumed.answer).toMatchObject({ kind: 'admitted', reconnect: true });
  expect(resumed.write).toBeLessThanOrEqual(2);
  expect((await spent(() => report('door.connected', resumed.answer, 600))).write).toBeLessThanOrEqual(2);
  const over = await spent(() => connect('alice', 'device-0003'));
  expect(over.answer).toMatchObject({ kind: 'admitted', reconnect: true });
  expect(over.write).toBeLessThanOrEqual(2);
  await report('door.connected', over.answer);
  await report('door.disconnected', over.answer);
});

test('a storm of rejections: <= 4 read units and no write each, and none when the quota is full of retained sessions', async () => {
  for (const clientId of ['a', 'b', 'c']) {
    const admitted = await connect('bob', clientId);
    await report('door.connected', admitted, 600);
    await report('door.disconnected', admitted, 600);
  }
  for (let n = 0; n < 20; n++) {
    const rejected = await spent(() => connect('bob', `stranger-${n}`));
    expect(rejected.answer).toMatchObject({ kind: 'rejected', reason: 'quota_exceeded' });
    expect(rejected.write).toBe(0);
    expect(rejected.read).toBeLessThanOrEqual(4);
  }
});

test('what is recorded of a storm, once in 10 s: <= 6 write units, the hour and the order of the recent ones included', async () => {
  const record = (n: number) => {
    const names = { deploymentId: demo, username: 'bob' as Username, clientId: `stranger-${n}` as ClientId };
    const hours = [{ hour: ms(now - (now % 3_600_000)), count: 500 }];
    return spent(() =>
      rejections.addRejections({ ...names, sumId: `sum-${n}`, count: 500, lastAt: clock.now(), hours }),
    );
  };
  await record(0);
  const again = await record(1);
  expect(again.write).toBeGreaterThan(0);
  expect(again.write).toBeLessThanOrEqual(6);
});

test('a fleet at rest costs no write', async () => {
  expect((await spent(sweepNow)).write).toBe(0);
});

test('a page of 50 usernames: <= 60 read units', async () => {
  const read = await spent(page);
  expect(read.answer).toBeGreaterThan(0);
  expect(read.read).toBeLessThanOrEqual(60);
});
